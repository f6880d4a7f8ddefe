#include "app/source_settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "app/setting_values.h"
#include "app/settings.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/text.h"

namespace millrace::app {
namespace {

enum Kinds : std::uint8_t { sap = 1, odata = 2, push = 4, services = sap | odata, every = services | push };

struct SourceRow {
  SettingRow row;
  std::uint8_t kinds;
  void (*store)(SourceSettings& source, const SourceValue& value);
};

using S = SourceSettings;
using V = SourceValue;
constexpr std::string_view prefix = "MILLRACE_SOURCE_";
constexpr std::size_t secret_bytes_max = 4096;
constexpr std::size_t name_bytes_max = 32;

constexpr SettingRow row(std::string_view name, SettingType type, std::string_view value, std::string_view help,
                         std::string_view fallback = "", std::string_view unit = "", std::int64_t least = 0,
                         std::int64_t most = 0, std::string_view choices = "") {
  return {name, type, unit, fallback, least, most, choices, "", value, help};
}

using enum SettingType;
const std::array source_table = std::to_array<SourceRow>({
    {row("kind", choice, "KIND", "what it is: SAP Business One by Service Layer v2 or v1, another OData service, or batches that are pushed to us",
         "", "", 0, 0, "sap-b1|sap-b1-v1|odata|push"),
     every,
     [](S& s, const V& v) {
       for (const SourceKind kind : {SourceKind::sap_b1, SourceKind::sap_b1_v1, SourceKind::odata, SourceKind::push})
         if (v.text == word(kind)) s.kind = kind;
     }},
    {row("url", text, "URL", "root of the service, such as https://sap:50000/b1s/v2"), services,
     [](S& s, const V& v) { s.url = v.text; }},
    {row("company", text, "NAME", "database of the company (CompanyDB)"), sap, [](S& s, const V& v) { s.company = v.text; }},
    {row("user", text, "NAME", "user of the service; needs to read only"), services,
     [](S& s, const V& v) { s.user = v.text; }},
    {row("password_file", path, "FILE", "file with the user's password, not readable by everybody"), services,
     [](S& s, const V& v) { s.password_file = v.text; }},
    {row("bearer_file", path, "FILE", "file with a bearer token, instead of user and password"), odata,
     [](S& s, const V& v) { s.bearer_file = v.text; }},
    {row("oauth_token_url", text, "URL", "where OAuth2 client credentials are exchanged for a token"), odata,
     [](S& s, const V& v) { s.oauth_token_url = v.text; }},
    {row("oauth_client", text, "ID", "client of OAuth2"), odata, [](S& s, const V& v) { s.oauth_client = v.text; }},
    {row("oauth_secret_file", path, "FILE", "file with the client's secret"), odata,
     [](S& s, const V& v) { s.oauth_secret_file = v.text; }},
    {row("oauth_scope", text, "SCOPE", "scope asked for with the token"), odata,
     [](S& s, const V& v) { s.oauth_scope = v.text; }},
    {row("ca_file", path, "FILE", "certificates (PEM) that may have signed the server's; default the system's"), services,
     [](S& s, const V& v) { s.ca_file = v.text; }},
    {row("pin", text, "PIN", "sha256//BASE64 of the server's public key; then nobody need have signed it"), services,
     [](S& s, const V& v) { s.pin = v.text; }},
    {row("insecure", flag, "true|false", "trust any certificate: anybody on the network can listen and lie; logged at every start",
         "false"),
     services, [](S& s, const V& v) { s.insecure = v.flag; }},
    {row("interval", duration, "TIME", "between two syncs", "5m", "s", 10, 3600), services,
     [](S& s, const V& v) { s.interval = std::chrono::seconds(v.number); }},
    {row("interval_max", duration, "TIME", "as long as a slow service may stretch it", "30m", "s", 10, 86400), services,
     [](S& s, const V& v) { s.interval_max = std::chrono::seconds(v.number); }},
    {row("sync_timeout", duration, "TIME", "time one call may take", "180s", "s", 5, 3600), services,
     [](S& s, const V& v) { s.sync_timeout = std::chrono::seconds(v.number); }},
    {row("first_sync_days", count, "N", "the first sync reads open orders and those of so many days; 0 reads all", "0", "days", 0,
         36500),
     services, [](S& s, const V& v) { s.first_sync_days = static_cast<int>(v.number); }},
    {row("recent_days", count, "N", "orders of so many days are asked for by every sync, beside the changed ones", "5", "days", 0, 366),
     services, [](S& s, const V& v) { s.recent_days = static_cast<int>(v.number); }},
    {row("overlap", duration, "TIME", "changes are asked for from so long before the last one that was seen", "2h", "s", 60, 86400),
     services, [](S& s, const V& v) { s.overlap = std::chrono::seconds(v.number); }},
    {row("slice_keys", count, "N", "keys that every sync proves beside the changes", "2000", "keys", 100, 100000), services,
     [](S& s, const V& v) { s.slice_keys = static_cast<std::uint64_t>(v.number); }},
    {row("time_zone", text, "ZONE", "zone of the service's clock, such as Europe/Berlin; without it this machine's"), services,
     [](S& s, const V& v) { s.time_zone = v.text; }},
    {row("calls_per_hour", count, "N", "at most so many calls; 0 is no bound", "0", "calls", 0, 1'000'000), services,
     [](S& s, const V& v) { s.calls_per_hour = static_cast<unsigned>(v.number); }},
    {row("quiet_hours", hours, "FROM-UNTIL", "hours (UTC) with a bound of their own, such as 22-06"), services,
     [](S& s, const V& v) {
       s.quiet_from_hour = static_cast<unsigned>(v.number / 24);
       s.quiet_until_hour = static_cast<unsigned>(v.number % 24);
     }},
    {row("quiet_calls_per_hour", count, "N", "at most so many calls in each of those hours; 0 is none at all", "0", "calls", 0, 1'000'000),
     services, [](S& s, const V& v) { s.quiet_calls_per_hour = static_cast<unsigned>(v.number); }},
    {row("gone_share", percent, "SHARE", "a sync or snapshot that removes more than this waits for a person", "2%", "%", 0,
         100 * whole_percent),
     every, [](S& s, const V& v) { s.gone_share = static_cast<double>(v.number) / (100.0 * whole_percent); }},
    {row("closed_share", percent, "SHARE", "a sync that closes more than this of the open orders waits for a person", "20%", "%", 0,
         100 * whole_percent),
     services, [](S& s, const V& v) { s.closed_share = static_cast<double>(v.number) / (100.0 * whole_percent); }},
    {row("total_share", percent, "SHARE", "a sync that moves the open total more than this waits for a person", "20%", "%", 0,
         100 * whole_percent),
     services, [](S& s, const V& v) { s.total_share = static_cast<double>(v.number) / (100.0 * whole_percent); }},
    {row("streams", text_list, "NAMES", "what is synced; empty is all the service has", "", "", 0, 0,
         "orders|items|manufacturers|partners|invoices|payments|purchase-orders|production-orders|product-trees|credit-notes|bills|supplier-payments"),
     services, [](S& s, const V& v) { s.streams = v.list; }},
    {row("finance", flag, "true|false", "its invoices, bills, payments and purchase orders count in cash, ageing and costs; false where another source brings them", "true"),
     services, [](S& s, const V& v) { s.finance = v.flag; }},
    {row("webhook_secret_file", path, "FILE", "file with the key that webhooks are signed with; without it none is taken"), services,
     [](S& s, const V& v) { s.webhook_secret_file = v.text; }},
    {row("push_token_file", path, "FILE", "file with the bearer token that a pushed batch must carry; without it none is asked for"), push,
     [](S& s, const V& v) { s.push_token_file = v.text; }},
});

const std::vector<SettingRow>& rows() {
  static const std::vector<SettingRow> only_rows = [] {
    std::vector<SettingRow> result;
    for (const SourceRow& entry : source_table) result.push_back(entry.row);
    return result;
  }();
  return only_rows;
}

std::uint8_t bit_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::sap_b1:
    case SourceKind::sap_b1_v1:
      return sap;
    case SourceKind::odata:
      return odata;
    case SourceKind::push:
      break;
  }
  return push;
}

