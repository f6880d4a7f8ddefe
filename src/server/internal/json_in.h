// The few JSON documents that clients send: small, parsed whole, refused when anything is wrong.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/cash_scenario.h"
#include "ingest/overlay.h"
#include "jobs/control.h"

namespace millrace::server {

struct LiveCommand {
  enum class Op { subscribe, unsubscribe } op = Op::subscribe;
  std::string id;
  std::string topic;
  std::optional<std::uint64_t> since;
};
Result<LiveCommand> parse_live_command(std::string_view text);

// {"field": "quantity", "line": 2, "source": "orders", "by": "Ann"}; `line` and `by` may be missing.
struct DecisionCommand {
  std::string field, source, by;
  std::int32_t line = 0;
};
Result<DecisionCommand> parse_decision(std::string_view text);
// The same without its source.
Result<DecisionCommand> parse_undecision(std::string_view text);

// {"kind": "report", "payload": {..}, "priority": 0, "unique_key": "..", "run_after": "2026-11-23T02:00:00Z", "tries_max": 3, "by": "Ann"};
// all but `kind` may be missing.
Result<jobs::NewJob> parse_new_job(std::string_view text);
// {"kind": "report", "timing": "30 2 * * *", "payload": {..}, "priority": 0, "enabled": true, "by": "Ann"}
Result<jobs::Schedule> parse_schedule(std::string_view text);

// {"priority": 7, "note": null, "hold": {"value": "paint", "expires": "2026-12-24T00:00:00Z"}}: a JSON merge patch of the
// fields that people write; null takes away what was written.
Result<std::vector<ingest::OverlayWish>> parse_overlay_patch(std::string_view text);
// {"edit": 12, "also_later": true}, or {"group": 12}; `also_later` may be missing.
struct UndoCommand {
  std::uint64_t number = 0;
  bool also_later = false;
};
Result<UndoCommand> parse_undo(std::string_view text, const char* name);

// {"name": "ACME pays later", "changes": [{"kind": "customer_later", "party": "C1", "days": 30}]}; other members of a scenario
// (id, version, author, at) may come back with it and say nothing.
struct ScenarioCommand {
  std::string name;
  std::vector<ScenarioChange> changes;
};
Result<ScenarioCommand> parse_scenario(std::string_view text);

// {"interval_s": 600}
Result<std::int64_t> parse_interval(std::string_view text);

// What an ERP tells about one of its records: {"id":..,"type":"sap.b1.Orders.Updated.v1","subject":"4711",..}
struct WebhookEvent {
  std::string id;      // of the delivery, to know it again
  std::string object;  // "Orders"
  std::string key;     // "4711"
};
inline constexpr std::size_t webhook_events_max = 1024;
// An array of events, or one. Events of another shape are left out: the next sync finds what they meant.
Result<std::vector<WebhookEvent>> parse_webhook(std::string_view text);

}  // namespace millrace::server
