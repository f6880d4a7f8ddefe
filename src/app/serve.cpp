#include "app/serve.h"

#include <malloc.h>
#include <signal.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <iostream>

#include "app/build_info.h"
#include "app/console.h"
#include "app/demo_company.h"
#include "app/demo_erp.h"
#include "app/demo_files.h"
#include "app/demo_finance.h"
#include "app/demo_ticker.h"
#include "app/exit_code.h"
#include "app/live_server.h"
#include "app/loopback_http.h"
#include "app/service_manager.h"
#include "app/settings_report.h"
#include "base/log.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto stop_patience = 10s;
constexpr auto look_pause = 100ms;
constexpr std::uint64_t erp_tick_every = 4;  // changes of the folder for one that only the ERP knows
constexpr std::uint64_t payment_tick_every = 2;  // ticks that changed nothing of what is invoiced
constexpr std::size_t finance_batch = 2000;        // documents in one commit

// Signals as a queue that one thread reads: no handler runs in the middle of anything. Constructed before any
// other thread, so that all of them inherit the mask.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  // The next signal within `patience`, 0 when none came.
  int wait(std::chrono::milliseconds patience) const {
    const timespec time{patience.count() / 1000, patience.count() % 1000 * 1'000'000};
    const int signal = ::sigtimedwait(&set_, nullptr, &time);
    return signal < 0 ? 0 : signal;
  }
  // From now on a signal ends the process at once: somebody asked twice.
  void unblock() const { ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_{};
};

// What runs beside the server in demo mode.
struct Demo {
  Demo(DemoCompany made, DemoTree written, const Settings& settings)
      : company(std::move(made)), tree(std::move(written)), ticker(company, settings.data, tree), pause(settings.demo_pause) {}

  const DemoCompany company;  // the ticker refers to it
  const DemoTree tree;
  DemoTicker ticker;
  const std::chrono::milliseconds pause;
  std::unique_ptr<DemoErp> erp;
  std::unique_ptr<DemoFinance> finance;
  std::uint64_t ticks = 0;
  Stopwatch::time_point next = Stopwatch::now();
};

int report(Console& console, const Error& error) {
  console.error(error.text());
  return exit_code_of(error.code());
}

Result<void> make_data_folder(const std::string& data) {
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) return fail(ErrorCode::unavailable, "cannot create the data folder " + data + ": " + error.message() + "; choose another one with --data");
  return {};
}

Result<std::unique_ptr<Demo>> prepare_demo(const Settings& settings, Console& console, const Clock& clock) {
  const DemoOptions options{settings.demo_seed, settings.demo_orders, utc_day(clock.now())};
  DemoCompany company(options);
  console.note("  company    " + std::string(DemoCompany::name()) + ": " + grouped(company.customers().size()) + " customers, " +
               grouped(company.items().size()) + " items, " + grouped(options.order_count) + " orders   (seed " +
               std::to_string(options.seed) + ")");
  const auto began = Stopwatch::now();
  Progress progress(console, "generate", "orders", began);
  const std::atomic<bool> never{false};
  auto tree = prepare_demo_tree(settings.data, company, never,
                                [&](std::size_t done, std::size_t total) { progress.update(done, total, Stopwatch::now()); });
  progress.finish();
  if (!tree) return pass_on(tree);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began);
  console.note(tree->files_written > 0 ? "  generate   " + grouped(tree->files_written) + " files in " + tree->root + "   " + duration_text(took)
                                       : "  generate   the company of an earlier run is still in " + tree->root);
  auto demo = std::make_unique<Demo>(std::move(company), std::move(*tree), settings);
  auto erp = DemoErp::start(demo->company, demo->tree, settings.data, clock);
  if (!erp) return pass_on(erp);
  demo->erp = std::move(*erp);
  console.note("  erp        a simulated SAP Business One at " + demo->erp->url());
  return demo;
}

// The books of the company's day; those of an earlier day are replaced, those of today stay as they went on.
Result<void> write_finance(Demo& demo, LiveServer& live, Console& console) {
  const auto began = Stopwatch::now();
  demo.finance = std::make_unique<DemoFinance>(demo.company);
  const auto snapshot = live.snapshot();
  std::vector<ingest::FinanceWriter::Removal> known;
  for (std::size_t kind = 1; kind < finance_kind_count; ++kind) {
    snapshot->finance().each(static_cast<FinanceKind>(kind), [&](const readmodel::FinancePtr& document) {
      if (document->source == DemoFinance::source) known.push_back({document->kind, document->source, finance_key(*document), ""});
      return true;
    });
  }
  if (demo.tree.files_written == 0 && !known.empty()) return {};
  std::set<std::pair<FinanceKind, std::string>> stays;
  for (const FinanceDocument& document : demo.finance->first_day()) stays.emplace(document.kind, finance_key(document));
  std::erase_if(known, [&](const auto& removal) { return stays.contains({removal.kind, removal.key}); });
  const auto& documents = demo.finance->first_day();
  for (std::size_t begin = 0; begin < documents.size(); begin += finance_batch) {
    ingest::FinanceWriter::Wishes wishes;
    wishes.put.assign(documents.begin() + static_cast<std::ptrdiff_t>(begin),
                      documents.begin() + static_cast<std::ptrdiff_t>(std::min(begin + finance_batch, documents.size())));
    if (begin == 0) wishes.removed = std::move(known);
    if (const auto written = live.finance_writer().write(std::move(wishes)); !written) return pass_on(written);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began);
  console.note("  books      " + grouped(documents.size()) + " invoices, payments, costs and balances   " + duration_text(took));
  return {};
}

