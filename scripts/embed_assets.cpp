// Turns a folder of built web files into one C++ source that carries their bytes.
//
// Usage: embed_assets FOLDER OUTPUT_FOLDER
// Writes OUTPUT_FOLDER/assets.cpp (a table and .incbin directives) and the compressed variants beside it. A missing
// FOLDER gives an empty table: the server then says how to build the web part.
#include <brotli/encode.h>
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return bytes.str();
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib did not finish");
  return out;
}

std::string brotli(const std::string& bytes) {
  std::size_t size = BrotliEncoderMaxCompressedSize(bytes.size());
  std::string out(size, '\0');
  if (!BrotliEncoderCompress(11, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, bytes.size(),
                             reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                             reinterpret_cast<std::uint8_t*>(out.data())))
    throw std::runtime_error("brotli");
  out.resize(size);
  return out;
}

std::string type_of(const std::string& extension) {
  static const std::map<std::string, std::string> types = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".map", "application/json"},
      {".webp", "image/webp"},
      {".xml", "application/xml"},
  };
  const auto found = types.find(extension);
  return found == types.end() ? "application/octet-stream" : found->second;
}

// Vite puts what it names by content under assets/; only those may be kept for ever.
bool immutable(const std::string& path) { return path.starts_with("/assets/"); }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

struct Output {
  std::ostringstream source;
  std::ostringstream rows;
  int count = 0;

  // Emits one blob and answers the expression that views it.
  std::string blob(const fs::path& file) {
    const std::string name = "millrace_asset_" + std::to_string(count++);
    source << "asm(\".section .rodata\\n.balign 16\\n.global " << name << "\\n"
           << name << ":\\n.incbin \\\"" << file.string() << "\\\"\\n.global " << name << "_end\\n"
           << name << "_end:\\n.byte 0\\n.previous\\n\");\n"
           << "extern \"C\" const char " << name << "[];\nextern \"C\" const char " << name << "_end[];\n";
    return "std::string_view(" + name + ", static_cast<std::size_t>(" + name + "_end - " + name + "))";
  }
};

void add(Output& out, const fs::path& root, const fs::path& file, const fs::path& folder) {
  const std::string path = "/" + fs::relative(file, root).generic_string();
  const std::string bytes = read_file(file);
  char tag[40];
  std::snprintf(tag, sizeof tag, "%016llx", static_cast<unsigned long long>(XXH3_64bits(bytes.data(), bytes.size())));
  // A copy named by its content: the web build may replace its folder while we compile.
  const fs::path plain = fs::absolute(folder) / (std::string(tag) + ".plain");
  write_file(plain, bytes);
  std::string views[3] = {out.blob(plain), "std::string_view()", "std::string_view()"};
  const std::pair<const char*, std::string> variants[] = {{".br", brotli(bytes)}, {".gz", gzip(bytes)}};
  for (int i = 0; i < 2; ++i) {
    if (variants[i].second.size() + 64 >= bytes.size()) continue;  // not worth a variant
    const fs::path compressed = fs::absolute(folder) / (std::string(tag) + variants[i].first);
    write_file(compressed, variants[i].second);
    views[i + 1] = out.blob(compressed);
  }
  out.rows << "      Asset{" << quoted(path) << ", " << quoted(type_of(file.extension().string())) << ",\n            "
           << views[0] << ",\n            " << views[1] << ",\n            " << views[2] << ",\n            "
           << quoted(tag) << ", " << (immutable(path) ? "true" : "false") << "},\n";
}

int run(const fs::path& root, const fs::path& folder) {
  fs::create_directories(folder);
  std::vector<fs::path> files;
  if (fs::is_directory(root))
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  Output out;
  for (const fs::path& file : files) add(out, root, file, folder);
  std::ostringstream text;
  text << "// Generated from the built web files. Do not edit.\n#include <vector>\n\n#include "
          "\"server/internal/assets.h\"\n\n"
       << out.source.str() << "\nnamespace millrace::server {\n\nconst std::vector<Asset>& embedded_assets() {\n"
       << "  static const std::vector<Asset> assets = {\n"
       << out.rows.str() << "  };\n  return assets;\n}\n\n"
       << "}  // namespace millrace::server\n";
  write_file(folder / "assets.cpp", text.str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed_assets FOLDER OUTPUT_FOLDER\n";
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& failure) {
    std::cerr << "embed_assets: " << failure.what() << '\n';
    return 1;
  }
}
