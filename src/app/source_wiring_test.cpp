#include "app/source_wiring.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "testing/temporary_folder.h"

namespace millrace::app {
namespace {

class Secrets {
 public:
  std::string file(const std::string& name, const std::string& text) const {
    folder_.write(name, text);
    REQUIRE(::chmod((folder_ / name).c_str(), 0600) == 0);
    return folder_ / name;
  }

 private:
  testing::TemporaryFolder folder_;
};

SourceSettings sap(const std::string& password_file) {
  SourceSettings source;
  source.id = "sap";
  source.kind = SourceKind::sap_b1_v1;
  source.url = "https://sap.example:50000/b1s/v1";
  source.company = "C";
  source.user = "u";
  source.password_file = password_file;
  source.interval = std::chrono::seconds(60);
  source.overlap = std::chrono::minutes(30);
  source.calls_per_hour = 600;
  source.quiet_from_hour = 22;
  source.quiet_until_hour = 6;
  source.gone_share = 0.01;
  source.pin = "sha256//abc";
  source.streams = {"orders"};
  return source;
}

TEST_CASE("the settings of a source become the options of its service") {
  const Secrets secrets;
  const auto options = service_options(sap(secrets.file("password", "pw\n")), {});
  REQUIRE_MESSAGE(options, options.error().text());
  CHECK(options->dialect == erp::Dialect::sap_b1_v1);
  CHECK(options->connect.password == "pw");
  CHECK(options->connect.company == "C");
  CHECK(options->http.tls.pin_sha256 == "sha256//abc");
  CHECK(options->care.calls_per_hour == 600);
  CHECK(options->care.quiet_from_hour == 22);
  CHECK(options->guard.gone_share_max == doctest::Approx(0.01));
  CHECK(options->interval == std::chrono::seconds(60));
  CHECK(options->overlap == std::chrono::minutes(30));
  CHECK(options->streams == std::vector<std::string>{"orders"});
}

TEST_CASE("a secret that cannot be read names its source and the fix") {
  const auto options = service_options(sap("/nowhere/password"), {});
  REQUIRE_FALSE(options);
  CHECK(options.error().code() == ErrorCode::invalid_input);
  CHECK(options.error().text().find("source sap") != std::string::npos);
  CHECK(options.error().text().find("/nowhere/password") != std::string::npos);
}

TEST_CASE("a time zone that does not exist is refused with its source") {
  const Secrets secrets;
  SourceSettings source = sap(secrets.file("password", "pw\n"));
  source.time_zone = "Europe/Berlim";
  const auto options = service_options(source, {});
  REQUIRE_FALSE(options);
  CHECK(options.error().code() == ErrorCode::invalid_input);
  CHECK(options.error().text().find("source sap") != std::string::npos);
  CHECK(options.error().text().find("Europe/Berlim") != std::string::npos);
}

TEST_CASE("only sources with a readable key take webhooks") {
  const Secrets secrets;
  SourceSettings with = sap("/x"), without = sap("/x"), wrong = sap("/x");
  with.webhook_secret_file = secrets.file("hook", "k\n");
  without.id = "bc";
  wrong.id = "old";
  wrong.webhook_secret_file = "/nowhere/hook";
  WebhookKeys keys({with, without, wrong}, {});
  CHECK(keys.of("sap") == "k");
  CHECK(keys.of("bc") == std::nullopt);
  CHECK(keys.of("old") == std::nullopt);
  secrets.file("hook", "another\n");
  CHECK(keys.of("sap") == "another");
}

TEST_CASE("the streams that settings may name are those that services have") {
  const auto rows = source_setting_rows();
  const auto row = std::ranges::find(rows, std::string_view("streams"), &SettingRow::name);
  REQUIRE(row != rows.end());
  const auto choices = split(row->choices, '|');
  CHECK(choices.size() == erp::stream_count);
  for (const auto& stream : erp::streams_of(erp::Dialect::sap_b1_v2)) CHECK(std::ranges::count(choices, word(stream.name)) == 1);
}

TEST_CASE("an ERP counts as one, a source whose batches are pushed does not") {
  SourceSettings pushed;
  pushed.id = "shop";
  pushed.kind = SourceKind::push;
  const Environment environment;
  const ingest::ParserPoolOptions parsers;
  ingest::PushDesk desk;
  metrics::Registry metrics;
  const SystemClock clock;
  const auto services = wire_sources({sap("/x"), pushed}, {environment, parsers, desk, metrics, clock, {}});
  REQUIRE(services.size() == 2);
  CHECK(services[0].is_erp);
  CHECK_FALSE(services[1].is_erp);
}

TEST_CASE("the book is restored with every source of the settings") {
  Settings settings;
  settings.orders = {"/srv/share/Orders 2026"};
  settings.sources = {sap("/x")};
  CHECK(source_ids(settings) == std::vector<std::string>{"orders-2026", "sap"});
  CHECK(find_source(settings, "sap").value().id == "sap");
  const auto none = find_source(settings, "mail");
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == ErrorCode::not_found);
  CHECK(none.error().text().find("there is: sap") != std::string::npos);
}

}  // namespace
}  // namespace millrace::app
