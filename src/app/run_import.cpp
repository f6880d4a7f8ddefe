// `import`: hands a file of finance documents to the running server, shows its preview, and has it applied.
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/commands.h"
#include "app/loopback_http.h"
#include "app/people_desk.h"
#include "app/server_problem.h"
#include "base/percent.h"
#include "base/text.h"

namespace millrace::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience = 120s;  // a large file is read, and its commit waits for others
constexpr std::uintmax_t file_bytes_max = 16u << 20;  // as the server takes it

Result<std::string> content_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorCode::not_found, path + ": " + error.message());
  if (size > file_bytes_max) return fail(ErrorCode::limit_reached, path + " has " + std::to_string(size >> 20) + " MB, the limit is 16 MB; send it in parts");
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in && !in.eof()) return fail(ErrorCode::unavailable, path + " cannot be read");
  if (content.empty()) return fail(ErrorCode::invalid_input, path + " is empty");
  return content;
}

std::string preview_path(const Invocation& invocation) {
  std::string path = "/api/v1/finance/import?preview=1&limit=1000&name=" + percent_encoded(std::filesystem::path(invocation.arguments.front()).filename().string());
  for (const auto& [flag, name] : {std::pair("--kind", "kind"), std::pair("--currency", "currency"), std::pair("--decimal", "decimal"), std::pair("--date", "date"), std::pair("--header-row", "header_row")})
    if (const std::string value = invocation.option(flag); !value.empty()) path += std::string("&") + name + "=" + percent_encoded(value);
  if (const auto map = invocation.options.find("--map"); map != invocation.options.end())
    for (const std::string& one : map->second) path += "&map=" + percent_encoded(one);
  return path;
}

Result<json::object> ask(const CommandContext& context, const std::string& path, const std::string& body) {
  const auto answer = send_to(local_server(context.settings.values), "POST", path, body, patience);
  if (!answer) return pass_on(answer);
  if (answer->status / 100 != 2) return Failure(error_of(*answer, "the import"));
  boost::system::error_code error;
  json::value value = json::parse(answer->body, error);
  if (error || !value.is_object()) return fail(ErrorCode::unavailable, "the import was not answered in JSON: is that a Millrace?");
  return std::move(value.get_object());
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? printable(std::string_view(value->get_string())) : "";
}
std::uint64_t number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const auto number = value && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : number;
}
json::array array_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : json::array{};
}

// What a person should look at in a row: its doubtful cells, or why it is left out.
std::string look_at(const json::object& row) {
  std::string text = text_at(row, "reason");
  for (const json::value& value : array_at(row, "cells")) {
    const json::object* cell = value.if_object();
    const std::string doubt = cell ? text_at(*cell, "doubt") : "";
    if (!doubt.empty()) text += (text.empty() ? "" : "; ") + text_at(*cell, "field") + " \"" + text_at(*cell, "text") + "\" taken as " + text_at(*cell, "value") + ": " + doubt;
  }
  return text;
}

std::string preview_text(const json::object& preview) {
  const json::value* counted = preview.if_contains("counts");
  const json::object none;
  const json::object& counts = counted && counted->is_object() ? counted->get_object() : none;
  std::string text = text_at(preview, "kind") + ": ";
  for (const std::string_view state : {"new", "changed", "same", "doubtful", "refused", "skipped"}) text += std::to_string(number_at(counts, state)) + " " + std::string(state) + (state == "skipped" ? "\n" : ", ");
  for (const json::value& missing : array_at(preview, "missing"))
    if (missing.is_string()) text += "no column gives " + printable(std::string_view(missing.get_string())) + "; say which with --map " + printable(std::string_view(missing.get_string())) + ":COLUMN\n";
  Table table({{"row", true}, {"state"}, {"look at"}});
  std::size_t shown = 0;
  for (const json::value& value : array_at(preview, "rows")) {
    const json::object* row = value.if_object();
    const std::string state = row ? text_at(*row, "state") : "";
    if (state != "doubtful" && state != "refused" && state != "skipped") continue;
    table.row({std::to_string(number_at(*row, "row")), state, look_at(*row)});
    ++shown;
  }
  return shown == 0 ? text : text + table.text();
}

bool is_anything_new(const json::object& preview, bool take_doubtful) {
  const json::value* counts = preview.if_contains("counts");
  if (!counts || !counts->is_object()) return false;
  const auto& object = counts->get_object();
  return number_at(object, "new") + number_at(object, "changed") + (take_doubtful ? number_at(object, "doubtful") : 0) > 0;
}

std::uint64_t left_out(const json::object& preview, bool take_doubtful) {
  const json::value* counts = preview.if_contains("counts");
  if (!counts || !counts->is_object()) return 0;
  return number_at(counts->get_object(), "refused") + (take_doubtful ? 0 : number_at(counts->get_object(), "doubtful"));
}

}  // namespace

int run_import(const CommandContext& context) {
  const Invocation& invocation = context.invocation;
  const auto content = content_of(invocation.arguments.front());
  if (!content) return report(context.console, content.error());
  const auto preview = ask(context, preview_path(invocation), *content);
  if (!preview) return report(context.console, preview.error());
  const bool take_doubtful = invocation.has("--take-doubtful");
  std::ostream& out = context.console.out();
  if (!invocation.json) out << preview_text(*preview) << std::flush;
  if (!array_at(*preview, "missing").empty()) return report(context.console, Error(ErrorCode::invalid_input, "the file was not taken: columns are missing"));
  const int exit = left_out(*preview, take_doubtful) > 0 ? exit_partial : exit_ok;
  if (invocation.has("--dry-run") || !is_anything_new(*preview, take_doubtful)) {
    if (invocation.json) out << json::serialize(*preview) << "\n" << std::flush;
    else if (!invocation.has("--dry-run")) out << "nothing to take: everything that can be read stands there already\n" << std::flush;
    return exit;
  }
  const auto applied = ask(context, "/api/v1/finance/import?apply=1&preview=" + percent_encoded(text_at(*preview, "preview")) + "&doubtful=" + (take_doubtful ? "take" : "leave"), "");
  if (!applied) return report(context.console, applied.error());
  if (invocation.json) out << json::serialize(*applied) << "\n" << std::flush;
  else out << "import " << text_at(*applied, "import") << ": " << number_at(*applied, "created") << " new, " << number_at(*applied, "changed") << " changed, " << number_at(*applied, "left") << " rows left\n" << std::flush;
  return exit;
}

}  // namespace millrace::app
