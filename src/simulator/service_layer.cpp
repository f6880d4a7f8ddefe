#include "simulator/service_layer.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "simulator/internal/replies.h"

namespace millrace::simulator {

using internal::error_reply;
using internal::html_reply;
using internal::json_reply;

namespace {

constexpr std::size_t request_line_max = 8190;
constexpr std::size_t page_default = 20;
constexpr std::string_view first_node = ".node1", second_node = ".node2";

std::string_view header_of(const outbound::Call& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

std::string cookie_of(const outbound::Call& call, std::string_view name) {
  for (const std::string_view part : split(header_of(call, "Cookie"), ';')) {
    const std::string_view cookie = trim(part);
    const auto equal = cookie.find('=');
    if (equal != std::string_view::npos && cookie.substr(0, equal) == name)
      return std::string(cookie.substr(equal + 1));
  }
  return {};
}

std::optional<std::size_t> number_of(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  std::size_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  return number;
}

// 0: the client switched paging off.
std::size_t page_asked_for(const outbound::Call& call) {
  if (const auto size = number_of(trim(header_of(call, "B1S-PageSize")))) return *size;
  constexpr std::string_view wish = "odata.maxpagesize=";
  const std::string_view prefer = header_of(call, "Prefer");
  const auto at = prefer.find(wish);
  if (at == std::string_view::npos) return page_default;
  const std::string_view rest = prefer.substr(at + wish.size());
  const auto size = number_of(rest.substr(0, rest.find_first_not_of("0123456789")));
  return size ? *size : page_default;
}

// Which list a page is of: the question without its numbers.
std::string listing_of(const EntitySet& set, const Query& query) {
  std::string listing = std::string(set.name) + "?" + query.without_paging;
  std::erase_if(listing, [](char c) { return c >= '0' && c <= '9'; });
  return listing;
}

}  // namespace

// A call taken apart.
struct ServiceLayer::Request {
  const outbound::Call& call;
  std::string origin;  // "https://sap:50000"
  std::string path;    // "/b1s/v2/Orders", decoded
  std::string query;   // still encoded
  Protocol protocol = Protocol::v2;
  std::string route;  // "Orders", after the protocol
  std::optional<Fault> fault;

