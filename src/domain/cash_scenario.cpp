#include "domain/cash_scenario.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace millrace {
namespace {

using Kind = ScenarioChange::Kind;

struct KindRow {
  Kind kind;
  std::string_view word;
  bool party, order, days, rate;  // what it needs
};
constexpr std::array kinds = std::to_array<KindRow>({
    {Kind::customer_later, "customer_later", true, false, true, false},
    {Kind::order_slips, "order_slips", false, true, true, false},
    {Kind::supplier_later, "supplier_later", true, false, true, false},
    {Kind::pay_later, "pay_later", false, false, true, false},
    {Kind::rate, "rate", false, false, false, true},
    {Kind::no_new_orders, "no_new_orders", false, false, false, false},
});
constexpr std::size_t code_max = 200;
constexpr std::uint8_t format = 1;

std::string kind_words() {
  std::string text;
  for (const KindRow& row : kinds) text += (text.empty() ? "" : ", ") + std::string(row.word);
  return text;
}

Failure wrong(std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); }

Result<void> take_rate(const ScenarioWish& wish, ScenarioChange& change) {
  const auto from = Currency::parse(wish.from), to = Currency::parse(wish.to);
  if (!from || !to || *from == *to) return wrong("\"rate\" needs \"from\" and \"to\", two different currencies such as USD and EUR");
  const auto decimal = parse_decimal(wish.percent);
  if (!decimal) return wrong("\"rate\" needs \"percent\", a number such as -5 or 2.5");
  const auto micros = to_micros(*decimal, "percent");
  if (!micros) return pass_on(micros);
  if (*micros <= -100 * micros_per_one || *micros > 1000 * micros_per_one) return wrong("\"percent\" of a rate lies above -100 and is at most 1000");
  change.from = *from;
  change.to = *to;
  change.percent.micros = *micros;
  return {};
}

}  // namespace

std::string_view word(Kind kind) {
  const auto row = std::ranges::find(kinds, kind, &KindRow::kind);
  return row == kinds.end() ? std::string_view() : row->word;
}

Result<ScenarioChange> scenario_change(const ScenarioWish& wish) {
  const auto row = std::ranges::find(kinds, std::string_view(wish.kind), &KindRow::word);
  if (row == kinds.end()) return wrong("there is no change \"" + printable(std::string_view(wish.kind).substr(0, 40)) + "\"; there are " + kind_words());
  ScenarioChange change;
  change.kind = row->kind;
  if (row->party) {
    if (wish.party.empty() || wish.party.size() > code_max) return wrong("\"" + std::string(row->word) + "\" needs \"party\", the code of a customer or supplier");
    change.party = wish.party;
  }
  if (row->order) {
    if (wish.order.empty() || wish.order.size() > code_max) return wrong("\"order_slips\" needs \"order\", the number of an order");
    change.order = wish.order;
  }
  if (row->days) {
    if (wish.days == 0 || wish.days < -scenario_days_max || wish.days > scenario_days_max)
      return wrong("\"" + std::string(row->word) + "\" needs \"days\", between -" + std::to_string(scenario_days_max) + " and " + std::to_string(scenario_days_max) + " and not 0");
    change.days = static_cast<std::int32_t>(wish.days);
  }
  if (row->rate)
    if (const auto taken = take_rate(wish, change); !taken) return pass_on(taken);
  return change;
}

Result<void> check_scenario(const Scenario& scenario) {
  if (trim(scenario.name).empty() || scenario.name.size() > scenario_name_max)
    return wrong("a scenario has a name of 1 to " + std::to_string(scenario_name_max) + " characters");
  if (scenario.changes.empty() || scenario.changes.size() > scenario_changes_max)
    return wrong("a scenario has 1 to " + std::to_string(scenario_changes_max) + " changes");
  return {};
}

std::string encode(const Scenario& scenario) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(format);
  out.text(scenario.id);
  out.text(scenario.name);
  out.varint(scenario.version);
  out.text(scenario.author);
  out.signed_varint(scenario.at.time_since_epoch().count());
  out.varint(scenario.changes.size());
  for (const ScenarioChange& change : scenario.changes) {
    out.u8(static_cast<std::uint8_t>(change.kind));
    out.text(change.party);
    out.text(change.order);
    out.signed_varint(change.days);
    out.varint(change.from.packed());
    out.varint(change.to.packed());
    out.signed_varint(change.percent.micros);
  }
  return bytes;
}

Result<Scenario> decode_scenario(std::string_view bytes) {
  ByteReader in(bytes);
  Scenario scenario;
  const bool known = in.u8() == format;
  scenario.id = in.text();
  scenario.name = in.text();
  scenario.version = in.varint();
  scenario.author = in.text();
  scenario.at = Instant(std::chrono::milliseconds(in.signed_varint()));
  scenario.changes.resize(in.count(7));
  bool kinds_known = true;
  for (ScenarioChange& change : scenario.changes) {
    change.kind = static_cast<Kind>(in.u8());
    kinds_known = kinds_known && !word(change.kind).empty();
    change.party = in.text();
    change.order = in.text();
    change.days = static_cast<std::int32_t>(in.signed_varint());
    change.from = Currency::from_packed(static_cast<std::uint32_t>(in.varint()));
    change.to = Currency::from_packed(static_cast<std::uint32_t>(in.varint()));
    change.percent.micros = in.signed_varint();
  }
  if (!known || !kinds_known || !in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "a kept scenario is damaged; restore the record from its newest backup");
  return scenario;
}

}  // namespace millrace
