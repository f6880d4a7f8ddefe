// What each command does. Every one answers the exit code of the process; results go to stdout, the rest to stderr.
#pragma once
#include <atomic>
#include <string>

#include "app/command_line.h"
#include "app/console.h"
#include "app/exit_code.h"
#include "app/settings.h"
#include "base/time.h"
#include "ingest/parser_pool.h"

namespace millrace::app {

struct CommandContext {
  const Invocation& invocation;
  const ResolvedSettings& settings;
  Console& console;
  const Clock& clock;
  const std::atomic<bool>& stop;  // SIGINT, SIGTERM
};

int run_scan(const CommandContext& context);
int run_sync(const CommandContext& context);
int run_export(const CommandContext& context);
int run_import(const CommandContext& context);
int run_pack(const CommandContext& context);
int run_cash(const CommandContext& context);
int run_status(const CommandContext& context);
int run_doctor(const CommandContext& context);
int run_backup(const CommandContext& context);
int run_restore(const CommandContext& context);
int run_user(const CommandContext& context);
int run_token(const CommandContext& context);
int run_tls(const CommandContext& context);
int run_audit(const CommandContext& context);
int run_jobs(const CommandContext& context);
int run_version(const CommandContext& context);
int run_config(const CommandContext& context);

// Prints the error and answers its exit code.
int report(Console& console, const Error& error);

// Whether a server answers on the default address: decides what `millrace` alone shows.
bool server_answers(const std::string& address);

// ---- shared with `serve` (live_server.cpp)
// How documents are read under these settings, with the layout profile loaded.
// Errors   not_found      the layout profile's file
//          invalid_input  the profile is wrong; the text names file, line and key
Result<ingest::ParserPoolOptions> parser_options(const Settings& settings);

}  // namespace millrace::app
