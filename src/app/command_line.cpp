#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "base/check.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::array serve_options = std::to_array<OptionRow>({
    {"--data", "DIR", "data", "", false},
    {"--orders", "DIR", "orders", "", true},
    {"--listen", "ADDRESS", "listen", "", false},
    {"--auth", "MODE", "auth", "", false},
    {"--company", "NAME", "company", "", false},
    {"--refresh-interval", "TIME", "refresh_interval", "", false},
    {"--watch", "MODE", "watch", "", false},
    {"--hash-method", "METHOD", "hash_method", "", false},
    {"--layout-profile", "FILE", "layout_profile", "", false},
    {"--parser-workers", "N", "parser_workers", "", false},
    {"--log-level", "LEVEL", "log_level", "", false},
});
constexpr std::array<std::string_view, 3> serve_examples = {
    "millrace serve --orders /srv/share/orders",
    "millrace serve --orders /srv/share/orders --data /var/lib/millrace --listen 127.0.0.1:9000",
    "millrace serve --config ./millrace.toml",
};

constexpr std::array demo_options = std::to_array<OptionRow>({
    {"--orders", "N", "demo_orders", "", false},
    {"--seed", "S", "demo_seed", "", false},
    {"--pause", "MS", "demo_pause", "", false},
    {"--data", "DIR", "data", "folder of the demo; default is `demo` in the usual data folder", false},
    {"--listen", "ADDRESS", "listen", "", false},
    {"--auth", "MODE", "auth", "", false},
    {"--no-open", "", "demo_open_browser", "do not open a browser", false},
    {"--log-level", "LEVEL", "log_level", "", false},
});
constexpr std::array<std::string_view, 3> demo_examples = {
    "millrace demo",
    "millrace demo --orders 20000 --seed 7",
    "millrace demo --no-open --listen 127.0.0.1:9000 --data /tmp/millrace-demo",
};

constexpr std::array scan_options = std::to_array<OptionRow>({
    {"--data", "DIR", "", "keep what was read in this data folder: the next scan opens only what changed", false},
    {"--orders-csv", "FILE", "", "write one row per order that counts", false},
    {"--rejections", "FILE", "", "write path, place, reason and outcome of what was refused", false},
    {"--layout-profile", "FILE", "layout_profile", "", false},
    {"--hash-method", "METHOD", "hash_method", "", false},
    {"--parser-workers", "N", "parser_workers", "", false},
});
constexpr std::array<std::string_view, 3> scan_examples = {
    "millrace scan /srv/share/orders",
    "millrace scan /srv/share/orders --orders-csv orders.csv --rejections rejected.csv",
    "millrace scan /srv/share/orders --data ./book --json | jq .totals",
};

constexpr std::array sync_options = std::to_array<OptionRow>({
    {"--data", "DIR", "data", "", false},
    {"--orders", "DIR", "orders", "", true},
    {"--listen", "ADDRESS", "listen", "address of the running server", false},
});
constexpr std::array<std::string_view, 3> sync_examples = {"millrace sync sap", "millrace sync sap --json | jq .calls_by_kind",
                                                           "millrace sync sap --config ./millrace.toml --data ./book"};

constexpr std::array export_options = std::to_array<OptionRow>({
    {"--format", "FORMAT", "", "csv, xlsx or json; default by the name of --out, else csv", false},
    {"--out", "FILE", "", "write there instead of stdout", false},
    {"--where", "FILTER", "", "name=value or name=op.value, op one of eq ne lt lte gt gte in has; all must hold", true},
    {"--sort", "FIELDS", "", "comma-separated, a leading - turns round: -open_amount,order", false},
    {"--fields", "FIELDS", "", "comma-separated columns, default all", false},
    {"--as-of", "SEQUENCE|TIME", "", "the book as it was: a Sequence number or 2026-11-21T08:00:00Z", false},
    {"--data", "DIR", "data", "", false},
});
constexpr std::array<std::string_view, 3> export_examples = {
    "millrace export orders --where late=true --format xlsx --out late.xlsx",
    "millrace export lines --where customer=C10001",
    "millrace export orders --as-of 2026-11-20T18:00:00Z --format json",
};

