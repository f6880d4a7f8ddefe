#include "erp/odata_remote.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <future>
#include <system_error>

#include "base/log.h"
#include "base/text.h"

namespace millrace::erp {
namespace {

using outbound::CallKind;
using outbound::Reply;
using Kind = PageQuestion::Kind;

constexpr std::size_t round_number = 10;  // page sizes that people configure divide by it

bool is_whole(Kind kind) { return kind == Kind::documents || kind == Kind::fetch; }

CallKind call_kind(Kind kind) {
  switch (kind) {
    case Kind::documents: return CallKind::page;
    case Kind::open:
    case Kind::changed:
    case Kind::moving: return CallKind::scan;
    case Kind::slice: return CallKind::slice;
    case Kind::fetch: break;
  }
  return CallKind::fetch;
}

PageQuestion bounded(PageQuestion question) {
  question.rows_max = std::max<std::size_t>(1, question.rows_max);
  return question;
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

struct PageFacts {
  std::size_t longest = 0;         // rows of one answer
  std::optional<std::size_t> cap;  // as a next link gave it away
};

// What was learnt about one entity set while it was read.
struct EntityFacts {
  std::array<PageFacts, 2> pages;  // of scans, of whole rows: a server may cap the dear ones lower
  std::optional<bool> etags;
  LeftOut left_out;
};

// v1 and v2 live side by side and take the same login, but their answers differ: a mistyped address must not go unnoticed.
std::optional<RemoteError> wrong_version(Dialect dialect, const std::string& root) {
  if (!is_service_layer(dialect)) return std::nullopt;
  const bool speaks_v1 = dialect == Dialect::sap_b1_v1;
  if (!root.ends_with(speaks_v1 ? "/v2" : "/v1")) return std::nullopt;
  return RemoteError{RemoteErrorKind::denied, root + " is version " + (speaks_v1 ? "2" : "1") + " of the Service Layer and this source is set to version " +
                                                  (speaks_v1 ? "1; write kind = \"sap-b1\", or an address that ends in /b1s/v1."
                                                             : "2; write an address that ends in /b1s/v2, or kind = \"sap-b1-v1\".")};
}

// Rights that are missing come as 403, or as SAP's own codes beside other statuses.
bool speaks_of_rights(const ServiceError& error) {
  const std::string message = lower_ascii(error.message);
  return error.code == "-5006" || message.find("permission") != std::string::npos || message.find("not authorized") != std::string::npos ||
         message.find("authorization") != std::string::npos;
}

struct Answer {
  std::vector<RemoteRow> rows;
  bool more_announced = false;
  std::optional<Instant> server_time;
};

// A call that is on its way before its question is asked.
struct AheadCall {
  std::string url;
  Headers headers;
  std::future<outbound::Caller::Outcome> outcome;
};

// A page may be made of several answers: what stood in the first was read earlier than the last one says.
void add_time(Page& page, const std::optional<Instant>& answered) {
  if (!answered) return;
  if (!page.server_time) page.server_time = answered;
  const auto later = std::chrono::ceil<std::chrono::seconds>(*answered - *page.server_time);
  page.server_time_span = std::max(page.server_time_span, later);
}

class ServiceRemote final : public Remote {
 public:
  ServiceRemote(Dialect dialect, ConnectOptions options, outbound::Caller& caller)
      : dialect_(dialect),
        options_(std::move(options)),
        root_(without_end_slash(options_.url)),
        caller_(caller),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
        session_(is_service_layer(dialect) ? make_service_layer_session(options_, caller, clock_) : make_odata_session(options_, caller, clock_)) {}

  Dialect dialect() const override { return dialect_; }
  Remotely<Page> ask(const StreamDescriptor& stream, const PageQuestion& question) override;
  void ask_ahead(const StreamDescriptor& stream, const PageQuestion& question) override;
  void forget_ahead() override { ahead_.reset(); }  // waits until it came
  bool asks_ahead() const override { return on_its_way_; }
  outbound::CallCount cost() const override { return cost_; }
  std::optional<RemoteError> connect() override;
  std::optional<RemoteError> sign_in() override;
  std::vector<Capability> capabilities() const override;
  void log_out() override {
    forget_ahead();
    session_->log_out();
  }
  void insist() override { session_->insist(); }
  outbound::CallerStatus calls() const override { return caller_.status(); }

 private:
  Remotely<Page> ask_page(const StreamDescriptor& stream, PageQuestion question);
  Remotely<Page> fetch(const StreamDescriptor& stream, const PageQuestion& question);
  std::optional<RemoteError> fetch_keys(const StreamDescriptor& stream, std::vector<Key> missing, Page& page);
  bool may_be_cut(const PageFacts& facts, const PageQuestion& question, std::size_t row_count) const;

  Remotely<Answer> ask_once(const StreamDescriptor& stream, const PageQuestion& question);
  Remotely<Answer> ask_url(const StreamDescriptor& stream, const PageQuestion& question, std::string url, std::size_t rows);
  Remotely<Answer> read_answer(const StreamDescriptor& stream, const PageQuestion& question, Reply& reply, std::string_view url);
  std::string url_of(const StreamDescriptor& stream, const PageQuestion& question, LeftOut left_out) const;
  Remotely<Reply> send(const std::string& url, const Headers& headers, CallKind kind);
  std::optional<outbound::Caller::Outcome> take_ahead(const std::string& url, const Headers& headers);
  outbound::Call signed_call(const std::string& url, const Headers& headers) const;
  void note_cost();
  RemoteError error_of(const StreamDescriptor& stream, const Reply& reply, std::string_view url) const;
  void note_stamps(std::span<const RemoteRow> rows, const std::optional<Instant>& server_time);
  EntityFacts& facts_of(const StreamDescriptor& stream) { return facts_[stream.entity_set]; }

  const Dialect dialect_;
  const ConnectOptions options_;
  const std::string root_;
  outbound::Caller& caller_;
  const Clock& clock_;
  const std::unique_ptr<Session> session_;
  std::map<std::string_view, EntityFacts> facts_;  // by entity set: names of the descriptor tables
  std::optional<std::chrono::milliseconds> clock_offset_;  // the server's clock minus ours
  std::optional<std::chrono::seconds> stamp_lead_;         // the furthest that a stamp was ahead of the server's UTC
  outbound::CallCount counted_, cost_;                     // all calls up to the last answer; those of the last answer
  std::atomic<bool> on_its_way_{false};
  std::optional<AheadCall> ahead_;  // last: it ends before what it uses
};

Remotely<Page> ServiceRemote::ask(const StreamDescriptor& stream, const PageQuestion& question) {
  Remotely<Page> answer = question.kind == Kind::fetch ? fetch(stream, question) : ask_page(stream, bounded(question));
  note_cost();
  return answer;
}

void ServiceRemote::note_cost() {
  const outbound::CallCount now = caller_.status().counts.all();
  cost_ = {now.calls - counted_.calls, now.retries - counted_.retries, now.failed - counted_.failed, now.bytes - counted_.bytes,
           now.time - counted_.time};
  counted_ = now;
}

// Only the call itself is made early: what its answer means is decided when it is asked for, with everything that was
// learnt until then.
void ServiceRemote::ask_ahead(const StreamDescriptor& stream, const PageQuestion& question) {
  forget_ahead();
  if (question.kind == Kind::fetch || session_->ready()) return;
  const PageQuestion wanted = bounded(question);
  std::string url = url_of(stream, wanted, facts_of(stream).left_out);
  if (url.empty()) return;
  Headers headers = page_size_headers(dialect_, wanted.rows_max);
  auto made = [this, call = signed_call(url, headers), kind = call_kind(wanted.kind)] {
    auto outcome = caller_.send(call, kind);
    on_its_way_ = false;
    return outcome;
  };
  if (options_.ahead == ConnectOptions::Ahead::at_once) {
    std::promise<outbound::Caller::Outcome> there;
    there.set_value(made());
    ahead_ = AheadCall{std::move(url), std::move(headers), there.get_future()};
    return;
  }
  on_its_way_ = true;
  try {
    ahead_ = AheadCall{std::move(url), std::move(headers), std::async(std::launch::async, std::move(made))};
  } catch (const std::system_error&) {
    on_its_way_ = false;  // no thread to be had: it is asked when its turn comes
  }
}

std::optional<outbound::Caller::Outcome> ServiceRemote::take_ahead(const std::string& url, const Headers& headers) {
  if (!ahead_) return std::nullopt;
  AheadCall ahead = *std::exchange(ahead_, std::nullopt);
  auto outcome = ahead.outcome.get();
  if (ahead.url != url || ahead.headers != headers) return std::nullopt;
  return outcome;
}

// See the table in the header.
bool ServiceRemote::may_be_cut(const PageFacts& facts, const PageQuestion& question, std::size_t row_count) const {
  if (row_count == 0) {
    const bool whole_range = !question.after_key || question.until_key;
    return question.kind == Kind::documents || (question.kind != Kind::changed && whole_range);
  }
  if (row_count < facts.longest || (facts.cap && row_count < *facts.cap)) return false;
  return row_count % round_number == 0 || facts.cap == row_count;
}

Remotely<Page> ServiceRemote::ask_page(const StreamDescriptor& stream, PageQuestion question) {
  Remotely<Answer> first = ask_once(stream, question);
  if (auto* error = std::get_if<RemoteError>(&first)) return std::move(*error);
  Answer& answer = std::get<Answer>(first);
  Page page;
  page.rows = std::move(answer.rows);
  add_time(page, answer.server_time);
  PageFacts& facts = facts_of(stream).pages[is_whole(question.kind)];
  const std::size_t row_count = page.rows.size();
  if (row_count >= question.rows_max) {
    facts.longest = std::max(facts.longest, row_count);
    return page;
  }
  if (row_count > 0 && answer.more_announced) {
    facts.cap = row_count;
    return page;
  }
  const bool sure = !answer.more_announced && !may_be_cut(facts, question, row_count);
  facts.longest = std::max(facts.longest, row_count);
  if (sure) {
    page.complete = true;
    return page;
  }
  if (row_count > 0) question.after_key = page.rows.back().key, question.skip = 0;
  Remotely<Answer> second = ask_once(stream, question);
  if (auto* error = std::get_if<RemoteError>(&second)) return std::move(*error);
  Answer& more = std::get<Answer>(second);
  if (more.rows.empty() && more.more_announced) {
    return RemoteError{RemoteErrorKind::corrupt_page, "The answer for " + std::string(stream.entity_set) +
                                                          " cannot be used: it has no rows but says that more follow; it is asked again."};
  }
  add_time(page, more.server_time);
  page.complete = more.rows.empty();
  if (!page.complete && row_count > 0) facts.cap = row_count;
  std::move(more.rows.begin(), more.rows.end(), std::back_inserter(page.rows));
  return page;
}

Remotely<Page> ServiceRemote::fetch(const StreamDescriptor& stream, const PageQuestion& question) {
  std::vector<Key> keys = question.keys;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Page page;
  page.rows.reserve(keys.size());
  std::span<const Key> rest(keys);
  while (!rest.empty()) {
    const std::size_t count = fetch_url(root_, stream, rest, facts_of(stream).left_out).key_count;
    if (auto error = fetch_keys(stream, {rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count)}, page)) return std::move(*error);
    rest = rest.subspan(count);
  }
  std::sort(page.rows.begin(), page.rows.end(), [](const RemoteRow& left, const RemoteRow& right) { return left.key < right.key; });
  page.complete = true;
  return page;
}

// Keys that one request can hold. What an answer leaves out is asked for again, until an answer brings nothing new: a server
// that caps its pages, or hands out an empty list for a moment, makes nothing disappear.
std::optional<RemoteError> ServiceRemote::fetch_keys(const StreamDescriptor& stream, std::vector<Key> missing, Page& page) {
  bool first = true;
  while (!missing.empty()) {
    PageQuestion question;
    question.kind = Kind::fetch;
    question.keys = missing;
    Remotely<Answer> asked = ask_once(stream, question);
    if (auto* error = std::get_if<RemoteError>(&asked)) return std::move(*error);
    Answer& answer = std::get<Answer>(asked);
    add_time(page, answer.server_time);
    const bool nothing_new = answer.rows.empty();
    for (RemoteRow& row : answer.rows) {
      const auto place = std::lower_bound(missing.begin(), missing.end(), row.key);
      if (place == missing.end() || *place != row.key) {
        return RemoteError{RemoteErrorKind::corrupt_page, "The answer for " + std::string(stream.entity_set) + " cannot be used: " +
                                                              printable(key_text(row.key)) + " was not asked for; it is asked again."};
      }
      missing.erase(place);
      page.rows.push_back(std::move(row));
    }
    if (nothing_new && !first) break;
    first = false;
  }
  return std::nullopt;
}

std::string ServiceRemote::url_of(const StreamDescriptor& stream, const PageQuestion& question, LeftOut left_out) const {
  if (question.kind == Kind::fetch) return fetch_url(root_, stream, question.keys, left_out).url;
  return question_url(dialect_, root_, stream, question, left_out);
}

// Asks; when the question is refused, once more without its optional parts.
Remotely<Answer> ServiceRemote::ask_once(const StreamDescriptor& stream, const PageQuestion& question) {
  EntityFacts& facts = facts_of(stream);
  const std::string url = url_of(stream, question, facts.left_out);
  if (url.empty()) {
    return RemoteError{RemoteErrorKind::refused, std::string(stream.entity_set) + " has no field to answer this question with."};
  }
  const std::size_t rows = question.kind == Kind::fetch ? question.keys.size() : question.rows_max;
  Remotely<Answer> answer = ask_url(stream, question, url, rows);
  const auto* error = std::get_if<RemoteError>(&answer);
  if (error == nullptr || error->kind != RemoteErrorKind::refused || !has_optional_parts(stream, question, facts.left_out)) return answer;
  constexpr LeftOut all{true, true};
  const std::string plain_url = url_of(stream, question, all);
  Remotely<Answer> plain = ask_url(stream, question, plain_url, rows);
  if (std::holds_alternative<Answer>(plain)) {
    log_info("erp_question_simplified", {{"entity_set", std::string(stream.entity_set)}, {"because", error->text}});
    facts.left_out = all;
  }
  return plain;
}

Remotely<Answer> ServiceRemote::ask_url(const StreamDescriptor& stream, const PageQuestion& question, std::string url, std::size_t rows) {
  Remotely<Reply> sent = send(url, page_size_headers(dialect_, rows), call_kind(question.kind));
  if (auto* error = std::get_if<RemoteError>(&sent)) return std::move(*error);
  return read_answer(stream, question, std::get<Reply>(sent), url);
}

Remotely<Answer> ServiceRemote::read_answer(const StreamDescriptor& stream, const PageQuestion& question, Reply& reply, std::string_view url) {
  if (reply.status != 200) return error_of(stream, reply, url);
  const std::string type = lower_ascii(reply.header("Content-Type"));
  if (!type.empty() && type.find("json") == std::string::npos) {
    return RemoteError{RemoteErrorKind::corrupt_page, "The answer for " + std::string(stream.entity_set) + " is '" + printable(type) +
                                                          "' where JSON belongs (a sign-in or error page of a proxy?); nothing of it was taken."};
  }
  Remotely<ReadPage> read = read_page(stream, is_whole(question.kind), reply.body);
  if (auto* error = std::get_if<RemoteError>(&read)) return std::move(*error);
  ReadPage& page = std::get<ReadPage>(read);
  if (auto error = check_rows(stream, question, page.rows)) return std::move(*error);
  Answer answer{std::move(page.rows), page.more_announced, parse_http_date(reply.header("Date"))};
  EntityFacts& facts = facts_of(stream);
  if (!answer.rows.empty() && !is_whole(question.kind)) facts.etags = !answer.rows.front().version.empty();
  if (answer.server_time) clock_offset_ = *answer.server_time - clock_.now();
  note_stamps(answer.rows, answer.server_time);
  return answer;
}

// A stamp cannot lie in the future: how far it is ahead of the server's UTC is the least its zone is ahead.
void ServiceRemote::note_stamps(std::span<const RemoteRow> rows, const std::optional<Instant>& server_time) {
  if (!server_time) return;
  for (const RemoteRow& row : rows) {
    if (!row.stamp) continue;
    const auto local = std::chrono::sys_seconds(std::chrono::days(row.stamp->day)) + std::chrono::seconds(row.stamp->seconds);
    const auto lead = local - std::chrono::floor<std::chrono::seconds>(*server_time);
    if (!stamp_lead_ || lead > *stamp_lead_) stamp_lead_ = lead;
  }
}

// A session that ended is renewed once and the call repeated: every GET can be.
Remotely<Reply> ServiceRemote::send(const std::string& url, const Headers& headers, CallKind kind) {
  std::optional<outbound::Caller::Outcome> ahead = take_ahead(url, headers);
  for (int attempt = 0;; ++attempt) {
    if (!ahead) {
      if (auto error = session_->ready()) return std::move(*error);
    }
    auto outcome = ahead ? *std::exchange(ahead, std::nullopt) : caller_.send(signed_call(url, headers), kind);
    if (outcome.refused_by_us || outcome.reply.failure != outbound::Failure::none) return failure_of(outcome, options_.url);
    session_->learn(outcome.reply);
    if (outcome.reply.status != 401) return std::move(outcome.reply);
    const bool renewable = session_->drop();
    if (attempt > 0 || !renewable) {
      const ServiceError error = read_error(outcome.reply.body);
      RemoteError denied{RemoteErrorKind::denied, host_of(root_) + (renewable ? " refuses us right after signing in" : " refuses the credentials of this source") +
                                                      " (HTTP 401" + (error.code.empty() ? "" : ", code " + error.code) +
                                                      "); check them, and that the user is not locked."};
      denied.credentials = !renewable;
      session_->deny(denied);
      return denied;
    }
    for (auto& [set, facts] : facts_) facts.pages = {};  // maybe a restart, with other limits
  }
}

outbound::Call ServiceRemote::signed_call(const std::string& url, const Headers& headers) const {
  outbound::Call call;
  call.url = url;
  call.headers = headers;
  call.headers.emplace_back("Accept", "application/json");
  call.deadline = options_.deadline;
  session_->sign(call);
  return call;
}

RemoteError ServiceRemote::error_of(const StreamDescriptor& stream, const Reply& reply, std::string_view url) const {
  const ServiceError error = read_error(reply.body);
  const std::string set(stream.entity_set);
  std::string said = "HTTP " + std::to_string(reply.status);
  if (!error.code.empty()) said += ", code " + error.code;
  if (!error.message.empty()) said += ": " + error.message;
  if (reply.status >= 400 && reply.status < 500 && speaks_of_rights(error)) {
    return {RemoteErrorKind::denied, "The user may not read " + set + " (" + said + "); give it the right to, or leave this stream out.", false, true};
  }
  // A list may be empty, but "no such record" about a list is what SAP says to whom may not see the object.
  if (reply.status == 404 && error.code == "-2028") {
    return {RemoteErrorKind::denied, set + " shows no list to this user (" + said + "); give it the right to read " + set + ", or leave this stream out.", false, true};
  }
  switch (reply.status) {
    case 403: return {RemoteErrorKind::denied, "The user may not read " + set + " (" + said + "); give it the right to, or leave this stream out.", false, true};
    case 408:
    case 413:
    case 414:
    case 504: return {RemoteErrorKind::too_slow, set + " took too long or was too much at once (" + said + "); a smaller page is asked for next."};
    case 429: return {RemoteErrorKind::later, "The service asks us to wait (" + said + "); " + set + " is read later."};
    default: break;
  }
  if (reply.status >= 500) return {RemoteErrorKind::later, "The service has a problem of its own (" + said + "); " + set + " is read later."};
  if (reply.status >= 300 && reply.status < 400) {
    return {RemoteErrorKind::denied, "The service sends us elsewhere ('" + printable(reply.header("Location")) + "', " + said +
                                         "); set that address for this source."};
  }
  if (reply.status < 300) return {RemoteErrorKind::corrupt_page, "The answer for " + set + " has no content (" + said + "); it is asked again."};
  log_warning("erp_question_refused", {{"url", std::string(url)}, {"answer", said}});
  if (reply.status == 404) {
    return {RemoteErrorKind::refused, "There is no " + set + " below " + root_ + " (" + said + "); check the address, or leave this stream out."};
  }
  return {RemoteErrorKind::refused, "The service does not understand a question for " + set + " (" + said + "); it is not asked again."};
}

std::optional<RemoteError> ServiceRemote::sign_in() {
  if (!root_.starts_with("http://") && !root_.starts_with("https://")) {
    return RemoteError{RemoteErrorKind::denied, "'" + printable(root_) + "' is no address of a service; it starts with https:// or http://."};
  }
  if (auto error = wrong_version(dialect_, root_)) return error;
  forget_ahead();
  session_->allow_again();
  auto error = session_->ready();
  note_cost();
  return error;
}

// Signs in, then reads one key of the orders: what a wrong address, company, password or right would break.
std::optional<RemoteError> ServiceRemote::connect() {
  if (auto error = sign_in()) return error;
  const StreamDescriptor* orders = find_stream(dialect_, word(StreamName::orders));
  PageQuestion question;
  question.kind = Kind::slice;
  question.rows_max = 1;
  Remotely<Answer> answer = ask_once(*orders, question);
  note_cost();
  auto* error = std::get_if<RemoteError>(&answer);
  if (error == nullptr) return std::nullopt;
  if (error->kind == RemoteErrorKind::refused) error->kind = RemoteErrorKind::denied;  // nothing can be read there
  return std::move(*error);
}

std::vector<Remote::Capability> ServiceRemote::capabilities() const {
  std::vector<Capability> list = session_->facts();
  const StreamDescriptor* orders = find_stream(dialect_, word(StreamName::orders));
  list.push_back({"lines", orders->lines == Lines::expand ? "expand" : "inline"});
  for (const auto& [name, facts] : facts_) {
    const std::string set(name);
    for (const bool whole : {false, true}) {
      if (facts.pages[whole].cap) list.push_back({(whole ? "page_cap.whole." : "page_cap.keys.") + set, std::to_string(*facts.pages[whole].cap)});
    }
    const std::size_t longest = std::max(facts.pages[0].longest, facts.pages[1].longest);
    if (longest > 0) list.push_back({"page_proven." + set, std::to_string(longest)});
    if (facts.etags) list.push_back({"etags_in_scans." + set, *facts.etags ? "yes" : "no"});
    if (facts.left_out.select || facts.left_out.created) list.push_back({"optional_parts." + set, "refused"});
  }
  if (clock_offset_) list.push_back({"server_clock_offset_ms", std::to_string(clock_offset_->count())});
  if (stamp_lead_) {
    constexpr std::chrono::minutes quarter{15};
    const auto quarters = std::chrono::round<std::chrono::minutes>(*stamp_lead_) / quarter;
    const bool ahead = *stamp_lead_ > std::chrono::minutes{7};
    list.push_back({"stamp_zone", ahead ? "at least UTC+" + std::to_string(quarters * quarter.count()) + " minutes" : "no stamp is ahead of UTC so far"});
  }
  return list;
}

}  // namespace

std::unique_ptr<Remote> make_service_remote(Dialect dialect, ConnectOptions options, outbound::Caller& caller) {
  return std::make_unique<ServiceRemote>(dialect, std::move(options), caller);
}

std::optional<Instant> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = -1;
    std::from_chars(text.data() + from, text.data() + from + count, value);
    return value;
  };
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const int day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (month == months.end() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  const Day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month - months.begin() + 1)}, std::chrono::day{static_cast<unsigned>(std::max(day, 0))}};
  if (!date.ok() || year < 1970) return std::nullopt;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

}  // namespace millrace::erp
