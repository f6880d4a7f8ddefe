// `tls`: a certificate for a company that has no authority of its own, and how long the one in use is good for.
#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/commands.h"
#include "app/tls_settings.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "server/tls.h"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 2> acts{"init", "status"};
constexpr std::int64_t days_low = 30;  // from then on `status` asks for a new one

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// This machine always answers to its own name and to loopback.
std::vector<std::string> wanted_names(const CommandContext& context) {
  std::vector<std::string> names;
  if (const auto given = context.invocation.options.find("--host"); given != context.invocation.options.end()) names = given->second;
  for (const std::string& own : {machine_name(), std::string("localhost"), std::string("127.0.0.1"), std::string("::1")})
    if (std::ranges::find(names, own) == names.end()) names.push_back(own);
  return names;
}

std::int64_t days_left(const server::CertificateFacts& facts, Instant now) {
  return std::chrono::floor<std::chrono::days>(facts.not_after - now).count();
}

void write_facts(JsonWriter& json, const server::TlsFiles& files, const server::CertificateFacts& facts, Instant now) {
  json.field("certificate", files.certificate).field("key", files.key).field("subject", facts.subject).field("issuer", facts.issuer);
  json.key("names").begin_array();
  for (const std::string& name : facts.names) json.text(name);
  json.end_array();
  json.field("not_before", rfc3339(facts.not_before)).field("not_after", rfc3339(facts.not_after));
  json.field("days_left", days_left(facts, now)).field("fingerprint", facts.fingerprint);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

int init(const CommandContext& context) {
  const Settings& settings = context.settings.values;
  const Instant now = context.clock.now();
  const auto made = server::make_tls_files(server::tls_folder(settings.data), wanted_names(context), now);
  if (!made) return report(context.console, made.error());
  const auto facts = server::check_tls_files(made->files);
  if (!facts) return report(context.console, facts.error());
  std::ostream& out = context.console.out();
  if (context.invocation.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_facts(json, made->files, *facts, now);
    json.field("authority", made->authority_file).field("authority_fingerprint", made->authority_fingerprint).field("authority_is_new", made->authority_is_new);
    json.end_object();
    out << text << "\n" << std::flush;
    return exit_ok;
  }
  out << "certificate  " << made->files.certificate << "\n"
      << "speaks for   " << joined(facts->names) << "\n"
      << "good for     " << days_left(*facts, now) << " days; `millrace tls init` again makes the next one, a running server takes it\n"
      << "fingerprint  " << facts->fingerprint << "\n"
      << "authority    " << made->authority_file << (made->authority_is_new ? "" : " (as before)") << "\n"
      << "             " << made->authority_fingerprint << "\n\n"
      << "On every machine that shall reach this server, once: copy the authority there, compare its fingerprint, and trust it.\n"
      << "  Debian, Ubuntu   sudo cp ca.pem /usr/local/share/ca-certificates/millrace.crt && sudo update-ca-certificates\n"
      << "  Fedora           sudo trust anchor ca.pem\n"
      << "  Windows          certutil -addstore Root ca.pem\n"
      << "  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem\n"
      << "  Firefox          Settings > Certificates > Authorities > Import\n"
      << std::flush;
  return exit_ok;
}

int status(const CommandContext& context) {
  const Settings& settings = context.settings.values;
  server::TlsFiles files = tls_files(settings);
  if (files.empty()) files = server::made_tls_files(server::tls_folder(settings.data));
  const auto facts = server::check_tls_files(files);
  if (!facts) return report(context.console, facts.error());
  const Instant now = context.clock.now();
  const std::int64_t days = days_left(*facts, now);
  std::ostream& out = context.console.out();
  if (context.invocation.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_facts(json, files, *facts, now);
    json.end_object();
    out << text << "\n" << std::flush;
  } else {
    out << "certificate  " << files.certificate << "\n"
        << "speaks for   " << joined(facts->names) << "\n"
        << "issued by    " << facts->issuer << "\n"
        << (days >= 0 ? "good for     " + std::to_string(days) + " days, until " : "ended        ") << rfc3339(facts->not_after) << "\n"
        << "fingerprint  " << facts->fingerprint << "\n"
        << std::flush;
  }
  if (now < facts->not_before) context.console.error("the certificate counts from " + rfc3339(facts->not_before) + " only; look at the clock of this machine");
  else if (days < days_low) context.console.error("make a new one with `millrace tls init`, or ask whoever issued this one");
  return days < 0 ? exit_failed : exit_ok;
}

}  // namespace

int run_tls(const CommandContext& context) {
  const auto& arguments = context.invocation.arguments;
  if (std::ranges::find(acts, arguments.front()) == acts.end())
    return report(context.console, Error(ErrorCode::invalid_input, "`millrace tls` cannot \"" + printable(arguments.front()) + "\"; it knows init and status"));
  return arguments.front() == "init" ? init(context) : status(context);
}

}  // namespace millrace::app