constexpr std::array import_options = std::to_array<OptionRow>({
    {"--kind", "KIND", "", "what its rows are: invoice, payment, bill, cost, recurring_cost, budget, tax, balance, rate, ...; default by its name and columns", false},
    {"--dry-run", "", "", "show what it would do and change nothing", false},
    {"--take-doubtful", "", "", "take rows with cells that could mean something else as they were guessed", false},
    {"--currency", "CODE", "", "of amounts that name none", false},
    {"--decimal", "MARK", "", "the decimal mark, . or ,; default by vote of the column", false},
    {"--date", "ORDER", "", "dmy, mdy or ymd; default by vote of the column", false},
    {"--header-row", "N", "", "the row with the names of columns, 0 when there is none", false},
    {"--map", "FIELD:COLUMN", "", "which column is which: posted:Datum, amount:C", true},
    {"--listen", "ADDRESS", "listen", "address of the running server", false},
    {"--data", "DIR", "data", "its data folder: how its own account needs no password", false},
});
constexpr std::array<std::string_view, 3> import_examples = {
    "millrace import costs-2026.csv --dry-run",
    "millrace import Kosten.xlsx --kind cost --currency EUR",
    "millrace import bank.csv --kind balance --date dmy --map account:IBAN",
};

constexpr std::array pack_options = std::to_array<OptionRow>({
    {"--out", "FILE", "", "write the table back there: the same file, byte by byte", false},
});
constexpr std::array<std::string_view, 3> pack_examples = {"millrace pack order-lines.csv",
                                                           "millrace pack order-lines.csv --json | jq .columns",
                                                           "millrace pack order-lines.csv --out copy.csv"};

constexpr std::array cash_options = std::to_array<OptionRow>({
    {"--payments-in", "FILE", "", "CSV with customer,invoice_date,due_date,paid_date,amount; paid_date empty: not paid", false},
    {"--out", "FILE", "", "write one prediction per invoice without payment", false},
    {"--walk-forward", "", "", "predict every invoice, each as of the day before it was posted", false},
    {"--score", "", "", "say how good such predictions were, beside what is done without them", false},
    {"--as-of", "DAY", "", "the last day that is known; default is the last payment's", false},
    {"--empty", "MEANING", "", "what an empty paid_date is: open, held-out, or auto", false},
    {"--from", "DAY", "", "score invoices posted from here on; default is the second half", false},
});
constexpr std::array<std::string_view, 3> cash_examples = {"millrace cash --payments-in history.csv --out predicted.csv",
                                                           "millrace cash --payments-in history.csv --score",
                                                           "millrace cash --payments-in history.csv --walk-forward --out all.csv"};

constexpr std::array status_options = std::to_array<OptionRow>({
    {"--listen", "ADDRESS", "listen", "address of the running server", false},
    {"--data", "DIR", "data", "its data folder: how its own account needs no password", false},
});
constexpr std::array<std::string_view, 3> status_examples = {"millrace status", "millrace status --quiet && echo ready",
                                                             "millrace status --json"};

constexpr std::array doctor_options = std::to_array<OptionRow>({
    {"-v,--verbose", "", "", "show every check, not only what needs a person", false},
    {"--data", "DIR", "data", "", false},
    {"--orders", "DIR", "orders", "", true},
    {"--listen", "ADDRESS", "listen", "", false},
    {"--record", "", "", "verify the record only, every row of it", false},
});
constexpr std::array<std::string_view, 3> doctor_examples = {
    "millrace doctor", "millrace doctor -v --orders /srv/share/orders", "millrace doctor --record --json"};

constexpr std::array backup_options = std::to_array<OptionRow>({{"--data", "DIR", "data", "", false}});
constexpr std::array<std::string_view, 3> backup_examples = {"millrace backup /mnt/nas/millrace.backup",
                                                             "millrace backup monday.backup --data /var/lib/millrace",
                                                             "millrace backup monday.backup --json"};

constexpr std::array restore_options = std::to_array<OptionRow>({
    {"--data", "DIR", "data", "", false},
    {"--verify", "", "", "only prove that the backup can be restored; touches nothing", false},
    {"--force", "", "", "move a record that is there aside", false},
});
constexpr std::array<std::string_view, 3> restore_examples = {"millrace restore monday.backup --verify",
                                                              "millrace restore monday.backup --data /var/lib/millrace",
                                                              "millrace restore monday.backup --data /var/lib/millrace --force"};

