#include "server/internal/write_down.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

Result<void> write_down(const Request& request, Backend& backend, Deed deed) {
  if (backend.services.audit == nullptr) return {};  // a server without people, as in tests
  people::Actor actor = actor_of(request);
  // A machine with a key of its source: what it may do is said in the settings, not by a user.
  if (request.caller->by == people::Identity::By::nobody) actor.who = deed.object, actor.via = "key of the source";
  std::vector<people::AuditEntry> entries;
  entries.push_back({std::move(actor), std::move(deed.verb), std::move(deed.object), std::move(deed.before), std::move(deed.after)});
  store::Batch batch;
  batch.source = "people";
  const auto stored = backend.services.audit->commit(std::move(batch), std::move(entries));
  if (!stored) return pass_on(stored);
  return {};
}

void write_down_refusal(const Request& request, Backend& backend, const Deed& deed, const Error& error) {
  std::string reason;
  JsonWriter json(reason);
  json.begin_object().field("reason", error.text()).end_object();
  const auto written = write_down(request, backend, {deed.verb + ".refused", deed.object, {}, std::move(reason)});
  if (!written) log_warning("audit_not_written", {{"verb", deed.verb}, {"object", deed.object}, {"error", written.error().text()}});
}

}  // namespace millrace::server
