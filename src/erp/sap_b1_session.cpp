// The Service Layer's session: Login, two cookies, Logout.
#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "erp/page.h"
#include "erp/session.h"
#include "erp/sign_in_refusals.h"

namespace millrace::erp {
namespace {

constexpr std::string_view session_cookie = "B1SESSION";
constexpr std::string_view dead_session_code = "301";
constexpr std::string_view unknown_company_code = "-304";  // "Fail to get DB Credentials from SLD" (unverified)
constexpr std::uint64_t login_answer_max = 1u << 20;
constexpr std::chrono::minutes session_idle_default{30};  // SessionTimeout as installed
constexpr std::chrono::minutes session_idle_max{24 * 60};
// Sessions that may live on without us are a load to the ERP; one answer lost on the way must not stop a source for half an hour.
constexpr std::size_t lost_sessions_max = 3;

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

std::string said(const outbound::Reply& reply, const ServiceError& error) {
  std::string text = "HTTP " + std::to_string(reply.status);
  if (!error.code.empty()) text += ", code " + error.code;
  if (!error.message.empty()) text += ": " + error.message;
  return text;
}

bool speaks_of_company(const ServiceError& error) {
  const std::string message = lower_ascii(error.message);
  return error.code == unknown_company_code || message.find("company") != std::string::npos || message.find("database") != std::string::npos;
}

class ServiceLayerSession final : public Session {
 public:
  ServiceLayerSession(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock)
      : options_(options), caller_(caller), clock_(clock), root_(without_end_slash(options.url)) {}

  std::optional<RemoteError> ready() override {
    if (refusals_.standing()) return refusals_.standing();
    if (has_session()) return std::nullopt;
    std::erase_if(lost_until_, [now = clock_.now()](Instant until) { return until <= now; });
    if (lost_until_.size() >= lost_sessions_max) return lost_login_;
    return log_in();
  }

  void sign(outbound::Call& call) const override {
    std::string cookies;
    for (const auto& [name, value] : cookies_) {
      if (!cookies.empty()) cookies += "; ";
      cookies += name + "=" + value;
    }
    if (!cookies.empty()) call.headers.emplace_back("Cookie", std::move(cookies));
  }

  // SAP writes "B1SESSION=<id>;HttpOnly;" without a path, which strict cookie parsers drop: name=value up to the first ';'.
  void learn(const outbound::Reply& reply) override {
    for (const std::string_view line : reply.all("Set-Cookie")) {
      const std::string_view pair = line.substr(0, line.find(';'));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      keep(std::string(trim(pair.substr(0, equals))), std::string(trim(pair.substr(equals + 1))));
    }
  }

  bool drop() override {
    cookies_.clear();
    ++sessions_lost_;
    return true;
  }
  void deny(RemoteError why) override { refusals_.session_refused(std::move(why)); }
  void allow_again() override { refusals_.allow_again(clock_.now()); }
  void insist() override { lost_until_.clear(); }

  void log_out() override {
    if (!has_session()) return;
    outbound::Call call = post("/Logout");
    sign(call);
    cookies_.clear();
    const auto outcome = caller_.send(call, outbound::CallKind::login, false);
    if (outcome.refused_by_us || outcome.reply.failure != outbound::Failure::none || outcome.reply.status >= 300) {
      // It ends by itself when it was idle for SessionTimeout minutes; until then it holds a licence.
      log_warning("erp_logout_failed", {{"service", host_of(root_)}, {"status", std::to_string(outcome.reply.status)}});
    }
  }

  std::vector<Remote::Capability> facts() const override {
    std::vector<Remote::Capability> facts;
    if (!version_.empty()) facts.push_back({"version", version_});
    if (!idle_minutes_.empty()) facts.push_back({"session_idle_minutes", idle_minutes_});
    facts.push_back({"logins", std::to_string(logins_)});
    facts.push_back({"sessions_lost", std::to_string(sessions_lost_)});
    return facts;
  }

 private:
  bool has_session() const {
    return std::any_of(cookies_.begin(), cookies_.end(), [](const auto& cookie) { return cookie.first == session_cookie; });
  }

  void keep(std::string name, std::string value) {
    if (name.empty()) return;
    constexpr std::size_t cookies_max = 16, bytes_max = 4096;
    const auto known = std::find_if(cookies_.begin(), cookies_.end(), [&](const auto& cookie) { return cookie.first == name; });
    if (value.empty()) {
      if (known != cookies_.end()) cookies_.erase(known);
    } else if (value.size() > bytes_max) {
      return;
    } else if (known != cookies_.end()) {
      known->second = std::move(value);  // the balancer moved us to another node
    } else if (cookies_.size() < cookies_max) {
      cookies_.emplace_back(std::move(name), std::move(value));
    }
  }

