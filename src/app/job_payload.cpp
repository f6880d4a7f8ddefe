#include "app/job_payload.h"

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>

#include "app/exporter.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "domain/money.h"

namespace millrace::app {
namespace {

namespace json = boost::json;

constexpr std::size_t filters_max = 100;
constexpr std::size_t value_bytes_max = 4096;

Failure wrong(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

Result<json::object> object_of(std::string_view text, std::initializer_list<std::string_view> known) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return wrong("the payload is no JSON object, {...}");
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(known.begin(), known.end(), name) == known.end())
      return wrong("the payload has a member \"" + printable(name.substr(0, 60)) + "\" that is not known; " + (known.size() == 0 ? "it takes none" : "there is " + joined(known)));
  }
  return std::move(value.get_object());
}

Result<std::string> text_at(const json::object& object, std::string_view name, std::string fallback) {
  const json::value* value = object.if_contains(name);
  if (!value) return fallback;
  if (!value->is_string() || value->get_string().size() > value_bytes_max) return wrong("\"" + std::string(name) + "\" is a text of at most 4096 bytes");
  return std::string(value->get_string());
}

Result<std::string> word_at(const json::object& object, std::string_view name, std::string fallback, std::initializer_list<std::string_view> words) {
  auto text = text_at(object, name, std::move(fallback));
  if (text && !text->empty() && std::find(words.begin(), words.end(), *text) == words.end())
    return wrong("\"" + std::string(name) + "\" is one of " + joined(words) + ", not \"" + printable(text->substr(0, 60)) + "\"");
  return text;
}

Result<double> number_at(const json::object& object, std::string_view name, double fallback, double most) {
  const json::value* value = object.if_contains(name);
  if (!value) return fallback;
  boost::system::error_code error;
  const double number = value->is_number() ? value->to_number<double>(error) : -1.0;
  if (error || !(number >= 0 && number <= most)) return wrong("\"" + std::string(name) + "\" is a number from 0 to " + std::to_string(static_cast<std::uint64_t>(most)));
  return number;
}

Result<void> add_filter(const std::string& name, const json::value& value, ReportPayload& report) {
  if (value.is_array()) {
    for (const json::value& one : value.get_array())
      if (auto added = add_filter(name, one.is_array() ? json::value(nullptr) : one, report); !added) return added;
    return {};
  }
  if (!value.is_string() || value.get_string().size() > value_bytes_max) return wrong("the filter \"" + printable(name.substr(0, 60)) + "\" is a text or a list of texts");
  if (report.parameters.size() >= filters_max) return wrong("a report takes at most " + std::to_string(filters_max) + " filters");
  report.parameters.emplace_back(name, std::string(value.get_string()));
  return {};
}

Result<void> add_filters(const json::object& object, ReportPayload& report) {
  if (const json::value* filters = object.if_contains("filters")) {
    if (!filters->is_object()) return wrong("\"filters\" is a JSON object of filters of the order list");
    for (const auto& member : filters->get_object())
      if (auto added = add_filter(std::string(member.key()), member.value(), report); !added) return added;
  }
  for (const std::string_view name : {"sort", "fields", "group"}) {
    auto text = text_at(object, name, "");
    if (!text) return pass_on(text);
    if (!text->empty()) report.parameters.emplace_back(name, std::move(*text));
  }
  return {};
}

}  // namespace

Result<ReportPayload> parse_report(std::string_view payload) {
  const auto object = object_of(payload, {"of", "format", "name", "filters", "sort", "fields", "group"});
  if (!object) return pass_on(object);
  ReportPayload report;
  auto of = word_at(*object, "of", report.of, {"orders", "lines", "totals"});
  if (!of) return pass_on(of);
  auto format = word_at(*object, "format", report.format, {"csv", "xlsx", "json", "ndjson"});
  if (!format) return pass_on(format);
  auto name = text_at(*object, "name", "");
  if (!name) return pass_on(name);
  report.of = std::move(*of);
  report.format = std::move(*format);
  report.name = name->substr(0, 100);
  if (auto added = add_filters(*object, report); !added) return pass_on(added);
  if (report.of != "orders" && report.format == "ndjson") return wrong("ndjson is written of orders only; take csv, xlsx or json");
  if (report.of == "lines" && object->contains("fields")) return wrong("\"fields\" chooses columns of orders; lines have fixed columns");
  if (report.of != "totals" && object->contains("group")) return wrong("\"group\" belongs to totals");
  return report;
}

