#include "simulator/internal/replies.h"

#include <array>
#include <cstdio>
#include <set>

#include "base/json_writer.h"

namespace millrace::simulator::internal {
namespace {

std::string_view edm_type(Kind kind, Protocol protocol) {
  switch (kind) {
    case Kind::integer:
      return "Edm.Int32";
    case Kind::decimal:
      return "Edm.Double";
    case Kind::day:
      return protocol == Protocol::v1 ? "Edm.DateTime" : "Edm.Date";
    case Kind::time:
      return protocol == Protocol::v1 ? "Edm.Time" : "Edm.TimeOfDay";
    case Kind::text:
    case Kind::choice:
    case Kind::collection:
      break;
  }
  return "Edm.String";
}

void append_type(std::string& xml, const Table& table, std::string_view key, Protocol protocol,
                 std::set<std::string_view>& written) {
  if (!written.insert(table.type).second) return;
  const std::string element = key.empty() ? "ComplexType" : "EntityType";
  std::string collections;
  xml += "<" + element + " Name=\"" + std::string(table.type) + "\">";
  if (!key.empty()) xml += "<Key><PropertyRef Name=\"" + std::string(key) + "\"/></Key>";
  for (const Field& field : table.fields) {
    std::string type(edm_type(field.kind, protocol));
    if (field.kind == Kind::collection) type = "Collection(SAPB1." + std::string(field.rows->type) + ")";
    xml += "<Property Name=\"" + std::string(field.name) + "\" Type=\"" + type + "\"/>";
  }
  xml += "</" + element + ">";
  for (const Field& field : table.fields) {
    if (field.kind == Kind::collection) append_type(xml, *field.rows, "", protocol, written);
  }
}

}  // namespace

outbound::Reply json_reply(int status, std::string body) {
  outbound::Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json;odata=minimalmetadata;charset=utf-8");
  reply.body = std::move(body);
  return reply;
}

outbound::Reply html_reply(int status, std::string_view title) {
  outbound::Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "text/html; charset=iso-8859-1");
  reply.body = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>" + std::string(title) +
               "</title>\n</head><body>\n<h1>" + std::string(title) + "</h1>\n</body></html>\n";
  return reply;
}

outbound::Reply error_reply(Protocol protocol, int status, std::int64_t code, std::string_view text) {
  std::string json;
  JsonWriter out(json);
  out.begin_object().key("error").begin_object();
  if (protocol == Protocol::v1)
    out.field("code", code).key("message").begin_object().field("lang", "en-us").field("value", text).end_object();
  else
    out.field("code", std::to_string(code)).field("message", text);
  out.end_object().end_object();
  return json_reply(status, std::move(json));
}

outbound::Reply metadata_reply(Protocol protocol) {
  outbound::Reply reply;
  reply.status = 200;
  reply.headers.emplace_back("Content-Type", "application/xml;charset=utf-8");
  std::string& xml = reply.body;
  xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Schema Namespace=\"SAPB1\">";
  std::set<std::string_view> written;
  for (const EntitySet& set : entity_sets()) append_type(xml, *set.table, set.key, protocol, written);
  xml += "<EntityContainer Name=\"ServiceLayer\">";
  for (const EntitySet& set : entity_sets())
    xml +=
        "<EntitySet Name=\"" + std::string(set.name) + "\" EntityType=\"SAPB1." + std::string(set.table->type) + "\"/>";
  xml += "</EntityContainer></Schema>\n";
  return reply;
}

std::string http_date(Instant instant) {
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(instant - day));
  char text[40];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", days[std::chrono::weekday(day).c_encoding()],
                static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text;
}

}  // namespace millrace::simulator::internal