const SourceRow* find_row(std::string_view key) {
  const auto found = std::ranges::find(source_table, key, [](const SourceRow& entry) { return entry.row.name; });
  return found == source_table.end() ? nullptr : &*found;
}

std::vector<std::string_view> known_keys() {
  std::vector<std::string_view> names;
  for (const SettingRow& known : rows()) names.push_back(known.name);
  return names;
}

// "22-06" as from * 24 + until.
Result<std::int64_t> parse_hours(const std::string& text) {
  const auto parts = split(text, '-');
  if (parts.size() == 2) {
    const auto from = whole_number(trim(parts[0])), until = whole_number(trim(parts[1]));
    if (from && until && *from >= 0 && *from < 24 && *until >= 0 && *until < 24) return *from * 24 + *until;
  }
  return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is no span of hours; write it as 22-06");
}

// An address without a name or password in it, which would end in logs.
Result<void> check_url(const std::string& text) {
  const std::string_view url = text;
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://"))
    return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is no address of a service; write it as https://host:port/path");
  const std::string_view rest = url.substr(is_https ? 8 : 7);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.find('@') != std::string_view::npos)
    return fail(ErrorCode::invalid_input, "an address holds no user or password; use `user` and `password_file`");
  if (host.empty() || rest.find_first_of("?# \t") != std::string_view::npos)
    return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is no root of a service; write it as https://host:port/path");
  return {};
}

