#include "app/source_settings.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "app/settings.h"
#include "testing/temporary_folder.h"

namespace millrace::app {
namespace {

class Folder {
 public:
  std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    folder_.write(name, text);
    REQUIRE(::chmod((folder_ / name).c_str(), mode) == 0);
    return folder_ / name;
  }
  std::string path() const { return folder_.path(); }

 private:
  testing::TemporaryFolder folder_;
};

constexpr const char* sap_table =
    "[source.sap]\nkind = \"sap-b1\"\nurl = \"https://sap.example:50000/b1s/v2\"\ncompany = \"NORDWERK\"\n"
    "user = \"millrace\"\npassword_file = \"/etc/millrace/sap.password\"\n";

Result<ResolvedSettings> with(const Folder& folder, const std::string& text, Environment environment = {}) {
  SettingsSources sources;
  sources.system_file = "";
  sources.environment = std::move(environment);
  sources.environment.emplace_back("HOME", "/nowhere");
  sources.config_file = folder.file("millrace.toml", text);
  return resolve_settings(sources);
}

std::string refused(const std::string& text, Environment environment = {}) {
  const Folder folder;
  const auto settings = with(folder, text, std::move(environment));
  REQUIRE_FALSE(settings);
  CHECK(settings.error().code() == ErrorCode::invalid_input);
  return settings.error().text();
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("a source needs a table with its address and its company; everything else has a default") {
  const Folder folder;
  const auto settings = with(folder, "company = \"Nordwerk\"\n" + std::string(sap_table) + "[source.shop]\nkind = \"push\"\n");
  REQUIRE_MESSAGE(settings, settings.error().text());
  REQUIRE(settings->values.sources.size() == 2);
  const SourceSettings& sap = settings->values.sources[0];
  CHECK(sap.id == "sap");
  CHECK(sap.kind == SourceKind::sap_b1);
  CHECK(sap.url == "https://sap.example:50000/b1s/v2");
  CHECK(sap.interval == std::chrono::minutes(5));
  CHECK(sap.sync_timeout == std::chrono::seconds(180));
  CHECK(sap.overlap == std::chrono::hours(2));
  CHECK(sap.gone_share == doctest::Approx(0.02));
  CHECK(sap.total_share == doctest::Approx(0.20));
  CHECK(settings->values.sources[1].kind == SourceKind::push);
  CHECK(settings->values.company == "Nordwerk");
}

TEST_CASE("every value of a source is read as it is meant") {
  const Folder folder;
  const auto settings =
      with(folder, std::string(sap_table) +
                       "interval = \"10s\"\ninterval_max = \"1h\"\nfirst_sync_days = 90\nrecent_days = 3\noverlap = \"30m\"\n"
                       "calls_per_hour = 600\nquiet_hours = \"22-06\"\nquiet_calls_per_hour = 60\ngone_share = \"0.5%\"\n"
                       "closed_share = \"10%\"\nstreams = [\"orders\", \"items\"]\ninsecure = true\nslice_keys = 500\ntime_zone = \"Europe/Berlin\"\n");
  REQUIRE_MESSAGE(settings, settings.error().text());
  const SourceSettings& sap = settings->values.sources.at(0);
  CHECK(sap.interval == std::chrono::seconds(10));
  CHECK(sap.first_sync_days == 90);
  CHECK(sap.overlap == std::chrono::minutes(30));
  CHECK(sap.quiet_from_hour == 22);
  CHECK(sap.quiet_until_hour == 6);
  CHECK(sap.gone_share == doctest::Approx(0.005));
  CHECK(sap.streams == std::vector<std::string>{"orders", "items"});
  CHECK(sap.insecure);
  CHECK(sap.time_zone == "Europe/Berlin");
}

TEST_CASE("where each value of a source came from is shown, and no secret can be") {
  const Folder folder;
  const auto settings = with(folder, sap_table, {{"MILLRACE_SOURCE_SAP_INTERVAL", "1m"}});
  REQUIRE_MESSAGE(settings, settings.error().text());
  std::size_t found = 0;
  for (const SettingOrigin& origin : settings->origins) {
    if (!origin.name.starts_with("source.")) continue;
    CHECK(origin.row != nullptr);
    if (origin.name == "source.sap.url") found += origin.origin == folder.path() + "/millrace.toml:3";
    if (origin.name == "source.sap.interval") found += origin.origin == "environment MILLRACE_SOURCE_SAP_INTERVAL";
    if (origin.name == "source.sap.recent_days") found += origin.is_default && origin.values == std::vector<std::string>{"5"};
    CHECK(origin.name != "source.sap.push_token_file");
  }
  CHECK(found == 3);
  for (const SettingRow& row : source_setting_rows()) {
    CHECK_FALSE(row.help.empty());
    for (const std::string_view secret : {"password", "token", "secret"}) CHECK(row.name != secret);
  }
}

TEST_CASE("a source may stand in the environment alone") {
  const Folder folder;
  const auto settings = with(folder, "", {{"MILLRACE_SOURCE_WEB_SHOP_KIND", "push"}, {"MILLRACE_SOURCE_WEB_SHOP_GONE_SHARE", "5%"}});
  REQUIRE_MESSAGE(settings, settings.error().text());
  REQUIRE(settings->values.sources.size() == 1);
  CHECK(settings->values.sources[0].id == "web-shop");
  CHECK(settings->values.sources[0].gone_share == doctest::Approx(0.05));
  CHECK(contains(refused("", {{"MILLRACE_SOURCE_SAP_INTERVALL", "5m"}}), "did you mean interval?"));
}

TEST_CASE("what is wrong with a source is said in one sentence with its place") {
  const std::string sap = sap_table;
  CHECK(contains(refused(sap + "intervall = \"5m\"\n"), "millrace.toml:7: there is no setting of a source \"intervall\"; did you mean interval?"));
  CHECK(contains(refused(sap + "password = \"x\"\n"), "secrets do not stand in settings"));
  CHECK(contains(refused(sap + "interval = \"1s\"\n"), "source.sap.interval: \"1s\" is out of bounds: 10 s to 3600 s"));
  CHECK(contains(refused(sap + "gone_share = \"101%\"\n"), "0% to 100%"));
  CHECK(contains(refused(sap + "gone_share = \"0.02\"\n"), "a share such as 2%"));
  CHECK(contains(refused(sap + "quiet_hours = \"night\"\n"), "write it as 22-06"));
  CHECK(contains(refused(sap + "streams = [\"order\"]\n"), "did you mean orders?"));
  CHECK(contains(refused(sap + "push_token_file = \"/x\"\n"), "a source of kind sap-b1 has no push_token_file"));
  CHECK(contains(refused("[source.sap]\nurl = \"https://x/\"\n"), "source sap has no kind"));
  CHECK(contains(refused("[source.sap]\nkind = \"sap-b2\"\n"), "did you mean sap-b1?"));
  CHECK(contains(refused("[source.sap]\nkind = \"sap-b1\"\n"), "source sap has no url"));
  CHECK(contains(refused("[source.bc]\nkind = \"odata\"\nurl = \"ftp://x\"\n"), "is no address of a service"));
  CHECK(contains(refused("[source.bc]\nkind = \"odata\"\nurl = \"https://me:pw@x/\"\n"), "holds no user or password"));
  CHECK(contains(refused("[source.SAP]\nkind = \"push\"\n"), "cannot name a source"));
  CHECK(contains(refused("source = 3\n"), "write [source.NAME]"));
  CHECK(contains(refused(sap + "interval = \"10m\"\ninterval_max = \"5m\"\n"), "interval_max is shorter than interval"));
}

TEST_CASE("a secret is read from a file that not everybody can read") {
  const Folder folder;
  CHECK(read_secret(folder.file("good", "s3cret pass\n"), {}).value() == "s3cret pass");
  CHECK(read_secret("good", {{"CREDENTIALS_DIRECTORY", folder.path()}}).value() == "s3cret pass");
  const auto wrong = [&](const std::string& path) {
    const auto read = read_secret(path, {});
    REQUIRE_FALSE(read);
    CHECK_FALSE(contains(read.error().text(), "s3cret"));
    return read.error().text();
  };
  CHECK(contains(wrong(folder.file("open", "s3cret", 0644)), "chmod 600"));
  CHECK(contains(wrong(folder.file("empty", "\n")), "is empty"));
  CHECK(contains(wrong(folder.file("long", std::string(5000, 'x'))), "longer than 4 KiB"));
  CHECK(contains(wrong(folder.path() + "/none"), "cannot be read"));
  CHECK(contains(wrong(folder.path()), "not a regular file"));
}

}  // namespace
}  // namespace millrace::app
