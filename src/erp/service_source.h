// An ERP as a source: keeps all its streams in step, as one background loop with a `step()`.
//
//   Remote ── pages ──> StreamSync (one per stream, in order) ──> mapping ──> Intake (order book + kept rows, one commit)
//
// Invariants
//   * State is committed with the rows it speaks of; a kill between any two statements loses nothing and repeats at most
//     one page.
//   * A quiet sync writes nothing at all.
//   * A row leaves us only after it was asked for by key and not answered; more than `gone_share_max` of a stream, or an
//     open total that moves more than `total_share_max`, is held until a person accepts or rejects it.
//   * The last good state is served meanwhile; readers never wait for a sync.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "erp/remote.h"
#include "ingest/intake.h"
#include "ingest/source.h"
#include "metrics/metrics.h"
#include "outbound/http_client.h"

namespace millrace::erp {

struct GuardOptions {
  double gone_share_max = 0.02;
  std::uint64_t gone_always = 20;     // fewer than these are never held
  double closed_share_max = 0.20;     // of the open rows
  double total_share_max = 0.20;      // of the open total per currency
};

struct ServiceSourceOptions {
  std::string id;    // "sap"
  Dialect dialect = Dialect::sap_b1_v2;
  ConnectOptions connect;
  outbound::HttpClientOptions http;
  outbound::CareOptions care;
  GuardOptions guard;
  std::chrono::seconds interval{300};            // M044: 5 to 10 minutes
  std::chrono::seconds interval_max{1800};       // adapts up to here when the ERP is slow
  int first_sync_days = 0;                       // M050: 0 reads all orders; n: open orders and those of the last n days
  int recent_days = 5;                           // M051: asked again by every sync beside the changed ones
  std::chrono::minutes overlap{120};
  std::size_t slice_keys = 2000;
  std::uint64_t seed = 0;                        // of jitter; 0: from the clock
  std::vector<std::string> streams;              // empty: all the dialect has
  bool finance = true;                           // its papers are finance documents too; false: somebody else keeps the books
  bool one_sync = false;                         // the session is given back at the end of a sync, and counted in it
  TimeZone time_zone;                            // of the ERP's clock: its stamps as instants a person sees, never the watermark
  std::function<void()> news;
};

// Errors   invalid_input  options that cannot work (no address, two secrets, an unreadable CA file)
Result<std::unique_ptr<ingest::Source>> make_service_source(ServiceSourceOptions options, ingest::Intake& intake,
                                                            store::Record& record, metrics::Registry& metrics, const Clock& clock);

// The same with a peer of one's own and its own time: for tests and the harness.
std::unique_ptr<ingest::Source> make_service_source(ServiceSourceOptions options, ingest::Intake& intake, store::Record& record,
                                                    metrics::Registry& metrics, const Clock& clock,
                                                    outbound::Transport& transport, outbound::Pace& pace);

}  // namespace millrace::erp