constexpr std::array user_options = std::to_array<OptionRow>({
    {"--role", "ROLE", "", "of a new user: viewer, sales, planner, finance, floor or admin [viewer]", false},
    {"--email", "ADDRESS", "", "of a new user", false},
    {"--name", "NAME", "", "of a new user, as people call him", false},
    {"--orders-of", "SALESPERSON", "", "a new user sees the orders of this salesperson alone", false},
    {"--password-file", "FILE", "", "take the password from its first line; - is standard input", false},
    {"--no-password", "", "", "a new user who signs in with the company's provider only", false},
    {"--data", "DIR", "data", "", false},
    {"--listen", "ADDRESS", "listen", "address of the server, for the setup link", false},
});
constexpr std::array<std::string_view, 4> user_examples = {
    "millrace user add anna --role planner --email anna@example.com", "millrace user list",
    "millrace user role anna admin", "millrace user setup-link"};

constexpr std::array tls_options = std::to_array<OptionRow>({
    {"--host", "NAME", "", "host name or address that people type; may be given several times", true},
    {"--data", "DIR", "data", "", false},
});
constexpr std::array<std::string_view, 3> tls_examples = {"millrace tls init --host plant.example.com", "millrace tls init --host plant --host 10.0.0.5",
                                                          "millrace tls status"};

constexpr std::array token_options = std::to_array<OptionRow>({
    {"--user", "LOGIN", "", "whose rights the token has, at most", false},
    {"--scope", "SCOPE", "", "read, write or admin: takes away what is not meant [read]", false},
    {"--expires", "TIME", "", "90d, a day such as 2027-01-31, or never [never]", false},
    {"--data", "DIR", "data", "", false},
});
constexpr std::array<std::string_view, 3> token_examples = {"millrace token add nightly-export --user anna --expires 365d", "millrace token list",
                                                            "millrace token revoke 3"};

constexpr std::array audit_options = std::to_array<OptionRow>({
    {"--who", "LOGIN", "", "only what this user did", false},
    {"--object", "OBJECT", "", "only what was done to it: order:500123, or user: for all users", false},
    {"--before", "NUMBER", "", "rows below this number", false},
    {"--limit", "N", "", "so many rows [50]", false},
    {"--data", "DIR", "data", "", false},
});
constexpr std::array<std::string_view, 3> audit_examples = {"millrace audit list", "millrace audit list --object user: --json", "millrace audit verify"};

constexpr std::array jobs_options = std::to_array<OptionRow>({
    {"--payload", "FILE", "", "of run: JSON that says what the job shall do; default {}", false},
    {"--no-wait", "", "", "of run: do not follow the job to its end", false},
    {"--listen", "ADDRESS", "listen", "address of the running server", false},
    {"--data", "DIR", "data", "its data folder: how its own account needs no password", false},
});
constexpr std::array<std::string_view, 3> jobs_examples = {"millrace jobs list", "millrace jobs run backup",
                                                           "millrace jobs run report --payload late.json --json"};

constexpr std::array<std::string_view, 3> version_examples = {"millrace version", "millrace version --json",
                                                              "millrace --version"};

constexpr std::array config_options = std::to_array<OptionRow>({
    {"--origin", "", "", "say where each value came from", false},
    {"--example", "", "", "print a settings file with every key commented out", false},
});
constexpr std::array<std::string_view, 3> config_examples = {
    "millrace config show --origin", "millrace config show --json",
    "millrace config show --example > ~/.config/millrace/millrace.toml"};