Result<SourceValue> read_list(const SettingRow& known, const std::vector<std::string>& values) {
  SourceValue value;
  for (const std::string& one : values) {
    if (const auto right = check_choice(known, one); !right) return pass_on(right);
    value.list.push_back(one);
  }
  return value;
}

Result<SourceValue> read_value(const SettingRow& known, const std::vector<std::string>& values) {
  if (known.type == text_list) return read_list(known, values);
  if (values.size() != 1)
    return fail(ErrorCode::invalid_input, "takes one value, " + std::to_string(values.size()) + " were given");
  SourceValue value;
  value.text = values.front();
  switch (known.type) {
    case choice:
      if (const auto right = check_choice(known, value.text); !right) return pass_on(right);
      break;
    case flag: {
      const auto read = parse_flag(value.text);
      if (!read) return pass_on(read);
      value.flag = *read;
      break;
    }
    case hours: {
      if (value.text.empty()) break;
      const auto read = parse_hours(value.text);
      if (!read) return pass_on(read);
      value.number = *read;
      break;
    }
    case count:
    case duration:
    case percent: {
      const auto read = bounded_number(known, value.text);
      if (!read) return pass_on(read);
      value.number = *read;
      break;
    }
    default:
      if (known.name.ends_with("url") && !value.text.empty())
        if (const auto right = check_url(value.text); !right) return pass_on(right);
  }
  return value;
}

Failure missing(const std::string& id, std::string_view key) {
  const SourceRow* const entry = find_row(key);
  return fail(ErrorCode::invalid_input, "source " + id + " has no " + std::string(key) + ": give its table [source." + id + "] a line " +
                                            std::string(key) + " = \"" + std::string(entry->row.value) + "\"");
}

