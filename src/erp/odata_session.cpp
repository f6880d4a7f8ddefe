// What generic OData services want: a bearer token, a name and password, or OAuth2 client credentials.
#include <charconv>

#include "base/log.h"
#include "base/text.h"
#include "erp/odata_url.h"
#include "erp/page.h"
#include "erp/session.h"
#include "erp/sign_in_refusals.h"

namespace millrace::erp {
namespace {

constexpr std::uint64_t token_answer_max = 1u << 20;
constexpr std::chrono::seconds token_spare{60};  // a token is renewed this long before it ends

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) : 0u; };
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += digits[group >> 18];
    out += digits[group >> 12 & 63];
    out += i + 1 < bytes.size() ? digits[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? digits[group & 63] : '=';
  }
  return out;
}

std::string form_field(std::string_view name, std::string_view value) {
  std::string encoded = percent_encoded(value);
  std::string strict;
  for (const char c : encoded) {  // a form escapes more than the query of an address
    static constexpr std::string_view kept_in_queries = "'(),:$*";
    static constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    if (kept_in_queries.find(c) == std::string_view::npos) {
      strict += c;
    } else {
      strict += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return std::string(name) + "=" + strict;
}

class ODataSession final : public Session {
 public:
  ODataSession(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock)
      : options_(options), caller_(caller), clock_(clock) {
    if (!options.bearer.empty()) {
      authorization_ = "Bearer " + options.bearer;
    } else if (!uses_oauth() && !options.user.empty()) {
      authorization_ = "Basic " + base64(options.user + ":" + options.password);
    }
  }

  std::optional<RemoteError> ready() override {
    if (refusals_.standing()) return refusals_.standing();
    const bool token_is_good = !authorization_.empty() && clock_.now() + token_spare < token_until_;
    if (!uses_oauth() || token_is_good) return std::nullopt;
    return fetch_token();
  }

  void sign(outbound::Call& call) const override {
    if (!authorization_.empty()) call.headers.emplace_back("Authorization", authorization_);
  }
  void learn(const outbound::Reply& reply) override {
    if (reply.status < 400) refusals_.signed_in();
  }
  bool drop() override {
    if (uses_oauth()) authorization_.clear();
    return uses_oauth();
  }
  void deny(RemoteError why) override {
    if (why.credentials) refusals_.refused(std::move(why), clock_.now());
    else refusals_.session_refused(std::move(why));
  }
  void allow_again() override { refusals_.allow_again(clock_.now()); }
  void log_out() override { (void)drop(); }

  std::vector<Remote::Capability> facts() const override {
    const bool bearer = authorization_.starts_with("Bearer");
    std::vector<Remote::Capability> facts{{"sign_in", uses_oauth() ? "oauth2 client credentials" : bearer ? "bearer token" : authorization_.empty() ? "none" : "basic"}};
    if (uses_oauth()) facts.push_back({"tokens_fetched", std::to_string(tokens_)});
    return facts;
  }

 private:
  bool uses_oauth() const { return options_.bearer.empty() && !options_.oauth_token_url.empty(); }

  std::optional<RemoteError> fetch_token() {
    outbound::Call call;
    call.method = "POST";
    call.url = options_.oauth_token_url;
    call.headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}};
    call.deadline = options_.deadline;
    call.body_max = token_answer_max;
    call.body = form_field("grant_type", "client_credentials") + "&" + form_field("client_id", options_.oauth_client) + "&" +
                form_field("client_secret", options_.oauth_secret);
    if (!options_.oauth_scope.empty()) call.body += "&" + form_field("scope", options_.oauth_scope);
    const auto outcome = caller_.send(call, outbound::CallKind::login);
    const outbound::Reply& reply = outcome.reply;
    if (outcome.refused_by_us || reply.failure != outbound::Failure::none) return failure_of(outcome, options_.oauth_token_url, true);
    if (reply.status >= 500 || reply.status == 408 || reply.status == 429) {
      return RemoteError{RemoteErrorKind::later, host_of(call.url) + " answered HTTP " + std::to_string(reply.status) +
                                                     " when a token was asked for; it is tried again later."};
    }
    const std::string token = reply.status == 200 ? json_text(reply.body, "access_token") : std::string();
    if (token.empty()) {
      const std::string why = json_text(reply.body, "error");
      RemoteError denied{RemoteErrorKind::denied, host_of(call.url) + " gave no token (HTTP " + std::to_string(reply.status) +
                                                         (why.empty() ? "" : ", " + printable(why.substr(0, 120))) +
                                                         "); check oauth_token_url, client, secret and scope of this source."};
      denied.credentials = true;
      refusals_.refused(denied, clock_.now());
      return denied;
    }
    refusals_.signed_in();
    authorization_ = "Bearer " + token;
    token_until_ = clock_.now() + lifetime(json_text(reply.body, "expires_in"));
    ++tokens_;
    return std::nullopt;
  }

  // Seconds, as number or text; an hour when it is not said. A 401 renews the token anyway.
  static std::chrono::seconds lifetime(std::string_view text) {
    int seconds = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || result.ec != std::errc() || seconds <= 0) return std::chrono::hours{1};
    return std::chrono::seconds{seconds};
  }

  const ConnectOptions& options_;
  outbound::Caller& caller_;
  const Clock& clock_;
  std::string authorization_;
  Instant token_until_{};
  SignInRefusals refusals_;
  std::uint64_t tokens_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_odata_session(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock) {
  return std::make_unique<ODataSession>(options, caller, clock);
}

}  // namespace millrace::erp
