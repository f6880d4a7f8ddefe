// All sources of one server, folders and services: their threads, the shared parsers and the intake. The live implementation of Control.
//
// Invariants
//   * Every source has a thread of its own: a share that hangs stops only itself, and a watchdog says so.
//   * stop() waits a bounded time. A thread that still hangs in the kernel then is left behind with all it may touch,
//     for ever: the process is about to end.
//   * start() restores what the record knows before the first listing; stop() is start in reverse.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingest/control.h"
#include "ingest/folder_source.h"
#include "ingest/overlay_desk.h"
#include "ingest/source.h"

namespace millrace::ingest {

// A source that reads no files: an ERP.
struct ServiceOptions {
  std::string id;  // as its `status` says
  // Called once, after the order book was restored. Errors end the start.
  std::function<Result<std::unique_ptr<Source>>(Intake&, store::Record&)> make;
  // A system that books orders: where it and a folder speak of one order they are joined, and it counts as "erp" in the
  // rules (JoinRules). False for what merely hands documents over.
  bool is_erp = true;
};

struct SourcesOptions {
  std::vector<FolderSourceOptions> folders;  // ids may be empty: they are named after their folders
  ParserPoolOptions parsers;
  std::optional<WarmBook> warm = std::nullopt;          // instead of reading the whole record
  std::function<void(const Error&)> warm_refused = [](const Error&) {};
  bool prepare_parsers = true;                          // after a warm start's first look; else with the first document
  std::vector<ServiceOptions> services = {};            // they need no parsers
  JoinRules join = {};                                  // whose value counts where several sources speak of one order
  OverlayFields overlay = OverlayFields();              // what people may write on orders
};

// "Orders", "/srv/share/Orders 2026" -> "orders", "orders-2026"; never empty.
std::string source_id_of(std::string_view root);

class Sources final : public Control {
 public:
  // Errors   invalid_input  two sources with one id, or a service without one
  //          those of ParserPool::start, Intake::restore and of what makes the services
  static Result<std::unique_ptr<Sources>> start(SourcesOptions options, store::Record& record, metrics::Registry& metrics,
                                                const Clock& clock);
  ~Sources() override;
  void stop();

  std::vector<SourceStatus> sources() const override;  // folders, then services
  Result<void> refresh(std::string_view source, bool reread_everything) override;
  Result<void> pause(std::string_view source) override;
  Result<void> resume(std::string_view source) override;
  Result<void> set_interval(std::string_view source, std::chrono::seconds interval) override;
  Result<void> accept_vanished(std::string_view source) override;
  Result<void> reject_held(std::string_view source) override;
  Result<void> hint(std::string_view source, std::string_view stream, std::vector<std::string> keys) override;
  Result<void> replay(std::uint64_t rejection_id) override;
  Result<feed::Change> decide(const DifferenceChoice& choice, const std::string& source, const std::string& by) override;
  Result<feed::Change> undecide(const DifferenceChoice& choice) override;

  std::string sandbox() const;
  Intake& intake() { return *intake_; }
  OverlayDoor& overlays() { return overlays_; }

 private:
  void hand_out(std::vector<ParseAnswer> together);
  Sources(store::Record& record, const SourcesOptions& options, const Clock& clock);
  Result<Source*> find(std::string_view id) const;
  template <class Act>
  Result<void> on(std::string_view id, Act act);
  Result<void> start_parsers(SourcesOptions& options, metrics::Registry& metrics);
  void make_folders(SourcesOptions& options, metrics::Registry& metrics, const Clock& clock);
  Result<void> make_services(const SourcesOptions& options, store::Record& record);
  void start_threads(metrics::Registry& metrics);
  void watch_for_hangs(metrics::Registry& metrics);
  void end_overlays();
  std::vector<std::size_t> wait_for_threads();

  const Clock& clock_;
  std::unique_ptr<Intake> intake_;
  OverlayDesk overlays_;
  std::vector<std::unique_ptr<Source>> sources_;  // folders, then services
  std::vector<FolderSource*> folders_;            // of them
  std::vector<Source*> patient_;                  // of them: their threads let others first
  std::unique_ptr<ParserPool> pool_;  // stops before the folders it answers to go
  std::function<void()> prepare_;     // starts the parsers, if that was put off
  std::vector<std::thread> threads_;
  std::thread watchdog_;
  struct Running;
  std::shared_ptr<Running> running_;  // outlives a thread that is left behind
};

}  // namespace millrace::ingest