constexpr std::array command_table = std::to_array<CommandRow>({
    {"serve", "", "run the server on the company's own order folders",
     "Reads the folders, keeps the record in the data folder and serves screens and answers until Ctrl-C or SIGTERM.\n"
     "The first SIGTERM finishes what runs (at most 10 s), a second one ends at once.",
     serve_options, serve_examples, false},
    {"demo", "", "make up a company with its order files and serve it, with a ticking ERP beside it",
     "Nothing leaves this machine. The company is made by a generator: same seed and day, same company.\n"
     "Edit a file in the demo's orders folder and watch the screen change.",
     demo_options, demo_examples, false},
    {"scan", "DIR", "read a tree of order files once, without a server, and print what it says",
     "Prints orders, lines, totals per currency and timings. Exit code 6 when some files were rejected.\n"
     "--orders-csv has the columns "
     "order,status,customer,currency,order_date,due_date,lines,net,tax,freight,total,open,\n"
     "updated,format,path: days YYYY-MM-DD, updated in UTC, amounts with the currency's own decimals, sorted by order\n"
     "number, path as bytes relative to DIR. --rejections has path,place,reason,outcome.",
     scan_options, scan_examples, false},
    {"sync", "SOURCE", "sync one ERP now and say what it took",
     "SOURCE is the name of a table [source.NAME] in the settings. A server that uses the data folder is asked to sync and\n"
     "followed; without one the record is opened for this one sync. Exit code 2 when the configuration is wrong, 4 without such\n"
     "a source, 5 when the sync is held for a person, 75 when the ERP cannot be reached now.",
     sync_options, sync_examples, false},
    {"export", "orders|lines", "write orders or order lines as CSV, XLSX or JSON",
     "Reads the record of the data folder; a running server is not disturbed. Filters are those of the screens.\n"
     "Texts that a spreadsheet would take for a formula get a leading apostrophe in CSV.",
     export_options, export_examples, false},
    {"import", "FILE", "take a CSV file or workbook of invoices, payments, costs, balances and other finance documents",
     "Asks the running server: it reads the file in a sandboxed process, shows rows and cells that could mean something else, and\n"
     "writes the rest in one commit, which can be undone. The same file twice changes nothing. Exit code 6 when rows were left out.",
     import_options, import_examples, false},
    {"pack", "FILE.csv", "hold any CSV file in as few bytes as it takes, and show what each column costs",
     "Reads the file into packed columns, writes it back in memory and compares byte by byte; changes nothing.\n"
     "Numbers are numbers only where they give back their exact text; everything else stays text. Exit code 2 when the\n"
     "file is no table, with the row and the reason.",
     pack_options, pack_examples, false, true},
    {"cash", "", "learn from a history when invoices are paid, and predict the open ones",
     "Predictions are days with the quantiles p10, p50, p90, p05, p25, p75, p95; no invoice sees what was not known. Invoices\n"
     "without payment are open ones, known to be unpaid so far, unless far more are unpaid than would be open (--empty).\n"
     "Rows that cannot be read are listed with the reason and the others go on; exit code 6 then.",
     cash_options, cash_examples, false, true},
    {"status", "", "ask the running server how it is",
     "Exit code 0 when it answers and is ready, 3 when it is not there or not ready yet.", status_options,
     status_examples, false},
    {"doctor", "", "check this machine: disk, clock, port, file watches, sandbox, and every source",
     "Changes nothing but a small file in the data folder that measures the disk and goes away again.\n"
     "The verdict comes last. Exit code 0 when nothing needs a person, else 1.",
     doctor_options, doctor_examples, false},
    {"backup", "FILE", "write the whole record to one file, also while the server runs",
     "A consistent copy, verified row by row before FILE gets its name. `restore --verify` proves it again.", backup_options,
     backup_examples, false},
    {"restore", "FILE", "put the record of a backup into a data folder",
     "The backup is unpacked and verified before anything is touched; stop the server first. A record that is there is\n"
     "moved aside with --force, never deleted. Exit code 5 without --force when there is one.",
     restore_options, restore_examples, false, true},
    {"user", "add|list|passwd|role|activate|deactivate|setup-link [LOGIN] [ROLE]", "add, change and list the people who may sign in",
     "A running server is asked through its data folder, which the same account or root may do; without one the record is\n"
     "opened. Passwords are asked for on the terminal or read from a file, never given as an argument. A new password, another\n"
     "role and deactivation end the user's open sessions. setup-link prints a link that makes an administrator, once, within\n"
     "24 hours.",
     user_options, user_examples, false},
    {"token", "add|list|revoke [NAME|NUMBER]", "make, list and revoke what machines sign in with",
     "A token has the rights of its user, cut by its scope, and follows when they change. It is shown once, when it is made.",
     token_options, token_examples, false},
    {"tls", "init|status", "make a certificate for this server, or show how long the one in use is good for",
     "init makes an authority of your own, once, and a certificate signed by it in DIR/tls (0600), and says what the other machines\n"
     "need; again, it makes the next certificate with the same authority. A running server takes new files by itself.\n"
     "status ends with 1 when the certificate has ended.",
     tls_options, tls_examples, false},
    {"audit", "list|verify", "show who did what, or prove that the trail is what was written",
     "Every row holds the hash of the row before it: verify names the first one that was changed, is missing or was swapped,\n"
     "and prints the hash of the newest one, which can be kept elsewhere. Exit code 1 when the trail is not what was written.",
     audit_options, audit_examples, false, true},
    {"jobs", "list|show|cancel|retry|pause|resume|run|schedules [ID|KIND]", "show and steer the running server's work for later",
     "list [STATE], show ID, cancel ID, retry ID, pause [KIND], resume [KIND], run KIND, schedules. run follows the job to its end and\n"
     "ends with 1 when it did not end well. Kinds: report, sync, backup, restore_test, verify_record, self_test;\n"
     "GET /api/v1/jobs says what each one takes.",
     jobs_options, jobs_examples, false},
    {"version", "", "print version, commit, compiler and data format", "", {}, version_examples, false, true},
    {"config", "show", "show the settings that count and where they come from",
     "A flag wins over a variable MILLRACE_<NAME>, that over the user's file, that over /etc/millrace/millrace.toml.",
     config_options, config_examples, false, true},
    {"parse-worker", "", "read documents for a server (internal)", "", {}, {}, true},
    {"job-worker", "", "run jobs for a server (internal)", "", {}, {}, true},
});

