#include <cstdio>
#include <fstream>

#include "app/commands.h"
#include "app/exporter.h"
#include "base/text.h"
#include "store/record.h"

namespace millrace::app {
namespace {

// --where "name=op.value" is the query string of the screens, piece by piece.
Result<query::OrderQuery> query_of(const Invocation& invocation, Day today) {
  query::Parameters parameters;
  if (const auto where = invocation.options.find("--where"); where != invocation.options.end()) {
    for (const std::string& filter : where->second) {
      const auto equals = filter.find('=');
      if (equals == std::string::npos || equals == 0) {
        return fail(ErrorCode::invalid_input,
                    "--where takes name=value or name=op.value, not \"" + printable(filter) + "\"");
      }
      parameters.emplace_back(filter.substr(0, equals), filter.substr(equals + 1));
    }
  }
  if (const std::string sort = invocation.option("--sort"); !sort.empty()) parameters.emplace_back("sort", sort);
  if (const std::string fields = invocation.option("--fields"); !fields.empty())
    parameters.emplace_back("fields", fields);
  auto parsed = query::parse_order_query(parameters, today);
  if (parsed.errors.empty()) return std::move(parsed.query);
  std::string text;
  for (const auto& error : parsed.errors) text += (text.empty() ? "" : "\n") + error.parameter + ": " + error.detail;
  return fail(ErrorCode::invalid_input, text);
}

// What was asked for, in the person's words.
std::string filter_text(const Invocation& invocation) {
  std::string text;
  if (const auto where = invocation.options.find("--where"); where != invocation.options.end())
    for (const std::string& filter : where->second) text += (text.empty() ? "" : "  ") + filter;
  if (const std::string sort = invocation.option("--sort"); !sort.empty())
    text += (text.empty() ? "sort=" : "  sort=") + sort;
  return text;
}

Result<ExportRequest> request_of(const Invocation& invocation, Instant now) {
  ExportRequest request;
  const Day today = utc_day(now);
  request.today = today;
  request.written = now;
  request.filter_text = filter_text(invocation);
  const std::string& what = invocation.arguments.front();
  if (what != "orders" && what != "lines") {
    return fail(ErrorCode::invalid_input, "export writes orders or lines, not \"" + printable(what) + "\"");
  }
  request.lines = what == "lines";
  if (request.lines && invocation.has("--fields"))
    return fail(ErrorCode::invalid_input, "--fields chooses columns of orders; lines have fixed columns");
  std::string format = invocation.option("--format");
  const std::string out = invocation.option("--out");
  if (format.empty() && !out.empty())
    format = out.substr(std::min(out.size(), out.rfind('.') == std::string::npos ? out.size() : out.rfind('.') + 1));
  if (invocation.has("--format") || parse_export_format(format)) {
    const auto known = parse_export_format(format);
    if (!known)
      return fail(ErrorCode::invalid_input, "--format takes csv, xlsx or json, not \"" + printable(format) + "\"");
    request.format = *known;
  } else if (invocation.json) {
    request.format = ExportFormat::json;
  }
  auto query = query_of(invocation, today);
  if (!query) return pass_on(query);
  request.query = std::move(*query);
  return request;
}

Result<void> write_to_file(const std::string& path, const readmodel::SnapshotPtr& snapshot,
                           const ExportRequest& request) {
  const std::string temporary = path + ".part";  // a half export never looks like a whole one
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  if (!out)
    return fail(ErrorCode::unavailable,
                temporary + ": cannot be created; does the folder exist and may you write there?");
  auto written = write_export(snapshot, request, [&](std::string_view bytes) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return out.good();
  });
  out.close();
  if (written && !out)
    written = fail(ErrorCode::unavailable, temporary + ": could not be written to the end; is the disk full?");
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail(ErrorCode::unavailable, path + ": cannot be replaced");
  if (!written) std::remove(temporary.c_str());
  return written;
}

}  // namespace

int run_export(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const auto request = request_of(invocation, context.clock.now());
  if (!request) return report(context.console, request.error());
  const auto as_of = parse_as_of(invocation.option("--as-of"));
  if (!as_of) return report(context.console, as_of.error());
  auto reader = store::open_sqlite_reader(record_path(context.settings.values));
  if (!reader) return report(context.console, reader.error());
  Progress progress(context.console, "reading", "changes", Stopwatch::now());
  const auto snapshot = replay(**reader, *as_of, context.stop, [&](std::uint64_t done, std::uint64_t total) {
    progress.update(done, total, Stopwatch::now());
  });
  progress.finish();
  if (!snapshot) return report(context.console, snapshot.error());
  const std::string path = invocation.option("--out");
  if (!path.empty()) {
    if (auto written = write_to_file(path, *snapshot, *request); !written)
      return report(context.console, written.error());
    context.console.note("wrote " + path);
    return exit_ok;
  }
  std::ostream& out = context.console.out();
  const auto written = write_export(*snapshot, *request, [&](std::string_view bytes) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return out.good();
  });
  out.flush();
  if (!written) return report(context.console, written.error());
  return exit_ok;  // a reader like `head` that goes away early is no error
}

}  // namespace millrace::app