  outbound::Call post(std::string_view route) const {
    outbound::Call call;
    call.method = "POST";
    call.url = root_ + std::string(route);
    call.headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}};
    call.deadline = options_.deadline;
    call.body_max = login_answer_max;
    return call;
  }

  std::optional<RemoteError> log_in() {
    outbound::Call call = post("/Login");
    JsonWriter json(call.body);
    json.begin_object().field("CompanyDB", options_.company).field("UserName", options_.user).field("Password", options_.password).end_object();
    const auto outcome = caller_.send(call, outbound::CallKind::login, false);
    const outbound::Reply& reply = outcome.reply;
    if (outcome.refused_by_us || reply.failure != outbound::Failure::none) return login_lost(outcome);
    if (reply.status >= 500 || reply.status == 408 || reply.status == 429) {
      return RemoteError{RemoteErrorKind::later, "The login at " + host_of(root_) + " was answered with HTTP " + std::to_string(reply.status) +
                                                     "; it is tried again later."};
    }
    if (reply.status != 200) {
      RemoteError refused = login_refused(reply);
      if (refused.credentials) refusals_.refused(refused, clock_.now());
      return refused;
    }
    learn(reply);
    const std::string id = json_text(reply.body, "SessionId");
    if (!has_session() && !id.empty()) keep(std::string(session_cookie), id);
    if (!has_session())
      return RemoteError{RemoteErrorKind::denied, root_ + " answers, but not like a Service Layer (no session came back from Login); check the address."};
    refusals_.signed_in();
    version_ = json_text(reply.body, "Version");
    idle_minutes_ = json_text(reply.body, "SessionTimeout");
    ++logins_;
    return std::nullopt;
  }

  // A login whose answer never came may have gone through, and then its session lives on without us.
  RemoteError login_lost(const outbound::Caller::Outcome& outcome) {
    RemoteError error = failure_of(outcome, root_, true);
    using outbound::Failure;
    const Failure failure = outcome.reply.failure;
    if (failure != Failure::timeout && failure != Failure::reset && failure != Failure::too_large) return error;
    lost_until_.push_back(clock_.now() + idle_time());
    if (lost_until_.size() < lost_sessions_max) return error;
    error.text += " " + std::to_string(lost_sessions_max) + " logins may have gone through all the same: the next one is sent when the first of their sessions has ended, at " +
                  utc_seconds(lost_until_.front()) + " UTC, or at once when a person asks for a sync.";
    lost_login_ = error;
    return error;
  }

  // How long a session lives without a call, as the other side said last.
  std::chrono::minutes idle_time() const {
    int minutes = 0;
    const auto read = std::from_chars(idle_minutes_.data(), idle_minutes_.data() + idle_minutes_.size(), minutes);
    if (idle_minutes_.empty() || read.ec != std::errc() || minutes <= 0) return session_idle_default;
    return std::min<std::chrono::minutes>(std::chrono::minutes(minutes), session_idle_max);
  }

  RemoteError login_refused(const outbound::Reply& reply) const {
    const ServiceError error = read_error(reply.body);
    const auto denied = [&](const std::string& what) { return RemoteError{RemoteErrorKind::denied, what + " (" + said(reply, error) + ")."}; };
    // Apache's word to whoever speaks plainly to a port with TLS.
    if (reply.status == 400 && root_.starts_with("http://") && error.code.empty())
      return denied(host_of(root_) + " does not understand plain HTTP at this port; write https:// in the url of this source");
    if (reply.status >= 300 && reply.status < 400) {
      return denied(root_ + " sends us elsewhere ('" + printable(reply.header("Location")) + "'); set that address for this source");
    }
    // A path that differs in case is answered like a dead session, or as not found.
    if (reply.status == 404 || error.code == dead_session_code) {
      return denied("There is no Login below " + root_ + "; the address ends in /b1s/v1 or /b1s/v2, in small letters");
    }
    if (reply.status == 403) return denied("User " + quoted(options_.user) + " may not use the Service Layer; give it a licence and the right");
    RemoteError refused = speaks_of_company(error)
                              ? denied("The company " + quoted(options_.company) + " is not known there; write the name of its database as the server has it")
                              : denied("The login of user " + quoted(options_.user) + " to company " + quoted(options_.company) +
                                       " was refused; correct user, password or company, and do not try often: SAP locks users");
    refused.credentials = true;
    return refused;
  }

  const ConnectOptions& options_;
  outbound::Caller& caller_;
  const Clock& clock_;
  const std::string root_;
  std::vector<std::pair<std::string, std::string>> cookies_;
  SignInRefusals refusals_;
  std::vector<Instant> lost_until_;  // logins whose answers were lost: their sessions may live until then, oldest first
  RemoteError lost_login_;
  std::string version_, idle_minutes_;
  std::uint64_t logins_ = 0;
  std::uint64_t sessions_lost_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_service_layer_session(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock) {
  return std::make_unique<ServiceLayerSession>(options, caller, clock);
}

}  // namespace millrace::erp