constexpr std::array common_table = std::to_array<OptionRow>({
    {"-h", "", "", "this page", false},
    {"--help", "", "", "everything", false},
    {"--config", "FILE", "", "settings file instead of the two usual ones", false},
    {"--json", "", "", "machine-readable result, never coloured", false},
    {"-q,--quiet", "", "", "errors only on stderr, no progress", false},
    {"--color", "WHEN", "", "auto, always or never", false},
});

std::string canonical(std::string_view flag) {
  const auto comma = flag.find(',');
  return std::string(comma == std::string_view::npos ? flag : flag.substr(comma + 1));
}

using Taken = std::map<std::string, std::vector<std::string>, std::less<>>;

void add_option(CLI::App& app, const OptionRow& row, Taken& taken) {
  const std::string key = canonical(row.flag);
  if (row.value.empty()) {
    app.add_flag_function(std::string(row.flag), [&taken, key](std::int64_t) { taken[key] = {""}; });
    return;
  }
  app.add_option_function<std::vector<std::string>>(
         std::string(row.flag), [&taken, key](const std::vector<std::string>& values) { taken[key] = values; })
      ->allow_extra_args(false);
}

struct WantedArguments {
  std::size_t required = 0;
  std::size_t possible = 0;
};
WantedArguments wanted_arguments(const CommandRow& command) {
  WantedArguments wanted;
  for (const auto word : split(command.arguments, ' ')) {
    if (word.empty()) continue;
    ++wanted.possible;
    if (!word.starts_with('[')) ++wanted.required;
  }
  return wanted;
}

std::string usage_line(const CommandRow& command) {
  std::string text = "millrace " + std::string(command.name);
  if (!command.arguments.empty()) text += " " + std::string(command.arguments);
  return text;
}

Failure unknown_flag(const std::string& typed, const CommandRow* command) {
  const std::string flag = typed.substr(0, typed.find('='));
  std::vector<std::string> names;
  const auto collect = [&](std::span<const OptionRow> rows) {
    for (const OptionRow& row : rows) names.push_back(canonical(row.flag));
  };
  if (command != nullptr) collect(command->options);
  collect(common_table);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string of = command == nullptr ? "millrace" : "millrace " + std::string(command->name);
  std::string text = "there is no flag " + printable(flag) + " for " + of;
  if (const auto near = closest(flag, views); !near.empty())
    text += "; did you mean " + std::string(near) + "?";
  else
    text += "; `" + of + " -h` lists them";
  return fail(ErrorCode::invalid_input, text);
}

Failure unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  for (const CommandRow& row : command_table) {
    if (!row.hidden) names.push_back(row.name);
  }
  std::string text = "there is no command \"" + printable(name) + "\"";
  if (const auto near = closest(name, names); !near.empty())
    text += "; did you mean " + std::string(near) + "?";
  else
    text += "; `millrace -h` lists them";
  return fail(ErrorCode::invalid_input, text);
}

Result<void> take_common(Taken& taken, Invocation& invocation) {
  if (taken.contains("--help"))
    invocation.help = HelpWanted::full_page;
  else if (taken.contains("-h"))
    invocation.help = HelpWanted::short_page;
  invocation.json = taken.contains("--json");
  invocation.quiet = taken.contains("--quiet");
  invocation.version = taken.contains("--version");
  if (const auto config = taken.find("--config"); config != taken.end()) invocation.config_file = config->second.back();
  if (const auto color = taken.find("--color"); color != taken.end()) {
    const std::string& when = color->second.back();
    if (when == "always")
      invocation.color = ColorMode::always;
    else if (when == "never")
      invocation.color = ColorMode::never;
    else if (when != "auto")
      return fail(ErrorCode::invalid_input, "--color takes auto, always or never, not \"" + printable(when) + "\"");
  }
  return {};
}

