#include <malloc.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "app/commands.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "columns/census.h"
#include "columns/csv_table.h"

namespace millrace::app {
namespace {

struct PackedColumn {
  std::string name;
  columns::ColumnText text;
  columns::ColumnCensus census;
};

struct PackReport {
  std::uint64_t rows = 0;
  std::uint64_t file_bytes = 0;
  std::vector<PackedColumn> columns;
  std::uint64_t shared_bytes = 0;
  std::uint64_t resident_before = 0, resident_after = 0;
  std::string digest;  // XXH3-128 of the file and of what is written back
  std::chrono::milliseconds load_time{}, check_time{};

  columns::ColumnText text() const {
    columns::ColumnText all;
    for (const PackedColumn& column : columns) {
      all.bytes += column.text.bytes;
      all.object_bytes += column.text.object_bytes;
    }
    return all;
  }
  std::uint64_t bytes() const {
    std::uint64_t all = shared_bytes;
    for (const PackedColumn& column : columns) all += column.census.bytes;
    return all;
  }
  double entropy_bytes() const {
    double all = 0;
    for (const PackedColumn& column : columns) all += column.census.entropy_bytes;
    return all;
  }
};

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("Rss:")) return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  return 0;
}

std::chrono::milliseconds since(Stopwatch::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - start);
}

// Writes the table back piece by piece and holds each against the file: stronger than comparing digests, which are made
// on the way for the report.
Result<std::string> verify(const columns::CsvTable& csv, const columns::OpenFile& open) {
  auto source = open();
  if (!source) return pass_on(source);
  ContentHasher hasher;
  std::string read;
  std::uint64_t position = 0;
  Result<void> compared;
  const auto compare = [&](std::string_view piece) {
    read.resize(piece.size());
    std::size_t filled = 0;
    while (filled < piece.size()) {
      const auto got = (*source)(std::span(read).subspan(filled));
      if (!got) {
        compared = pass_on(got);
        return false;
      }
      if (*got == 0) break;
      filled += *got;
    }
    if (std::string_view(read).substr(0, filled) != piece) {
      compared = fail(ErrorCode::conflict,
                      "what is written back differs from the file between bytes " + std::to_string(position) + " and " +
                          std::to_string(position + piece.size()) + ": did the file change meanwhile?");
      return false;
    }
    hasher.add(piece);
    position += piece.size();
    return true;
  };
  const auto written = columns::write_csv(*csv.table->snapshot(), csv.dialect, csv.head, compare);
  if (!compared) return pass_on(compared);
  if (!written) return pass_on(written);
  if (position != csv.file_bytes) return fail(ErrorCode::conflict, "what is written back is shorter than the file");
  return hex(hasher.hash());
}

Result<void> write_back(const columns::CsvTable& csv, const std::string& path) {
  const std::string temporary = path + ".part";  // a half file never looks like a whole one
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  if (!out)
    return fail(ErrorCode::unavailable,
                printable(temporary) + ": cannot be created; does the folder exist and may you write there?");
  auto written = columns::write_csv(*csv.table->snapshot(), csv.dialect, csv.head, [&](std::string_view bytes) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return out.good();
  });
  out.close();
  if (!out || !written)
    written =
        fail(ErrorCode::unavailable, printable(temporary) + ": could not be written to the end; is the disk full?");
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail(ErrorCode::unavailable, printable(path) + ": cannot be replaced");
  if (!written) std::remove(temporary.c_str());
  return written;
}

PackReport describe(const columns::CsvTable& csv) {
  PackReport report;
  const auto snapshot = csv.table->snapshot();
  report.rows = snapshot->rows();
  report.file_bytes = csv.file_bytes;
  for (std::size_t column = 0; column < csv.head.size(); ++column)
    report.columns.push_back({csv.head[column], csv.text[column], columns::census(*snapshot, column)});
  report.shared_bytes = columns::shared_bytes(*snapshot);
  return report;
}

std::string decimal(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : decimal(100.0 * static_cast<double>(part) / static_cast<double>(whole), 1) + " %";
}

double per_row(double bytes, std::uint64_t rows) { return rows == 0 ? 0 : bytes / static_cast<double>(rows); }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "-" : text;
}