void tick_finance(Demo& demo, LiveServer& live, const SalesOrder* changed, Day today) {
  if (demo.finance == nullptr) return;
  ingest::FinanceWriter::Wishes wishes;
  if (changed != nullptr) wishes.put = demo.finance->follow(*changed, today);
  if (wishes.put.empty() && demo.ticks % payment_tick_every == 0) wishes.put = demo.finance->pay_next(today);
  if (wishes.put.empty()) return;
  if (const auto written = live.finance_writer().write(std::move(wishes)); !written) log_warning("demo_finance_failed", {{"reason", written.error().text()}});
}

void tick(Demo& demo, LiveServer& live, const std::string& data, Instant now) {
  if (demo.pause == 0ms || Stopwatch::now() < demo.next) return;
  demo.next = Stopwatch::now() + demo.pause;
  if (const auto changed = demo.ticker.step(now)) {
    log_debug("demo_tick", {{"what", changed->text}});
    if (const auto booked = demo.erp->follow(changed->order); !booked) log_warning("demo_erp_failed", {{"reason", booked.error().text()}});
    tick_finance(demo, live, &changed->order, utc_day(now));
  } else {
    log_warning("demo_tick_failed", {{"data", data}, {"reason", changed.error().text()}});
  }
  if (++demo.ticks % erp_tick_every != 0) return;
  const auto booked = demo.erp->tick();
  if (booked) log_debug("demo_erp_tick", {{"what", *booked}});
  else log_warning("demo_erp_failed", {{"reason", booked.error().text()}});
}

void say_load(Console& console, const Road::Loaded& loaded) {
  const std::string took = duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(loaded.took));
  const std::string changes = grouped(loaded.changes) + " changes from the record";
  if (loaded.warm_as_of.value > 0)
    console.note("  load       warm start as of change " + grouped(loaded.warm_as_of.value) + ", " + changes + "   " + took);
  else if (loaded.changes > 0)
    console.note("  load       " + changes + "   " + took);
}

void say_first_look(Console& console, const std::vector<ingest::SourceStatus>& sources) {
  for (const ingest::SourceStatus& source : sources) {
    if (source.service) {
      console.note("  follow     " + source.id + ": " + source.root + ", " + grouped(source.orders) + " orders so far");
      continue;
    }
    console.note("  read       " + source.root + ": " + grouped(source.files) + " files, " + grouped(source.files_read) + " opened, " +
                 grouped(source.orders) + " orders, " + grouped(source.rejections) + " rejections   " + duration_text(source.refresh_took));
  }
}

// Shows how far the first look at the sources is, until it ends or somebody asks to stop. Answers that signal.
int watch_first_look(LiveServer& live, ServiceManager& manager, Console& console, const Signals& signals) {
  Progress progress(console, "read", "files", Stopwatch::now());
  for (;;) {
    const auto sources = live.sources();
    std::uint64_t done = 0, total = 0;
    bool looking = false;
    for (const ingest::SourceStatus& source : sources) {
      if (source.service) continue;  // a first sync may take long and nobody has to wait for it
      done += source.progress_done;
      total += source.progress_total;
      looking |= source.refresh_count == 0 && (source.state == ingest::SourceState::starting || source.state == ingest::SourceState::scanning);
    }
    if (!looking) {
      progress.finish();
      say_first_look(console, sources);
      manager.status(live.url());
      return 0;
    }
    progress.update(done, total, Stopwatch::now());
    manager.status("reading the order folders");
    manager.alive(live.network_silence());
    if (const int signal = signals.wait(look_pause)) {
      progress.finish();
      return signal;
    }
  }
}

