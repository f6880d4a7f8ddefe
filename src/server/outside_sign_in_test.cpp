// The way to the company's provider and back, as a browser goes it. That tokens are proven is shown in people/oidc_test.cpp.
#include <doctest/doctest.h>

#include "server/test_people.h"

namespace millrace::server {

namespace {

constexpr std::string_view description =
    R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/enter","token_endpoint":"https://id.example/token",)"
    R"("jwks_uri":"https://id.example/keys","response_types_supported":["code"],"id_token_signing_alg_values_supported":["RS256"],"code_challenge_methods_supported":["S256"]})";

std::unique_ptr<people::Oidc> provider(const Clock& clock, bool answers) {
  people::OidcOptions options;
  options.issuer = "https://id.example";
  options.client_id = "millrace";
  options.redirect_uri = "https://plant.example/api/v1/sign-in/oidc/back";
  auto made = people::Oidc::make(
      options,
      [answers](const people::ProviderCall& call) -> Result<people::ProviderAnswer> {
        if (!answers) return fail(ErrorCode::unavailable, "nobody answers");
        return call.method == "GET" ? people::ProviderAnswer{200, std::string(description)} : people::ProviderAnswer{400, R"({"error":"invalid_grant"})"};
      },
      clock);
  REQUIRE_MESSAGE(made, made.error().text());
  return std::move(*made);
}

}  // namespace

TEST_CASE("The browser goes to the company's provider, with what only it brings back") {
  const TestClock clock;
  const auto oidc = provider(clock, true);
  GuardedPlant plant({}, oidc.get());
  CHECK(plant.get("/api/v1/me").body.find("\"outside\":true") != std::string::npos);
  const auto begun = plant.get("/api/v1/sign-in/oidc?return_to=/orders");
  CHECK(begun.status == 303);
  const std::string place = begun.header("location");
  CHECK(place.starts_with("https://id.example/enter?"));
  for (const std::string_view part : {"client_id=millrace", "code_challenge=", "code_challenge_method=S256", "state=", "nonce=", "response_type=code"})
    CHECK_MESSAGE(place.find(part) != std::string::npos, part);
  const std::string cookie = begun.header("set-cookie");
  for (const std::string_view part : {"millrace_outside=", "HttpOnly", "SameSite=Lax", "Path=/api/v1/sign-in/oidc"}) CHECK_MESSAGE(cookie.find(part) != std::string::npos, part);
}

TEST_CASE("Whoever comes back with another's state, or a code that the provider does not know, is not let in") {
  const TestClock clock;
  const auto oidc = provider(clock, true);
  GuardedPlant plant({}, oidc.get());
  const auto begun = plant.get("/api/v1/sign-in/oidc?return_to=//evil.example");
  const std::string cookie = "Cookie: millrace_outside=" + GuardedPlant::between(begun.header("set-cookie"), "millrace_outside=", ";") + "\r\n";
  const std::string state = GuardedPlant::between(begun.header("location") + "&", "state=", "&");
  const auto refused = [&](const std::string& target, const std::string& headers) {
    const auto answer = plant.get(target, headers);
    CHECK(answer.status == 303);
    CHECK_MESSAGE(answer.header("location").starts_with("/sign-in?outside="), answer.header("location"));
    CHECK(answer.header("set-cookie").empty());
  };
  refused("/api/v1/sign-in/oidc/back?state=" + state + "&code=c", "");
  refused("/api/v1/sign-in/oidc/back?state=other&code=c", cookie);
  refused("/api/v1/sign-in/oidc/back?state=" + state + "&code=c", cookie);
  refused("/api/v1/sign-in/oidc/back?error=access_denied&state=" + state, cookie);
}

TEST_CASE("A provider that does not answer is said on the page of the door; without one there is no such way") {
  const TestClock clock;
  const auto oidc = provider(clock, false);
  GuardedPlant plant({}, oidc.get());
  CHECK(plant.get("/api/v1/sign-in/oidc").header("location") == "/sign-in?outside=unavailable");
  GuardedPlant without;
  CHECK(without.get("/api/v1/sign-in/oidc").status == 404);
  CHECK(without.get("/api/v1/me").body.find("\"outside\":false") != std::string::npos);
}

}  // namespace millrace::server