Result<MonthReportPayload> parse_month_report(std::string_view payload) {
  const auto object = object_of(payload, {"of", "format", "month", "day", "currency", "as_of"});
  if (!object) return pass_on(object);
  auto of = word_at(*object, "of", "month_end", {"month_end", "monthly"});
  auto format = word_at(*object, "format", "pdf", {"pdf", "xlsx"});
  auto month = text_at(*object, "month", "");
  auto day = text_at(*object, "day", "");
  auto currency = text_at(*object, "currency", "");
  auto as_of = text_at(*object, "as_of", "");
  for (const auto* text : {&of, &format, &month, &day, &currency, &as_of})
    if (!*text) return pass_on(*text);
  MonthReportPayload report;
  report.month_end = *of != "monthly";
  if (!format->empty()) report.format = std::move(*format);
  if (!month->empty()) {
    const auto first = parse_iso_day(*month + "-01");
    if (!first) return wrong("\"month\" is written as 2026-11, not \"" + printable(month->substr(0, 60)) + "\"");
    report.month = first->year() / first->month();
  }
  if (!day->empty() && !(report.day = parse_iso_day(*day))) return wrong("\"day\" is written as 2026-11-30, not \"" + printable(day->substr(0, 60)) + "\"");
  if (!currency->empty() && !Currency::parse(*currency)) return wrong("\"currency\" is three capital letters such as EUR, not \"" + printable(currency->substr(0, 60)) + "\"");
  if (const auto known = parse_as_of(*as_of); !known) return pass_on(known);
  report.currency = std::move(*currency);
  report.as_of = std::move(*as_of);
  return report;
}

Result<std::string> parse_sync(std::string_view payload) {
  const auto object = object_of(payload, {"source"});
  if (!object) return pass_on(object);
  auto source = text_at(*object, "source", "");
  if (source && source->empty()) return wrong("\"source\" names the source to sync");
  return source;
}

Result<unsigned> parse_backup(std::string_view payload) {
  const auto object = object_of(payload, {"keep"});
  if (!object) return pass_on(object);
  const auto keep = number_at(*object, "keep", 7, 1000);
  if (!keep) return pass_on(keep);
  if (*keep < 1) return wrong("\"keep\" is how many backups stay, at least 1");
  return static_cast<unsigned>(*keep);
}

Result<SelfTestPayload> parse_self_test(std::string_view payload) {
  const auto object = object_of(payload, {"seconds", "steps", "fail", "die", "silent", "until_try", "bytes"});
  if (!object) return pass_on(object);
  SelfTestPayload test;
  const auto seconds = number_at(*object, "seconds", test.seconds, 3600);
  const auto steps = number_at(*object, "steps", static_cast<double>(test.steps), 100'000);
  const auto until_try = number_at(*object, "until_try", 0, 1000);
  const auto bytes = number_at(*object, "bytes", 0, 1 << 30);
  for (const auto* number : {&seconds, &steps, &until_try, &bytes})
    if (!*number) return pass_on(*number);
  auto ending = word_at(*object, "fail", "", {"again", "final"});
  if (!ending) return pass_on(ending);
  auto die = word_at(*object, "die", "", {"kill", "segv", "abort", "exit"});
  if (!die) return pass_on(die);
  if (const json::value* silent = object->if_contains("silent")) {
    if (!silent->is_bool()) return wrong("\"silent\" is true or false");
    test.silent = silent->get_bool();
  }
  test.seconds = *seconds;
  test.steps = std::max<std::uint64_t>(static_cast<std::uint64_t>(*steps), 1);
  test.until_try = static_cast<std::uint64_t>(*until_try);
  test.bytes = static_cast<std::uint64_t>(*bytes);
  test.fail = std::move(*ending);
  test.die = std::move(*die);
  return test;
}

Result<void> parse_nothing(std::string_view payload) {
  const auto object = object_of(payload, {});
  if (!object) return pass_on(object);
  return {};
}

std::string encode(const WorkerBrief& brief) {
  std::string text;
  JsonWriter out(text);
  out.begin_object().field("record", brief.record).field("scratch", brief.scratch).field("backup", brief.backup);
  out.field("attempt", brief.attempt).field("day", brief.day).field("company", brief.company).end_object();
  return text;
}

Result<WorkerBrief> parse_brief(std::string_view text) {
  const auto object = object_of(text, {"record", "scratch", "backup", "attempt", "day", "company"});
  if (!object) return pass_on(object);
  WorkerBrief brief;
  for (const auto& [name, to] : {std::pair("record", &brief.record), std::pair("scratch", &brief.scratch), std::pair("backup", &brief.backup), std::pair("day", &brief.day),
                                 std::pair("company", &brief.company)}) {
    auto value = text_at(*object, name, "");
    if (!value) return pass_on(value);
    *to = std::move(*value);
  }
  const auto attempt = number_at(*object, "attempt", 0, 1'000'000);
  if (!attempt) return pass_on(attempt);
  brief.attempt = static_cast<std::uint64_t>(*attempt);
  return brief;
}

}  // namespace millrace::app