// What a source cannot do without.
Result<void> check_complete(const SourceSettings& source) {
  if (!is_service(source.kind)) return {};
  if (source.url.empty()) return missing(source.id, "url");
  if (source.kind != SourceKind::odata) {
    if (source.company.empty()) return missing(source.id, "company");
    if (source.user.empty()) return missing(source.id, "user");
    if (source.password_file.empty()) return missing(source.id, "password_file");
  }
  if (!source.user.empty() && source.password_file.empty()) return missing(source.id, "password_file");
  if (!source.oauth_token_url.empty() && source.oauth_client.empty()) return missing(source.id, "oauth_client");
  if (!source.oauth_token_url.empty() && source.oauth_secret_file.empty()) return missing(source.id, "oauth_secret_file");
  const int ways = (source.password_file.empty() ? 0 : 1) + (source.bearer_file.empty() ? 0 : 1) + (source.oauth_token_url.empty() ? 0 : 1);
  if (ways > 1)
    return fail(ErrorCode::invalid_input, "source " + source.id + " has more than one way to sign in; keep one of password_file, " +
                                              "bearer_file and oauth_token_url");
  if (source.interval_max < source.interval)
    return fail(ErrorCode::invalid_input, "source " + source.id + ": interval_max is shorter than interval; make it at least as long");
  return {};
}

struct ExampleValue {
  std::string_view key, value;
};
struct ExampleTable {
  std::string_view id;
  Kinds kind;
  std::array<ExampleValue, 5> values;
};
constexpr std::array example_tables = std::to_array<ExampleTable>({
    {"sap", sap,
     {{{"kind", "sap-b1"},
       {"url", "https://sap.example:50000/b1s/v2"},
       {"company", "COMPANY"},
       {"user", "millrace"},
       {"password_file", "/etc/millrace/sap.password"}}}},
    {"business-central", odata,
     {{{"kind", "odata"}, {"url", "https://api.businesscentral.dynamics.com/v2.0/TENANT/production/api/v2.0/companies(ID)"}, {}, {}, {}}}},
    {"shop", push, {{{"kind", "push"}, {}, {}, {}, {}}}},
});

void append_example(std::string& text, const SettingRow& known, std::string_view value) {
  text += "\n# " + std::string(known.help);
  if (!known.choices.empty()) text += " (" + std::string(known.choices) + ")";
  if (const std::string bounds = bounds_text(known); !bounds.empty()) text += " (" + bounds + ")";
  text += "\n#" + std::string(known.name) + " = ";
  if (known.type == text_list)
    text += "[]";
  else if (known.type == count || known.type == flag)
    text += value;
  else
    text += "\"" + std::string(value) + "\"";
  text += "\n";
}

std::string variable_of(std::string_view id, std::string_view key) {
  std::string name(prefix);
  for (const char c : std::string(id) + "_" + std::string(key))
    name.push_back(c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return name;
}

// The kind decides which rows the source knows, so it comes first.
Result<SourceKind> kind_of(const std::string& id, const std::map<std::string, GivenValue, std::less<>>& keys) {
  const auto found = keys.find("kind");
  if (found == keys.end()) {
    const std::string place = keys.empty() ? "" : keys.begin()->second.origin + ": ";
    return fail(ErrorCode::invalid_input, place + "source " + id + " has no kind: give its table a line kind = \"sap-b1\", \"odata\" or \"push\"");
  }
  SourceSettings source;
  const SourceRow* const entry = find_row("kind");
  const auto value = read_value(entry->row, found->second.values);
  if (!value) return pass_on(value, found->second.origin + ": source." + id + ".kind");
  entry->store(source, *value);
  return source.kind;
}

Result<SourceSettings> resolve_one(const std::string& id, const std::map<std::string, GivenValue, std::less<>>& keys,
                                   std::vector<SettingOrigin>& origins) {
  const auto kind = kind_of(id, keys);
  if (!kind) return pass_on(kind);
  SourceSettings source;
  source.id = id;
  for (const SourceRow& entry : source_table) {
    const auto found = keys.find(entry.row.name);
    const std::string name = "source." + id + "." + std::string(entry.row.name);
    if ((entry.kinds & bit_of(*kind)) == 0) {
      if (found != keys.end())
        return fail(ErrorCode::invalid_input, found->second.origin + ": " + name + ": a source of kind " + std::string(word(*kind)) +
                                                  " has no " + std::string(entry.row.name) + "; remove the line");
      continue;
    }
    SettingOrigin origin;
    origin.name = name;
    origin.row = &rows()[static_cast<std::size_t>(&entry - source_table.data())];
    origin.environment = variable_of(id, entry.row.name);
    if (found != keys.end()) {
      origin.values = found->second.values;
      origin.origin = found->second.origin;
    } else {
      origin.is_default = true;
      origin.origin = "default";
      if (entry.row.type != text_list) origin.values = {std::string(entry.row.fallback)};
    }
    auto value = read_value(entry.row, origin.values);
    if (!value) return pass_on(value, origin.origin + ": " + name);
    entry.store(source, *value);
    origins.push_back(std::move(origin));
  }
  if (const auto complete = check_complete(source); !complete)
    return pass_on(complete, keys.begin()->second.origin.substr(0, keys.begin()->second.origin.rfind(':')));
  return source;
}

}  // namespace