void print(Console& console, const PackReport& report) {
  Table table({{"column", false},
               {"type", false},
               {"form", false},
               {"distinct", true},
               {"as text", true},
               {"plain", true},
               {"now", true},
               {"of plain", true},
               {"bytes a row", true},
               {"entropy", true}});
  for (const PackedColumn& column : report.columns)
    table.row({printable(column.name), column.census.type, joined(column.census.forms), grouped(column.census.distinct),
               bytes_text(column.text.bytes), bytes_text(column.text.object_bytes), bytes_text(column.census.bytes),
               percent(column.census.bytes, column.text.object_bytes),
               decimal(per_row(static_cast<double>(column.census.bytes), report.rows), 3),
               decimal(per_row(column.census.entropy_bytes, report.rows), 3)});
  table.row({"shared by all columns", "", "", "", "", "", bytes_text(report.shared_bytes), "",
             decimal(per_row(static_cast<double>(report.shared_bytes), report.rows), 3), ""});
  const auto text = report.text();
  table.row({"total", "", "", "", bytes_text(text.bytes), bytes_text(text.object_bytes), bytes_text(report.bytes()),
             percent(report.bytes(), text.object_bytes),
             decimal(per_row(static_cast<double>(report.bytes()), report.rows), 3),
             decimal(per_row(report.entropy_bytes(), report.rows), 3)});
  const std::uint64_t grown = report.resident_after - std::min(report.resident_after, report.resident_before);
  console.out() << table.text() << "\n"
                << grouped(report.rows) << " rows, " << bytes_text(report.file_bytes) << " in the file, read in "
                << duration_text(report.load_time) << ". Memory of this process: " << bytes_text(report.resident_before)
                << " before, " << bytes_text(report.resident_after)
                << " after: " << decimal(per_row(static_cast<double>(grown), report.rows), 2) << " bytes a row.\n"
                << "Lossless: written back and compared byte by byte in " << duration_text(report.check_time)
                << ", XXH3-128 " << report.digest << ".\n"
                << "plain = 8 bytes a number, a std::string a text. entropy = what no code of single values can go "
                   "below; runs, lines and derived columns can.\n"
                << std::flush;
}

std::string as_json(const PackReport& report) {
  std::string text;
  JsonWriter json(text);
  const auto all = report.text();
  json.begin_object()
      .field("rows", report.rows)
      .field("file_bytes", report.file_bytes)
      .field("text_bytes", all.bytes)
      .field("plain_bytes", all.object_bytes)
      .field("packed_bytes", report.bytes())
      .field("shared_bytes", report.shared_bytes);
  json.key("packed_bytes_per_row").ratio(per_row(static_cast<double>(report.bytes()), report.rows), 4);
  json.key("entropy_bytes_per_row").ratio(per_row(report.entropy_bytes(), report.rows), 4);
  json.field("resident_before", report.resident_before)
      .field("resident_after", report.resident_after)
      .field("load_ms", std::int64_t{report.load_time.count()})
      .field("check_ms", std::int64_t{report.check_time.count()})
      .field("lossless", true)
      .field("xxh3_128", report.digest)
      .key("columns")
      .begin_array();
  for (const PackedColumn& column : report.columns) {
    json.begin_object().field("name", column.name).field("type", column.census.type).key("forms").begin_array();
    for (const std::string& form : column.census.forms) json.text(form);
    json.end_array()
        .field("distinct", column.census.distinct)
        .field("text_bytes", column.text.bytes)
        .field("plain_bytes", column.text.object_bytes)
        .field("packed_bytes", column.census.bytes);
    json.key("entropy_bytes").ratio(column.census.entropy_bytes, 1);
    json.end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

}  // namespace

int run_pack(const CommandContext& context) {
  const columns::OpenFile open = columns::file_opener(context.invocation.arguments.front());
  columns::LoadOptions options;
  options.stop = &context.stop;
  ::malloc_trim(0);
  const std::uint64_t before = resident_bytes();
  const auto started = Stopwatch::now();
  const auto csv = columns::load_csv(open, options);
  if (!csv) return report(context.console, csv.error());
  const auto load_time = since(started);
  ::malloc_trim(0);
  const std::uint64_t after = resident_bytes();
  const auto checking = Stopwatch::now();
  const auto digest = verify(*csv, open);
  if (!digest) return report(context.console, digest.error());
  const auto check_time = since(checking);
  PackReport described = describe(*csv);
  described.resident_before = before;
  described.resident_after = after;
  described.digest = *digest;
  described.load_time = load_time;
  described.check_time = check_time;
  if (const std::string path = context.invocation.option("--out"); !path.empty()) {
    if (auto written = write_back(*csv, path); !written) return report(context.console, written.error());
    context.console.note("wrote " + printable(path));
  }
  if (context.invocation.json)
    context.console.out() << as_json(described) << std::flush;
  else
    print(context.console, described);
  return exit_ok;
}

}  // namespace millrace::app
