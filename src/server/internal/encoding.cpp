#include "server/internal/encoding.h"

#include <zlib.h>
#include <zstd.h>

#include "base/text.h"

namespace millrace::server {

std::string_view name_of(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return "identity";
    case Coding::gzip:
      return "gzip";
    case Coding::zstd:
      return "zstd";
    case Coding::brotli:
      return "br";
  }
  return "identity";
}

bool takes(std::string_view accept_encoding, std::string_view coding) {
  bool any = false;
  for (const std::string_view part : split(accept_encoding, ',')) {
    const std::size_t end = part.find(';');
    const std::string_view name = trim(part.substr(0, end));
    bool refused = false;
    if (end != std::string_view::npos) {
      std::string_view weight = trim(part.substr(end + 1));
      if (weight.starts_with("q=") || weight.starts_with("Q=")) {
        weight.remove_prefix(2);
        refused = weight.find_first_of("123456789") == std::string_view::npos;
      }
    }
    if (equal_ignoring_case(name, coding)) return !refused;
    if (name == "*") any = !refused;
  }
  return any;
}

Coding preferred(std::string_view accept_encoding) {
  if (accept_encoding.empty()) return Coding::identity;
  if (takes(accept_encoding, "zstd")) return Coding::zstd;
  if (takes(accept_encoding, "gzip")) return Coding::gzip;
  return Coding::identity;
}

namespace {

std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return status == Z_STREAM_END ? out : std::string();
}

std::string zstandard(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
  if (ZSTD_isError(size)) return {};
  out.resize(size);
  return out;
}

}  // namespace

std::string packed(std::string_view bytes, Coding coding) {
  switch (coding) {
    case Coding::gzip:
      return gzipped(bytes);
    case Coding::zstd:
      return zstandard(bytes);
    case Coding::identity:
    case Coding::brotli:
      return {};
  }
  return {};
}

}  // namespace millrace::server