std::string_view word(SourceKind kind) {
  switch (kind) {
    case SourceKind::sap_b1:
      return "sap-b1";
    case SourceKind::sap_b1_v1:
      return "sap-b1-v1";
    case SourceKind::odata:
      return "odata";
    case SourceKind::push:
      return "push";
  }
  return "";
}

std::span<const SettingRow> source_setting_rows() { return rows(); }

bool belongs(const SettingRow& row, SourceKind kind) {
  const SourceRow* const entry = find_row(row.name);
  return entry != nullptr && (entry->kinds & bit_of(kind)) != 0;
}

Result<void> check_source_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!name.empty() && name.size() <= name_bytes_max && name.front() != '-' && std::ranges::all_of(name, fits)) return {};
  return fail(ErrorCode::invalid_input, "\"" + printable(name) + "\" cannot name a source: use up to 32 small letters, digits and -");
}

Result<void> check_source_key(std::string_view key) {
  if (find_row(key) != nullptr) return {};
  for (const std::string_view secret : {"password", "token", "secret", "bearer", "oauth_secret", "webhook_secret", "push_token"})
    if (key == secret)
      return fail(ErrorCode::invalid_input, "secrets do not stand in settings: write it to a file that only Millrace may read and name the "
                                            "file, as password_file does");
  return fail(ErrorCode::invalid_input, unknown_name("setting of a source", key, known_keys()));
}

bool is_source_variable(std::string_view name) { return name.starts_with(prefix); }

Result<void> take_source_environment(const Environment& environment, GivenSources& given) {
  for (const auto& [name, value] : environment) {
    if (!is_source_variable(name)) continue;
    const std::string rest = lower_ascii(std::string_view(name).substr(prefix.size()));
    const SettingRow* key = nullptr;
    for (const SettingRow& known : rows())
      if (rest.size() > known.name.size() + 1 && rest.ends_with("_" + std::string(known.name)) &&
          (key == nullptr || known.name.size() > key->name.size()))
        key = &known;
    if (key == nullptr) {
      const std::size_t line = rest.find('_');
      return fail(ErrorCode::invalid_input, "environment: " + printable(name) + ": " +
                                                unknown_name("setting of a source", line == std::string::npos ? "" : rest.substr(line + 1), known_keys()));
    }
    std::string id = rest.substr(0, rest.size() - key->name.size() - 1);
    std::ranges::replace(id, '_', '-');
    if (const auto fits = check_source_name(id); !fits) return pass_on(fits, "environment: " + printable(name));
    std::vector<std::string> values{value};
    if (key->type == text_list) {
      values.clear();
      for (const auto part : split(value, ','))
        if (const auto one = trim(part); !one.empty()) values.emplace_back(one);
    }
    given[id][std::string(key->name)] = {std::move(values), "environment " + name};
  }
  return {};
}