// Options that set a setting go to `settings`, the others stay the command's own.
void take_options(const CommandRow& command, const Taken& taken, Invocation& invocation) {
  for (const OptionRow& row : command.options) {
    const std::string key = canonical(row.flag);
    const auto found = taken.find(key);
    if (found == taken.end()) continue;
    std::vector<std::string> values = found->second;
    if (!row.repeated) values = {values.back()};
    if (row.setting.empty()) {
      invocation.options[key] = std::move(values);
    } else {
      check(find_setting(row.setting) != nullptr, "a flag of the command table names no setting");
      if (row.value.empty()) values = {"false"};  // the only switches on settings are --no-...
      invocation.settings.push_back(FlagValue{std::string(row.setting), key, std::move(values)});
    }
  }
}

Result<void> check_arguments(const CommandRow& command, const std::vector<std::string>& arguments) {
  const WantedArguments wanted = wanted_arguments(command);
  if (arguments.size() < wanted.required) {
    return fail(ErrorCode::invalid_input, "an argument is missing: " + usage_line(command) + "; `millrace " +
                                              std::string(command.name) + " -h` shows examples");
  }
  if (arguments.size() > wanted.possible) {
    return fail(ErrorCode::invalid_input,
                "\"" + printable(arguments[wanted.possible]) + "\" is one argument too many: " + usage_line(command));
  }
  return {};
}

std::string option_lines(std::span<const OptionRow> rows) {
  std::size_t width = 0;
  const auto left = [](const OptionRow& row) {
    std::string text(row.flag);
    if (const auto comma = text.find(','); comma != std::string::npos) text.insert(comma + 1, " ");
    return row.value.empty() ? text : text + " " + std::string(row.value);
  };
  for (const OptionRow& row : rows) width = std::max(width, left(row).size());
  std::string text;
  for (const OptionRow& row : rows) {
    const SettingRow* setting = row.setting.empty() ? nullptr : find_setting(row.setting);
    const std::string flag = left(row);
    text += "  " + flag + std::string(width - flag.size() + 2, ' ');
    text += row.help.empty() && setting != nullptr ? setting->help : row.help;
    if (setting != nullptr && !setting->choices.empty() && setting->choices.find('|') != std::string_view::npos)
      text += " (" + std::string(setting->choices) + ")";
    if (setting != nullptr && !setting->fallback.empty() && !row.value.empty())
      text += " [" + std::string(setting->fallback) + "]";
    text += "\n";
  }
  return text;
}

std::string examples_text(const CommandRow& command) {
  std::string text;
  for (const auto example : command.examples) text += "  " + std::string(example) + "\n";
  return text;
}

constexpr std::string_view exit_codes_text =
    "Exit codes\n"
    "  0 ok   1 failed   2 wrong use   3 not ready   4 not found   5 conflict\n"
    "  6 done, but some files were rejected   75 try again later   130 interrupted\n";

constexpr std::size_t arguments_shown_max = 20;  // longer ones stand on the command's own page

std::string command_lines(bool all) {
  std::size_t width = 0;
  const auto shown = [](const CommandRow& row) {
    const bool fits = row.arguments.size() <= arguments_shown_max;
    return std::string(row.name) + (row.arguments.empty() ? "" : " " + (fits ? std::string(row.arguments) : "..."));
  };
  for (const CommandRow& row : command_table) {
    if (!row.hidden) width = std::max(width, shown(row).size());
  }
  std::string text, others;
  for (const CommandRow& row : command_table) {
    if (row.hidden) continue;
    if (row.rare && !all) {
      others += (others.empty() ? "" : ", ") + std::string(row.name);
      continue;
    }
    const std::string name = shown(row);
    text += "  " + name + std::string(width - name.size() + 2, ' ') + std::string(row.summary) + "\n";
  }
  return others.empty() ? text : text + "  and " + others + "\n";
}