  explicit Request(const outbound::Call& given) : call(given) {
    const auto scheme = given.url.find("://");
    const auto slash = scheme == std::string::npos ? std::string::npos : given.url.find('/', scheme + 3);
    if (slash == std::string::npos) return;
    origin = given.url.substr(0, slash);
    const auto question = given.url.find('?', slash);
    path = percent_decoded(std::string_view(given.url).substr(
        slash, question == std::string::npos ? std::string::npos : question - slash));
    if (question != std::string::npos) query = given.url.substr(question + 1);
    for (const auto& [prefix, spoken] : {std::pair{"/b1s/v1/", Protocol::v1}, {"/b1s/v2/", Protocol::v2}}) {
      if (!path.starts_with(prefix)) continue;
      protocol = spoken;
      route = path.substr(8);
    }
  }
  std::size_t request_line() const {
    return call.method.size() + call.url.size() - origin.size() + sizeof("  HTTP/1.1") - 1;
  }
};

std::string_view word(Fault fault) {
  constexpr std::array<std::string_view, fault_count> words = {
      "bad gateway", "server error", "busy (seconds)", "busy (date)",  "reset",      "timeout", "cut page",
      "page twice",  "empty list",   "sign-in page",   "session lost", "node moved", "slow"};
  return words[static_cast<std::size_t>(fault)];
}

ServiceLayer::ServiceLayer(ServiceLayerOptions options, Company company, const Clock& clock)
    : options_(std::move(options)), clock_(clock), company_(std::move(company)), dice_(options_.seed) {}

void ServiceLayer::after_each_page(std::function<void(Company&)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

Stamp ServiceLayer::local_time() const {
  auto local = std::chrono::floor<std::chrono::seconds>(clock_.now() + options_.utc_offset);
  if (options_.minute_stamps) local = std::chrono::floor<std::chrono::minutes>(local);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  return {static_cast<std::int32_t>(day.time_since_epoch().count()), static_cast<std::int32_t>((local - day).count())};
}

void ServiceLayer::plan_faults(FaultPlan plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
}

void ServiceLayer::fail_next(Fault fault, unsigned calls) {
  const std::lock_guard lock(mutex_);
  forced_ = fault;
  forced_calls_ = calls;
}

void ServiceLayer::drop_sessions() {
  const std::lock_guard lock(mutex_);
  sessions_.clear();
}

std::size_t ServiceLayer::session_count() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

Stats ServiceLayer::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

Truth ServiceLayer::truth() const {
  const std::lock_guard lock(mutex_);
  Truth truth{company_.orders, {}};
  for (const auto& [code, item] : company_.items) truth.manufacturer_of_item[code] = company_.manufacturer_of(code);
  return truth;
}

outbound::Reply ServiceLayer::answer(const outbound::Call& call) {
  const std::lock_guard lock(mutex_);
  ++stats_.calls;
  Request request(call);
  Reply reply;
  std::optional<Fault>& fault = request.fault;
  if (request.request_line() > request_line_max) {
    reply = html_reply(414, "Request-URI Too Long");
  } else if (!header_of(call, "Expect").empty()) {
    reply.status = 500;
  } else if (request.path == "/ping" || request.path.starts_with("/ping/")) {
    ++stats_.pings;
    reply = json_reply(200, R"({"message":"pong","sender":"node 1"})");
  } else {
    fault = choose_fault();
    if (fault) ++stats_.faults;
    if (fault && *fault <= Fault::timeout) return broken(*fault, request);
    if (fault == Fault::session_dropped) sessions_.clear();
    reply = route(request);
    if (fault) spoil(reply, *fault, request);
  }
  if (reply.status >= 400 && !fault) ++stats_.refused;
  reply.headers.emplace_back("Date", internal::http_date(clock_.now()));
  reply.bytes_received = reply.body.size();
  stats_.bytes += reply.body.size();
  return reply;
}

std::optional<Fault> ServiceLayer::choose_fault() {
  if (forced_calls_ > 0) {
    --forced_calls_;
    return forced_;
  }
  std::uint64_t roll = dice_() % 1000;
  for (std::size_t i = 0; i < fault_count; ++i) {
    if (roll < plan_.per_mille[i]) return static_cast<Fault>(i);
    roll -= plan_.per_mille[i];
  }
  return std::nullopt;
}

// What never reaches the server, or comes back without its answer.
outbound::Reply ServiceLayer::broken(Fault fault, const Request& request) const {
  Reply reply;
  switch (fault) {
    case Fault::bad_gateway:
      reply = html_reply(502, "Proxy Error");
      break;
    case Fault::server_error:
      reply = error_reply(request.protocol, 500, -1, "Internal error");
      break;
    case Fault::busy_seconds:
    case Fault::busy_date:
      reply = html_reply(429, "Too Many Requests");
      reply.headers.emplace_back("Retry-After", fault == Fault::busy_seconds
                                                    ? std::to_string(plan_.retry_after.count())
                                                    : internal::http_date(clock_.now() + plan_.retry_after));
      break;
    case Fault::timeout:
      reply.failure = outbound::Failure::timeout;
      reply.took = request.call.deadline;
      reply.text = "No answer within the deadline; ask for less, or look at the load of the server.";
      return reply;
    default:
      reply.failure = outbound::Failure::reset;
      reply.text = "The connection broke before the answer was whole; it is tried again.";
      return reply;
  }
  reply.headers.emplace_back("Date", internal::http_date(clock_.now()));
  reply.bytes_received = reply.body.size();
  return reply;
}

// What the server answered, and what the day made of it.
void ServiceLayer::spoil(Reply& reply, Fault fault, const Request& request) {
  if (fault == Fault::slow) reply.took = std::min<std::chrono::microseconds>(plan_.slow, request.call.deadline);
  if (reply.status != 200 || request.call.method != "GET") return;
  if (fault == Fault::sign_in_page) reply = html_reply(200, "Sign in");
  if (fault == Fault::cut_page) reply.body.resize(reply.body.size() * (20 + dice_() % 60) / 100);
  if (fault == Fault::node_moved) {
    if (Session* session = session_of(request)) {
      session->node = session->node == first_node ? second_node : first_node;
      reply.headers.emplace_back("Set-Cookie", "ROUTEID=" + session->node + "; path=/b1s");
    }
  }
}

outbound::Reply ServiceLayer::route(const Request& request) {
  if (request.route == "Login" && request.call.method == "POST") return log_in(request);
  Session* session = session_of(request);
  if (session == nullptr) return error_reply(request.protocol, 401, 301, "Invalid session or session already timeout.");
  session->last_call = clock_.now();
  if (request.route == "Logout" && request.call.method == "POST") return log_out(request);
  return request.call.method == "GET" ? read(request) : administer(request);
}

outbound::Reply ServiceLayer::log_in(const Request& request) {
  ++stats_.logins;
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(request.call.body, error);
  const auto text = [&](std::string_view name) -> std::string {
    const auto* object = body.if_object();
    const auto* value = object ? object->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  if (error || !body.is_object()) return error_reply(request.protocol, 400, -1, "Invalid JSON in the request body");
  if (text("CompanyDB") != options_.company)
    return error_reply(request.protocol, 401, -304, "Fail to get DB Credentials from SLD");
  if (text("UserName") != options_.user || text("Password") != options_.password)
    return error_reply(request.protocol, 401, 100000027, "Login failed");
  page_before_.clear();  // what is repeated was sent to this session before
  const std::string id = hex(content_hash(std::to_string(++session_last_) + "/" + std::to_string(options_.seed)));
  sessions_[id] = Session{clock_.now(), std::string(first_node)};
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  if (request.protocol == Protocol::v1)
    out.field("odata.metadata", request.origin + "/b1s/v1/$metadata#B1Sessions/@Element");
  out.field("SessionId", id)
      .field("Version", options_.version)
      .field("SessionTimeout", static_cast<std::int64_t>(options_.session_timeout.count()));
  out.end_object();
  Reply reply = json_reply(200, std::move(json));
  // As SAP spells them: no path and a dangling semicolon on the first.
  reply.headers.emplace_back("Set-Cookie", "B1SESSION=" + id + ";HttpOnly;");
  reply.headers.emplace_back("Set-Cookie", "ROUTEID=" + std::string(first_node) + "; path=/b1s");
  return reply;
}

outbound::Reply ServiceLayer::log_out(const Request& request) {
  ++stats_.logouts;
  sessions_.erase(cookie_of(request.call, "B1SESSION"));
  Reply reply;
  reply.status = 204;
  return reply;
}

ServiceLayer::Session* ServiceLayer::session_of(const Request& request) {
  const auto found = sessions_.find(cookie_of(request.call, "B1SESSION"));
  if (found == sessions_.end() || request.route.empty()) return nullptr;
  if (clock_.now() - found->second.last_call > options_.session_timeout) {
    sessions_.erase(found);
    return nullptr;
  }
  const std::string node = cookie_of(request.call, "ROUTEID");
  return found->second.node == (node.empty() ? first_node : std::string_view(node)) ? &found->second : nullptr;
}

// Webhooks: off until they are enabled, v2 only.
outbound::Reply ServiceLayer::administer(const Request& request) {
  const std::string& method = request.call.method;
  constexpr std::string_view one_subscription = "EventSubscriptions('";
  Reply done;
  done.status = 204;
  if (request.protocol == Protocol::v2 && method == "POST" && request.route == "CompanyService_UpdateAdminInfo") {
    webhooks_.enable(request.call.body.contains("\"EnableWebhook\":\"tYES\""));
    return done;
  }
  if (request.protocol == Protocol::v2 && method == "POST" && request.route == "EventSubscriptions") {
    if (!webhooks_.enabled())
      return error_reply(request.protocol, 400, -1, "Webhooks are not enabled for this company");
    const auto subscribed = webhooks_.subscribe(request.call.body);
    if (!subscribed) return error_reply(request.protocol, 400, -1, subscribed.error().text());
    return json_reply(201, request.call.body);
  }
  if (method == "DELETE" && request.route.starts_with(one_subscription) && request.route.ends_with("')")) {
    const std::string_view id =
        std::string_view(request.route)
            .substr(one_subscription.size(), request.route.size() - one_subscription.size() - 2);
    if (webhooks_.unsubscribe(id)) return done;
    return error_reply(request.protocol, 404, -2028, "No matching records found (ODBC -2028)");
  }
  return error_reply(request.protocol, 405, -1, "Method not allowed here");
}

std::size_t ServiceLayer::push_events(outbound::Transport& wire) {
  std::vector<Webhooks::Push> pushes;
  {
    const std::lock_guard lock(mutex_);
    pushes = webhooks_.pushes(company_.take_events(), clock_.now());
  }
  for (const Webhooks::Push& push : pushes) {
    const Reply reply = wire.send(push.call);
    const std::lock_guard lock(mutex_);
    webhooks_.pushed(push, reply);
  }
  return pushes.size();
}

namespace {
bool asks_status_and_stamp(std::string_view query) {
  for (const std::string_view part : split(query, '&'))
    if (part.starts_with("$filter=")) return part.contains("DocumentStatus") && part.contains("UpdateDate");
  return false;
}
}  // namespace

outbound::Reply ServiceLayer::read(const Request& request) {
  if (request.route == "$metadata") return internal::metadata_reply(request.protocol);
  const auto open = request.route.find('(');
  const bool counts = request.route.ends_with("/$count");
  std::string_view name = std::string_view(request.route).substr(0, open);
  if (counts && open == std::string::npos) name.remove_suffix(7);
  const EntitySet* set = find_entity_set(name);
  if (set == nullptr) return error_reply(request.protocol, 404, -1000, "Unrecognized resource path.");
  auto query = parse_query(request.query, *set, request.protocol);
  if (!query) return error_reply(request.protocol, 400, -1000, query.error().text());
  if (options_.refuses_mixed_filters && asks_status_and_stamp(request.query))
    return error_reply(request.protocol, 400, -1000, "The filter is too complex");
  ++stats_.by_set[std::string(name)];
  if (counts) {
    const auto rows = rows_of(company_, *set, *query);
    Reply reply;
    reply.status = 200;
    reply.headers.emplace_back("Content-Type", "text/plain");
    reply.body = std::to_string(std::ranges::count_if(rows, [&](const void* row) { return may_see(row, *set); }));
    return reply;
  }
  if (open == std::string::npos) return read_page(request, *set, *query);
  const std::string_view rest = std::string_view(request.route).substr(open + 1);
  if (!rest.ends_with(')')) return error_reply(request.protocol, 404, -1000, "Unrecognized resource path.");
  return read_one(request, *set, rest.substr(0, rest.size() - 1), *query);
}

// A fifth of the rows, always the same: what a missing right looks like.
bool ServiceLayer::may_see(const void* row, const EntitySet& set) const {
  if (plan_.hidden_percent == 0) return true;
  const Value key = set.table->find(set.key)->get(row);
  const std::string name =
      std::string(set.name) + (set.key_is_text ? std::string(key.text) : std::to_string(key.number));
  return hash64(name) % 100 >= plan_.hidden_percent;
}

outbound::Reply ServiceLayer::read_page(const Request& request, const EntitySet& set, const Query& query) {
  ++stats_.pages;
  std::size_t page = page_asked_for(request.call);
  if (options_.page_cap > 0) page = page == 0 ? options_.page_cap : std::min(page, options_.page_cap);
  // One row more than the page tells whether there is a next one; who counts, hides or pages nothing away needs all.
  const bool some = page > 0 && !query.count && plan_.hidden_percent == 0;
  std::vector<const void*> rows = some ? rows_of(company_, set, query, query.skip + page + 1) : rows_of(company_, set, query);
  std::erase_if(rows, [&](const void* row) { return !may_see(row, set); });
  if (page == 0) page = std::max<std::size_t>(rows.size(), 1);

  // A question for single rows is no page of a list: it is neither repeated nor empty by mistake.
  const bool pages = !query.filter || !query.filter->names_keys(set.key);
  std::string& before = page_before_[listing_of(set, query)];
  if (pages && request.fault == Fault::page_twice && !before.empty()) return json_reply(200, before);
  if (pages && request.fault == Fault::empty_list) rows.clear();
  const std::size_t count = rows.size();
  const std::size_t first = std::min(query.skip, count);
  const std::size_t taken = std::min({count - first, page, query.top.value_or(count)});
  const bool whole = query.select.empty() && set.table->type == "Document";
  if (plan_.rows_in_time > 0 && whole && taken > plan_.rows_in_time) return broken(Fault::timeout, request);
  std::string json;
  JsonWriter out(json);
  const bool v1 = request.protocol == Protocol::v1;
  out.begin_object().field(v1 ? "odata.metadata" : "@odata.context",
                           request.origin + (v1 ? "/b1s/v1/" : "/b1s/v2/") + "$metadata#" + std::string(set.name));
  if (query.count) {
    if (v1)
      out.field("odata.count", std::to_string(count));
    else
      out.field("@odata.count", std::uint64_t{count});
  }
  out.key("value").begin_array();
  const RowStyle style{request.protocol, v1 && options_.days_with_time, options_.etags_in_collections};
  for (std::size_t i = first; i < first + taken; ++i) {
    std::string row;
    append_row(row, rows[i], set, query.select, style);
    out.raw(row);
  }
  out.end_array();
  const bool ended_by_top = query.top && *query.top <= page;
  if (first + taken < count && !ended_by_top && taken < query.top.value_or(count))
    out.field(v1 ? "odata.nextLink" : "@odata.nextLink", next_link(request, set, query, first, taken));
  out.end_object();
  stats_.rows += taken;
  if (pages) before = json;
  if (hook_) hook_(company_);
  return json_reply(200, std::move(json));
}

// Only the place in the list: rows that move while somebody reads are skipped or read twice, as with the real one.
std::string ServiceLayer::next_link(const Request& request, const EntitySet& set, const Query& query, std::size_t skip,
                                    std::size_t taken) const {
  std::string link = options_.absolute_next_links       ? request.origin + request.path.substr(0, 9)
                     : request.protocol == Protocol::v1 ? "/b1s/v1/"
                                                        : "";
  link += std::string(set.name) + "?";
  if (!query.without_paging.empty()) link += query.without_paging + "&";
  if (query.top) link += "$top=" + std::to_string(*query.top - taken) + "&";
  return link + "$skip=" + std::to_string(skip + taken);
}

outbound::Reply ServiceLayer::read_one(const Request& request, const EntitySet& set, std::string_view key,
                                       const Query& query) {
  const auto wanted = Filter::parse(std::string(set.key) + " eq " + std::string(key), *set.table);
  if (!wanted) return error_reply(request.protocol, 400, -1000, wanted.error().text());
  Query by_key;
  by_key.filter = *wanted;
  const auto rows = rows_of(company_, set, by_key);
  if (rows.empty() || !may_see(rows.front(), set))
    return error_reply(request.protocol, 404, -2028, "No matching records found (ODBC -2028)");
  const std::string etag = etag_of(rows.front(), set);
  Reply reply;
  if (!etag.empty() && header_of(request.call, "If-None-Match") == etag) {
    reply.status = 304;
    return reply;
  }
  const bool v1 = request.protocol == Protocol::v1;
  std::string row;
  append_row(row, rows.front(), set, query.select, RowStyle{request.protocol, v1 && options_.days_with_time, true});
  std::string context = "{";
  append_json_text(context, v1 ? "odata.metadata" : "@odata.context");
  context += ':';
  append_json_text(context, request.origin + (v1 ? "/b1s/v1/" : "/b1s/v2/") + "$metadata#" + std::string(set.name) +
                                (v1 ? "/@Element" : "/$entity"));
  reply = json_reply(200, context + "," + row.substr(1));
  if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
  return reply;
}

}  // namespace millrace::simulator