Result<void> resolve_sources(const GivenSources& given, std::vector<SourceSettings>& sources, std::vector<SettingOrigin>& origins) {
  for (const auto& [id, keys] : given) {
    auto source = resolve_one(id, keys, origins);
    if (!source) return pass_on(source);
    sources.push_back(std::move(*source));
  }
  return {};
}

std::string example_sources() {
  std::string text =
      "\n# ---- sources that are no folders: an ERP, or batches that are pushed; one table each, its name is up to you.\n"
      "# Variables MILLRACE_SOURCE_<NAME>_<KEY> win over this file. Secrets stand in files of their own.\n";
  std::vector<std::string_view> said;  // keys that an earlier table explained
  for (const ExampleTable& example : example_tables) {
    text += "\n#[source." + std::string(example.id) + "]\n";
    for (const SourceRow& entry : source_table) {
      const auto given = std::ranges::find(example.values, entry.row.name, &ExampleValue::key);
      const bool is_given = given != example.values.end();
      if ((entry.kinds & example.kind) == 0 || (!is_given && std::ranges::find(said, entry.row.name) != said.end())) continue;
      append_example(text, entry.row, is_given ? given->value : entry.row.fallback);
      said.push_back(entry.row.name);
    }
  }
  return text;
}

namespace {

struct FoundFile {
  std::string path;
  UniqueFd fd;
};

// Opens the file where systemd put it, else where it is named.
FoundFile open_secret(const std::string& file, const Environment& environment) {
  const auto open = [](std::string path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return FoundFile{std::move(path), std::move(fd)};
  };
  const auto credentials = find(environment, "CREDENTIALS_DIRECTORY");
  if (!file.starts_with('/') && credentials)
    if (FoundFile found = open(*credentials + "/" + file); found.fd) return found;
  return open(file);
}

}  // namespace

std::string file_stamp(const std::string& file, const Environment& environment) {
  const FoundFile found = open_secret(file, environment);
  struct stat status{};
  // A file that may not be opened can still be looked at: giving the right changes its stamp.
  const int looked = found.fd ? ::fstat(found.fd.get(), &status) : ::stat(found.path.c_str(), &status);
  if (looked != 0) return "";
  std::string stamp = found.fd ? "open" : "closed";
  for (const auto number : {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), static_cast<std::int64_t>(status.st_size),
                            static_cast<std::int64_t>(status.st_mode), static_cast<std::int64_t>(status.st_mtim.tv_sec), static_cast<std::int64_t>(status.st_mtim.tv_nsec),
                            static_cast<std::int64_t>(status.st_ctim.tv_sec), static_cast<std::int64_t>(status.st_ctim.tv_nsec)})
    stamp += " " + std::to_string(number);
  return stamp;
}

Result<std::string> read_secret(const std::string& file, const Environment& environment) {
  const auto& [path, fd] = open_secret(file, environment);
  if (!fd)
    return fail(ErrorCode::invalid_input, "the secret in " + printable(file) + " cannot be read (" + std::strerror(errno) +
                                              "); check the name and that Millrace's user may read it");
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::invalid_input, printable(path) + " is not a regular file, so it holds no secret; name the file");
  if ((status.st_mode & S_IROTH) != 0)
    return fail(ErrorCode::invalid_input, printable(path) + " holds a secret and everybody may read it; run chmod 600 " + printable(path));
  std::string secret(secret_bytes_max + 1, '\0');
  ssize_t count = 0;
  do count = ::read(fd.get(), secret.data(), secret.size());
  while (count < 0 && errno == EINTR);
  if (count < 0) return fail(ErrorCode::invalid_input, "the secret in " + printable(path) + " cannot be read: " + std::strerror(errno));
  secret.resize(static_cast<std::size_t>(count));
  if (secret.size() > secret_bytes_max) return fail(ErrorCode::invalid_input, printable(path) + " is longer than 4 KiB, so it is no secret; name the right file");
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return fail(ErrorCode::invalid_input, "the secret in " + printable(path) + " is empty; write it into the file");
  return secret;
}

}  // namespace millrace::app