// The first lines of both help pages.
std::string introduction(bool all) {
  return "Millrace: what is open, what is late, what changed. A live server over your order files.\n\n"
         "Examples\n"
         "  millrace demo                                 a made-up company, in your browser\n"
         "  millrace scan /srv/share/orders               what your folder says, once\n"
         "  millrace serve --orders /srv/share/orders     the live server\n\n"
         "Commands\n" +
         command_lines(all) + "\n" + "`millrace COMMAND -h` shows one command, `millrace --help` everything.\n";
}

}  // namespace

std::span<const CommandRow> command_rows() { return command_table; }
std::span<const OptionRow> common_options() { return common_table; }

const CommandRow* find_command(std::string_view name) {
  const auto found = std::ranges::find(command_table, name, &CommandRow::name);
  return found == command_table.end() ? nullptr : &*found;
}

std::string Invocation::option(std::string_view flag, std::string_view otherwise) const {
  const auto found = options.find(flag);
  return found == options.end() ? std::string(otherwise) : found->second.back();
}

Result<Invocation> parse_command_line(std::span<const std::string> arguments) {
  CLI::App app;
  Taken taken;
  std::vector<std::string> positional;
  app.set_help_flag();
  app.allow_extras();
  app.require_subcommand(0, 1);  // behind the command its words are arguments: `token add export`
  const OptionRow version{"--version", "", "", "", false};
  add_option(app, version, taken);
  for (const OptionRow& row : common_table) add_option(app, row, taken);
  for (const CommandRow& row : command_table) {
    CLI::App* sub = app.add_subcommand(std::string(row.name));
    sub->set_help_flag();
    sub->allow_extras();
    for (const OptionRow& option : row.options) add_option(*sub, option, taken);
    for (const OptionRow& option : common_table) add_option(*sub, option, taken);
    sub->add_option("arguments", positional);
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as the library wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return fail(ErrorCode::invalid_input, error.what());
  }
  Invocation invocation;
  const auto chosen = app.get_subcommands();
  if (!chosen.empty()) invocation.command = find_command(chosen.front()->get_name());
  for (const std::string& rest : app.remaining(true)) {
    if (rest.starts_with('-') && rest != "--") return unknown_flag(rest, invocation.command);
    if (invocation.command == nullptr) return unknown_command(rest);
    positional.push_back(rest);
  }
  if (auto common = take_common(taken, invocation); !common) return pass_on(common);
  if (invocation.command == nullptr) return invocation;
  take_options(*invocation.command, taken, invocation);
  invocation.arguments = std::move(positional);
  if (invocation.help == HelpWanted::none) {
    if (auto checked = check_arguments(*invocation.command, invocation.arguments); !checked) return pass_on(checked);
  }
  return invocation;
}

std::string short_help() { return introduction(false); }

std::string full_help() {
  std::string text = introduction(true) + "\nFlags of every command\n" + option_lines(common_table);
  for (const CommandRow& row : command_table) {
    if (!row.hidden) text += "\n" + full_help(row);
  }
  text += "\nSettings: flag, then MILLRACE_<NAME>, then the user's settings file, then /etc/millrace/millrace.toml\n";
  for (const SettingRow& row : setting_rows()) {
    text += "  " + std::string(row.name) + std::string(20 - std::min<std::size_t>(19, row.name.size()), ' ') +
            std::string(row.help);
    if (!row.fallback.empty()) text += " [" + std::string(row.fallback) + "]";
    text += "\n";
  }
  return text + "\n" + std::string(exit_codes_text);
}

std::string short_help(const CommandRow& command) {
  std::string text =
      "Examples\n" + examples_text(command) + "\n" + usage_line(command) + ": " + std::string(command.summary) + "\n";
  if (!command.options.empty()) text += "\n" + option_lines(command.options);
  return text + "\nAlso --config FILE, --json, --quiet, --color WHEN; `--help` says more.\n";
}

std::string full_help(const CommandRow& command) {
  std::string text = usage_line(command) + ": " + std::string(command.summary) + "\n";
  if (!command.details.empty()) text += std::string(command.details) + "\n";
  text += examples_text(command);
  if (!command.options.empty()) text += option_lines(command.options);
  return text;
}

std::string first_steps() {
  return "Millrace: nothing runs here yet. Three things to do first:\n"
         "  1  millrace demo                              look at a made-up company in your browser\n"
         "  2  millrace scan /path/to/orders              see what your own order folder says; changes nothing\n"
         "  3  millrace serve --orders /path/to/orders    start the live server\n"
         "`millrace -h` lists all commands.\n";
}

}  // namespace millrace::app
