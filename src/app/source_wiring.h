// From the settings of sources to what the road runs: services of the ERP module and sources that are pushed to.
//
// Invariants
//   * A source whose secret cannot be read does not keep the others from starting: it stands there as failed, with the
//     sentence that says what to do, and starts when the file is put right (renewed_source.h).
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "erp/service_source.h"
#include "ingest/push_desk.h"
#include "ingest/sources.h"

namespace millrace::app {

// Errors   invalid_input  a secret cannot be read, or the certificate file; the text says which and what to do
Result<erp::ServiceSourceOptions> service_options(const SourceSettings& source, const Environment& environment);

struct Wiring {
  const Environment& environment;
  const ingest::ParserPoolOptions& parsers;
  ingest::PushDesk& desk;  // gets the sources that are pushed to; outlives them
  metrics::Registry& metrics;
  const Clock& clock;
  std::function<void()> news;
};
std::vector<ingest::ServiceOptions> wire_sources(const std::vector<SourceSettings>& sources, const Wiring& wiring);

// What the webhooks of each source are signed with, as its file says now. A key that cannot be read is logged; its source
// takes none then. Any thread may ask.
class WebhookKeys {
 public:
  WebhookKeys(const std::vector<SourceSettings>& sources, Environment environment);
  std::optional<std::string> of(std::string_view source);

 private:
  struct Kept {
    std::string file, stamp;
    bool looked = false;
    std::optional<std::string> key;
  };
  const Environment environment_;
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> keys_;  // guarded by mutex_
};

// The ids of all sources of these settings: folders, then the others. What the order book is restored with.
std::vector<std::string> source_ids(const Settings& settings);
// Errors   not_found  no such source among those that are no folders; the text lists those there are
Result<SourceSettings> find_source(const Settings& settings, std::string_view id);

}  // namespace millrace::app