void say_address(Console& console, const LiveServer& live, const std::string& first_link, const Settings& settings, ServeMode mode) {
  console.note("");
  console.note("  → " + live.url());
  console.note((live.asks_sign_in() ? "    sign-in needed" : "    no sign-in, loopback only") + std::string(" · Ctrl-C to stop · data in ") + settings.data);
  if (!first_link.empty()) {
    console.note("  first:  open this link to make the administrator; it holds for 24 hours and once");
    console.note("          " + first_link);
  }
  if (mode == ServeMode::demo) {
    console.note("  try:  edit a file below " + demo_orders_path(settings) + " and watch the screen change");
    console.note("        millrace status --listen " + live.address());
    console.note("        millrace export orders --data " + settings.data + " --format csv --where late=true");
  }
  console.err().flush();
}

// Answers of every size come and go between blocks that stay: the gaps they leave are given back now and then, or the heap
// creeps for half an hour before it stands.
class HeapUpkeep {
 public:
  void step(Stopwatch::time_point now) {
    if (now < due_) return;
    due_ = now + interval;
    if (::mallinfo2().fordblks > worth_bytes) ::malloc_trim(0);
  }

 private:
  static constexpr std::chrono::seconds interval{30};
  static constexpr std::size_t worth_bytes = 4u << 20;
  Stopwatch::time_point due_ = Stopwatch::now() + interval;
};

// Until somebody asks to stop: SIGHUP looks at all sources again, the demo ticks.
void serve_until_stopped(LiveServer& live, ServiceManager& manager, Demo* demo, const Settings& settings, const Signals& signals,
                         const Clock& clock) {
  HeapUpkeep upkeep;
  for (;;) {
    upkeep.step(Stopwatch::now());
    manager.alive(live.network_silence());
    const int signal = signals.wait(demo != nullptr ? look_pause : 1000ms);
    if (signal == SIGHUP) live.refresh_all();
    live.renew_tls(signal == SIGHUP);
    if (signal == SIGINT || signal == SIGTERM) return;
    if (demo != nullptr) tick(*demo, live, settings.data, clock.now());
  }
}

void open_browser(const std::string& address) {
  if (std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr) return;
  const std::string command = "xdg-open " + address + " >/dev/null 2>&1 &";
  if (std::system(command.c_str()) != 0) log_debug("browser_not_opened");
}

}  // namespace

int run_serve(const ResolvedSettings& resolved, ServeMode mode) {
  const Settings& settings = resolved.values;
  const Signals signals;
  // A mini PC has more memory to spare than a heap per thread is worth: two arenas serve all threads.
  ::mallopt(M_ARENA_MAX, 2);
  const SystemClock clock;
  // A newcomer looks at the lines of the demo, not at its log.
  const bool quiet_demo = mode == ServeMode::demo && settings.log_level == LogLevel::info;
  set_log_level(quiet_demo ? LogLevel::warning : settings.log_level);
  Console console(std::cout, std::cerr, console_of_process(process_environment()));
  console.note("millrace " + build_info().version + (mode == ServeMode::demo ? " · demo mode" : "") + " · nothing leaves this machine");
  if (const auto made = make_data_folder(settings.data); !made) return report(console, made.error());
  Settings served = settings;
  std::unique_ptr<Demo> demo;
  if (mode == ServeMode::demo) {
    auto prepared = prepare_demo(settings, console, clock);
    if (!prepared) return report(console, prepared.error());
    demo = std::move(*prepared);
    served.orders = {demo->tree.root};
    served.sources = {demo->erp->source()};  // the company's own are no part of the demo
    if (served.company.empty()) served.company = DemoCompany::name();
  }
  const auto began = Stopwatch::now();
  ServiceManager manager;
  Progress loading(console, "load", "changes", began);
  const auto report_load = [&](std::uint64_t done, std::uint64_t total) {
    loading.update(done, total, Stopwatch::now());
    manager.loading(done, total);
  };
  auto live = LiveServer::start(served, clock, report_load, settings_json(resolved));
  loading.finish();
  if (!live) return report(console, live.error());
  say_load(console, (*live)->loaded());
  if (demo != nullptr)
    if (const auto written = write_finance(*demo, **live, console); !written) return report(console, written.error());
  manager.ready((*live)->address());
  const int asked = watch_first_look(**live, manager, console, signals);
  ::malloc_trim(0);  // what the first look needed and nothing needs again
  if (asked == 0) {
    const auto first_link = (*live)->first_link();
    if (!first_link) console.error("no link for the first administrator could be made: " + first_link.error().text() + "; `millrace user setup-link` tries again");
    say_address(console, **live, first_link.value_or(""), served, mode);
    if (mode == ServeMode::demo && settings.demo_open_browser) open_browser((*live)->url());
    serve_until_stopped(**live, manager, demo.get(), served, signals, clock);
  }
  console.note("  stopping …");
  signals.unblock();
  manager.stopping();
  (*live)->stop(stop_patience);
  return exit_ok;
}

}  // namespace millrace::app
