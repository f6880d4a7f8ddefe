// The settings of sources that are no folders, said once: one table of rows for the tables `[source.NAME]` of a settings
// file, the variables MILLRACE_SOURCE_<NAME>_<KEY> and `millrace config show`.
//
//   [source.sap]
//   kind = "sap-b1"
//   url = "https://sap:50000/b1s/v2"
//
// Invariants
//   * Secrets are names of files, never values: no row holds one, so no listing can show one.
//   * What a kind of source needs and what it does not know is checked here, with the place of the value.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::app {

struct SettingRow;
struct SettingOrigin;
using Environment = std::vector<std::pair<std::string, std::string>>;

enum class SourceKind : std::uint8_t { sap_b1, sap_b1_v1, odata, push };
std::string_view word(SourceKind kind);  // "sap-b1": as in settings
inline bool is_service(SourceKind kind) { return kind != SourceKind::push; }

struct SourceSettings {
  std::string id;  // NAME of the table
  SourceKind kind = SourceKind::push;
  // services
  std::string url, company, user;
  std::string password_file;
  std::string bearer_file;  // odata, instead of user and password
  std::string oauth_token_url, oauth_client, oauth_secret_file, oauth_scope;
  std::string ca_file, pin;
  bool insecure = false;
  std::chrono::seconds interval{300};
  std::chrono::seconds interval_max{1800};
  std::chrono::seconds sync_timeout{180};
  int first_sync_days = 0;
  int recent_days = 5;
  std::chrono::seconds overlap{7200};
  std::uint64_t slice_keys = 2000;
  std::string time_zone;  // "": this machine's
  unsigned calls_per_hour = 0;
  unsigned quiet_from_hour = 0, quiet_until_hour = 0;  // UTC; equal: none
  unsigned quiet_calls_per_hour = 0;
  double closed_share = 0.20;
  double total_share = 0.20;
  std::vector<std::string> streams;  // empty: all
  bool finance = true;
  std::string webhook_secret_file;
  // both
  double gone_share = 0.02;
  // push
  std::string push_token_file;
};

// What a value is stored as; which member counts follows from the row's type.
struct SourceValue {
  std::string text;
  std::int64_t number = 0;
  bool flag = false;
  std::vector<std::string> list;
};

std::span<const SettingRow> source_setting_rows();
// Whether sources of that kind know the row.
bool belongs(const SettingRow& row, SourceKind kind);

// Values as they were written, by source and key.
struct GivenValue {
  std::vector<std::string> values;
  std::string origin;  // "/etc/millrace/millrace.toml:7"
};
using GivenSources = std::map<std::string, std::map<std::string, GivenValue, std::less<>>, std::less<>>;

// A key of a table `[source.NAME]`. Errors   invalid_input  no such key, with the nearest one, or no possible name
Result<void> check_source_name(std::string_view name);
Result<void> check_source_key(std::string_view key);

// Takes MILLRACE_SOURCE_<NAME>_<KEY>. NAME is in capitals, with _ for -. Errors   invalid_input  no such key
Result<void> take_source_environment(const Environment& environment, GivenSources& given);
bool is_source_variable(std::string_view name);

// Checks all values and fills `sources`, in the order of their names. `origins` gets one row per source and key that its
// kind knows, "source.sap.url". Errors   invalid_input  with place, source and key
Result<void> resolve_sources(const GivenSources& given, std::vector<SourceSettings>& sources, std::vector<SettingOrigin>& origins);

// The tables of the example settings file.
std::string example_sources();

// The secret in a file: the text without the line end. A relative name is looked for in `$CREDENTIALS_DIRECTORY` first
// (systemd's LoadCredential), then in the working folder.
// Errors   invalid_input  not there, not a regular file, empty, longer than 4 KiB, or readable by everybody
Result<std::string> read_secret(const std::string& file, const Environment& environment);
// Changes whenever that file is changed, replaced or given other rights; "" when there is none.
std::string file_stamp(const std::string& file, const Environment& environment);

}  // namespace millrace::app
