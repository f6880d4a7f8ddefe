#include "ingest/order_join.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "ingest/internal/line_match.h"

namespace millrace::ingest {
namespace {

// What one side says of one value.
struct Says {
  std::size_t side = 0;
  std::string text;  // for people
  std::string key;   // equal keys are one value
};
using Saying = std::vector<Says>;

bool agree(const Saying& says) {
  return std::ranges::all_of(says, [&](const Says& each) { return each.key == says.front().key; });
}

std::string key_text(std::string_view text) { return search_fold(trim(text)); }
std::optional<std::string> date_text(const std::optional<Day>& day) { return day ? std::optional(iso(*day)) : std::nullopt; }

// ---- the fields of the head that are one value each

struct HeadField {
  std::string_view name;
  FieldGroup group;
  bool compared;
  std::optional<std::string> (*text)(const JoinSide& side);
  void (*take)(SalesOrder& order, const SalesOrder& from);
};

std::optional<std::string> if_said(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

constexpr auto head_fields = std::to_array<HeadField>({
    {"customer_reference", FieldGroup::customer, true,
     [](const JoinSide& side) { return side.by_reference ? std::nullopt : if_said(side.order->customer_reference); },
     [](SalesOrder& order, const SalesOrder& from) { order.customer_reference = from.customer_reference; }},
    {"salesman", FieldGroup::customer, false, [](const JoinSide& side) { return if_said(side.order->salesperson); },
     [](SalesOrder& order, const SalesOrder& from) { order.salesperson = from.salesperson; }},
    {"payment_terms", FieldGroup::terms, true, [](const JoinSide& side) { return if_said(side.order->payment_terms); },
     [](SalesOrder& order, const SalesOrder& from) { order.payment_terms = from.payment_terms; }},
    // A customer dates his own paper on another day than we enter it.
    {"order_date", FieldGroup::dates, true,
     [](const JoinSide& side) { return side.by_reference ? std::nullopt : date_text(side.order->order_date); },
     [](SalesOrder& order, const SalesOrder& from) { order.order_date = from.order_date; }},
    {"requested", FieldGroup::dates, true, [](const JoinSide& side) { return date_text(side.order->requested_date); },
     [](SalesOrder& order, const SalesOrder& from) { order.requested_date = from.requested_date; }},
    {"promise", FieldGroup::dates, true, [](const JoinSide& side) { return date_text(side.order->promise_date); },
     [](SalesOrder& order, const SalesOrder& from) { order.promise_date = from.promise_date; }},
    {"comment", FieldGroup::other, false, [](const JoinSide& side) { return if_said(side.order->comment); },
     [](SalesOrder& order, const SalesOrder& from) { order.comment = from.comment; }},
    {"revision", FieldGroup::other, false, [](const JoinSide& side) { return if_said(side.order->revision); },
     [](SalesOrder& order, const SalesOrder& from) { order.revision = from.revision; }},
    {"source_key", FieldGroup::other, false, [](const JoinSide& side) { return if_said(side.order->source_key); },
     [](SalesOrder& order, const SalesOrder& from) { order.source_key = from.source_key; }},
    {"updated", FieldGroup::other, false,
     [](const JoinSide& side) { return side.order->updated ? std::optional(rfc3339(*side.order->updated)) : std::nullopt; },
     [](SalesOrder& order, const SalesOrder& from) { order.updated = from.updated; }},
    {"extra", FieldGroup::other, false,
     [](const JoinSide& side) { return side.order->extra.empty() ? std::nullopt : std::optional<std::string>("extra"); },
     [](SalesOrder& order, const SalesOrder& from) { order.extra = from.extra; }},
});

// ---- what a line says of delivery

struct Delivery {
  LineStatus status = LineStatus::open;
  std::int64_t delivered = 0;  // micros, of lines that are open
};
Delivery delivery(const OrderLine& line) {
  return {line.status, line.status == LineStatus::open ? line.quantity_ordered.micros - line.quantity_open.micros : 0};
}
std::string open_text(const OrderLine& line) {
  if (line.status == LineStatus::open) return decimal_text(line.quantity_open);
  return "0 (" + std::string(word(line.status)) + ")";
}
// What happened since: more went out, or the line was closed.
bool follows(const Delivery& later, const Delivery& earlier) {
  if (earlier.status != LineStatus::open) return false;
  return later.status != LineStatus::open || later.delivered > earlier.delivered;
}

std::string_view standing(const SalesOrder& order) {
  if (order.cancelled) return "cancelled";
  return order.document_status == DocumentStatus::unknown ? "" : word(order.document_status);
}

bool priced_alike(const OrderLine& left, const OrderLine& right) {
  return left.quantity_ordered == right.quantity_ordered && left.unit_price == right.unit_price && left.discount == right.discount;
}

class Joiner {
 public:
  Joiner(std::span<const JoinSide> sides, const JoinRules& rules, std::span<const Decision> decisions)
      : sides_(sides), rules_(rules), decisions_(decisions), newest_(ranked(sides, {"newest"})) {
    for (std::size_t i = 0; i < field_group_count; ++i) ranks_[i] = ranked(sides, rules.of(static_cast<FieldGroup>(i)));
    joined_.order = *sides[0].order;
  }

  JoinedOrder join() && {
    SalesOrder& order = joined_.order;
    choose_status();
    choose_customer();
    for (const HeadField& field : head_fields) {
      Saying says;
      for (std::size_t side = 0; side < sides_.size(); ++side)
        if (auto text = field.text(sides_[side])) says.push_back({side, *text, key_text(*text)});
      if (const auto side = choose(field.group, field.name, 0, std::move(says), field.compared)) field.take(order, *sides_[*side].order);
    }
    choose_money();
    choose_lines();
    settle_amounts(order);
    return std::move(joined_);
  }

 private:
  const std::vector<std::size_t>& rank(FieldGroup group) const { return ranks_[static_cast<std::size_t>(group)]; }
  const SalesOrder& order_of(std::size_t side) const { return *sides_[side].order; }

  std::string rule_word(FieldGroup group, std::size_t side) const {
    for (const std::string& word : rules_.of(group)) {
      if (word == "newest") return word;
      if (word == "erp" ? sides_[side].is_service : word == sides_[side].source) return word + "-wins";
    }
    return "newest";
  }

  const Decision* decided(const feed::Difference& difference) const {
    for (const Decision& decision : decisions_) {
      if (decision.field != difference.field || decision.line != difference.line) continue;
      if (decision.values.size() != difference.values.size()) continue;
      const auto shown = [&](const feed::Difference::Value& value) {
        return std::ranges::find(decision.values, std::pair(sides_[value.document].source, value.text)) != decision.values.end();
      };
      if (std::ranges::all_of(difference.values, shown)) return &decision;
    }
    return nullptr;
  }

  // The place in `says` of whose value counts, by decision or rule; notes the difference.
  std::size_t note_difference(FieldGroup group, std::string_view field, std::int32_t line, const Saying& says, std::size_t by_rule) {
    feed::Difference difference;
    difference.field = field;
    difference.line = line;
    for (const Says& each : says) difference.values.push_back({static_cast<std::uint32_t>(each.side), each.text});
    std::size_t counts = by_rule;
    difference.rule = rule_word(group, says[by_rule].side);
    if (const Decision* decision = decided(difference)) {
      const auto chosen = std::ranges::find_if(says, [&](const Says& each) { return sides_[each.side].source == decision->source; });
      if (chosen != says.end()) {
        counts = static_cast<std::size_t>(chosen - says.begin());
        difference.rule = "decided";
        difference.decided_by = decision->by;
        difference.decided_at = decision->at;
      }
    }
    difference.counts = static_cast<std::uint32_t>(counts);
    joined_.differences.push_back(std::move(difference));
    return counts;
  }

  // The side whose value counts; nothing when nobody says any.
  std::optional<std::size_t> choose(FieldGroup group, std::string_view field, std::int32_t line, Saying says, bool compared) {
    if (says.empty()) return std::nullopt;
    const auto place_of = [&](std::size_t side) {
      return static_cast<std::size_t>(std::ranges::find(says, side, &Says::side) - says.begin());
    };
    std::size_t counts = says.size();
    for (const std::size_t side : rank(group))
      if (counts = place_of(side); counts < says.size()) break;
    if (compared && !agree(says)) counts = note_difference(group, field, line, says, counts);
    // What the document that counts says as well needs no other origin.
    if (says.front().side == 0 && says.front().key == says[counts].key) counts = 0;
    const std::size_t side = says[counts].side;
    if (side != 0) joined_.origins.push_back({std::string(field), line, static_cast<std::uint32_t>(side)});
    return side;
  }

  // True when the newest counts by the rule and says only what happened after the others were written.
  template <class Follows>
  bool time_explains(FieldGroup group, const Saying& says, Follows later_follows) const {
    const auto place = [&](std::size_t side) { return std::ranges::find(says, side, &Says::side); };
    const auto speaks = [&](std::size_t side) { return place(side) != says.end(); };
    const std::size_t newest = *std::ranges::find_if(newest_, speaks);
    if (newest != *std::ranges::find_if(rank(group), speaks)) return false;
    const Says& last = *place(newest);
    return std::ranges::all_of(says, [&](const Says& each) { return each.key == last.key || later_follows(last.side, each.side); });
  }

  // The ERP knows open, closed and cancelled; folders name the steps in between. An order that is open in the ERP
  // keeps the word of its folder, which says more.
  void choose_status() {
    Saying says;
    for (std::size_t side = 0; side < sides_.size(); ++side)
      if (const std::string text(standing(order_of(side))); !text.empty()) says.push_back({side, text, text});
    const auto is_open = [&](std::size_t side) { return standing(order_of(side)) == "open"; };
    const bool explained = says.empty() || time_explains(FieldGroup::status, says, [&](std::size_t later, std::size_t earlier) { return is_open(earlier) && !is_open(later); });
    const std::size_t side = choose(FieldGroup::status, "document_status", 0, std::move(says), !explained).value_or(rank(FieldGroup::status).front());
    joined_.order.document_status = order_of(side).document_status;
    joined_.order.cancelled = order_of(side).cancelled;
    std::size_t filed = side;
    if (sides_[side].is_service && is_open(side)) {
      const auto folder = std::ranges::find_if(rank(FieldGroup::status), [&](std::size_t other) {
        return !sides_[other].is_service && (is_open(other) || standing(order_of(other)).empty());
      });
      if (folder != rank(FieldGroup::status).end()) filed = *folder;
    }
    joined_.order.status = order_of(filed).status;
    if (filed != 0 && order_of(filed).status != order_of(0).status) joined_.origins.push_back({"status", 0, static_cast<std::uint32_t>(filed)});
  }

  // Names are spelled in many ways: they are compared only where codes cannot be.
  void choose_customer() {
    Saying codes, names;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      const SalesOrder& order = order_of(side);
      if (!order.customer_code.empty()) codes.push_back({side, order.customer_code, key_text(order.customer_code)});
      if (!order.customer_name.empty()) names.push_back({side, order.customer_name, key_text(order.customer_name)});
    }
    const bool by_code = codes.size() > 1;
    const auto coded = choose(FieldGroup::customer, "customer", 0, std::move(codes), true);
    if (coded) joined_.order.customer_code = order_of(*coded).customer_code;
    // A name belongs to its code.
    if (by_code && coded && !order_of(*coded).customer_name.empty()) std::erase_if(names, [&](const Says& each) { return each.side != *coded; });
    if (const auto named = choose(FieldGroup::customer, "customer_name", 0, std::move(names), !by_code)) joined_.order.customer_name = order_of(*named).customer_name;
  }

  // Prices of another currency than the order's say nothing: amounts of two currencies never meet in one order.
  void choose_money() {
    Saying currencies, taxes, freights;
    for (std::size_t side = 0; side < sides_.size(); ++side)
      if (const Currency currency = order_of(side).currency; !currency.empty()) currencies.push_back({side, currency.code(), currency.code()});
    const auto chosen = choose(FieldGroup::price, "currency", 0, std::move(currencies), true);
    if (chosen) joined_.order.currency = order_of(*chosen).currency;
    const Currency currency = joined_.order.currency;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      const SalesOrder& order = order_of(side);
      if (order.currency != currency) continue;
      taxes.push_back({side, decimal_text(Money{order.tax, currency}), std::to_string(order.tax)});
      freights.push_back({side, decimal_text(Money{order.freight, currency}), std::to_string(order.freight)});
    }
    // A document without tax or freight mostly leaves it out.
    const auto stated = [](const Saying& says) { return std::ranges::count_if(says, [](const Says& each) { return each.key != "0"; }) > 1; };
    const bool taxed = stated(taxes), freighted = stated(freights);
    if (const auto side = choose(FieldGroup::price, "tax", 0, std::move(taxes), taxed)) joined_.order.tax = order_of(*side).tax;
    if (const auto side = choose(FieldGroup::price, "freight", 0, std::move(freights), freighted)) joined_.order.freight = order_of(*side).freight;
    for (const std::size_t side : rank(FieldGroup::price)) {
      if (order_of(side).currency != currency) continue;
      joined_.order.document_total = order_of(side).document_total;
      break;
    }
  }

  void choose_lines() {
    const std::vector<internal::LineRow> rows = internal::match_lines(sides_, rank(FieldGroup::lines));
    joined_.order.lines.clear();
    for (const internal::LineRow& row : rows)
      if (const auto side = line_from(row)) joined_.order.lines.push_back(is_alone(row) ? line_alone(row, *side) : join_line(row, *side));
  }

  // The side that gives the line; nothing when it does not count.
  std::optional<std::size_t> line_from(const internal::LineRow& row) {
    std::optional<std::size_t> first;
    bool payable = false;
    for (const std::size_t side : rank(FieldGroup::lines)) {
      if (row.of[side] == nullptr) continue;
      if (!first) first = side;
      payable = payable || order_of(side).currency == joined_.order.currency;
    }
    Saying says;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      const OrderLine* line = row.of[side];
      if (line != nullptr) says.push_back({side, line->item_code + " x " + decimal_text(line->quantity_ordered), "there"});
      else if (!order_of(side).lines.empty()) says.push_back({side, "no such line", "missing"});
    }
    const auto chosen = choose(FieldGroup::lines, "line", row.of[*first]->line_number, std::move(says), true);
    return payable && row.of[*chosen] != nullptr ? first : std::nullopt;
  }

  template <class Text>
  Saying line_says(const internal::LineRow& row, Text text) const {
    Saying says;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      if (row.of[side] == nullptr) continue;
      if (std::string said = text(*row.of[side]); !said.empty()) says.push_back({side, said, key_text(said)});
    }
    return says;
  }

  static bool is_alone(const internal::LineRow& row) { return std::ranges::count(row.of, nullptr) + 1 == std::ssize(row.of); }

  // Nobody else has it: it stays as it is, also where it leaves a date to the head of its own document.
  OrderLine line_alone(const internal::LineRow& row, std::size_t side) const {
    OrderLine line = *row.of[side];
    const SalesOrder &own = order_of(side), &head = joined_.order;
    if (!line.requested_date && own.requested_date != head.requested_date) line.requested_date = own.requested_date;
    if (!line.promise_date && own.promise_date != head.promise_date) line.promise_date = own.promise_date;
    return line;
  }

  OrderLine join_line(const internal::LineRow& row, std::size_t first) {
    OrderLine line = *row.of[first];
    const std::int32_t number = line.line_number;
    const auto text = [&](FieldGroup group, std::string_view field, std::string OrderLine::*member, bool compared) {
      const auto side = choose(group, field, number, line_says(row, [&](const OrderLine& said) { return said.*member; }), compared);
      if (side) line.*member = row.of[*side]->*member;
      return side;
    };
    const auto item = text(FieldGroup::lines, "item", &OrderLine::item_code, true);
    text(FieldGroup::other, "item_name", &OrderLine::item_name, false);
    text(FieldGroup::other, "manufacturer", &OrderLine::manufacturer, false);
    text(FieldGroup::other, "warehouse", &OrderLine::warehouse_code, false);
    // A name belongs to its code.
    if (item && !row.of[*item]->item_name.empty()) line.item_name = row.of[*item]->item_name;
    text(FieldGroup::quantity, "unit", &OrderLine::unit, true);
    const auto quantity = choose(FieldGroup::quantity, "quantity", number, line_says(row, [](const OrderLine& said) { return decimal_text(said.quantity_ordered); }), true);
    line.quantity_ordered = row.of[*quantity]->quantity_ordered;
    choose_open(row, line);
    choose_price(row, line);
    choose_date(row, line, "requested", &SalesOrder::requested_date, &OrderLine::requested_date);
    choose_date(row, line, "promise", &SalesOrder::promise_date, &OrderLine::promise_date);
    return line;
  }

  void choose_open(const internal::LineRow& row, OrderLine& line) {
    Saying says = line_says(row, open_text);
    for (Says& each : says) {
      const Delivery said = delivery(*row.of[each.side]);
      each.key = said.status == LineStatus::open ? std::to_string(said.delivered) : std::string(word(said.status));
    }
    const bool explained = time_explains(FieldGroup::quantity, says, [&](std::size_t later, std::size_t earlier) { return follows(delivery(*row.of[later]), delivery(*row.of[earlier])); });
    const auto side = choose(FieldGroup::quantity, "open_quantity", line.line_number, std::move(says), !explained);
    const Delivery counts = delivery(*row.of[*side]);
    line.status = counts.status;
    line.quantity_open.micros = line.status == LineStatus::open ? std::max<std::int64_t>(0, line.quantity_ordered.micros - counts.delivered) : 0;
  }

  void choose_price(const internal::LineRow& row, OrderLine& line) {
    const auto payable = [&](Saying says) {
      std::erase_if(says, [&](const Says& each) { return order_of(each.side).currency != joined_.order.currency; });
      return says;
    };
    const std::int32_t number = line.line_number;
    const auto price = choose(FieldGroup::price, "unit_price", number, payable(line_says(row, [](const OrderLine& said) { return decimal_text(said.unit_price); })), true);
    const auto discount = choose(FieldGroup::price, "discount", number, payable(line_says(row, [](const OrderLine& said) { return decimal_text(said.discount); })), true);
    line.unit_price = row.of[*price]->unit_price;
    line.discount = row.of[*discount]->discount;
    Saying totals = payable(line_says(row, [&](const OrderLine& said) { return decimal_text(Money{said.line_total, joined_.order.currency}); }));
    std::erase_if(totals, [&](const Says& each) { return !priced_alike(*row.of[each.side], line); });
    if (const auto side = choose(FieldGroup::price, "line_total", number, std::move(totals), true)) {
      line.line_total = row.of[*side]->line_total;
      return;
    }
    const auto total = line_total(line.quantity_ordered, line.unit_price, line.discount, joined_.order.currency);
    // Too large to be an amount: then quantity and price stay together as one side has them.
    if (!total) line.quantity_ordered = row.of[*price]->quantity_ordered, line.discount = row.of[*price]->discount;
    line.line_total = total ? *total : row.of[*price]->line_total;
  }

  // Lines without a day of their own have the order's; a difference that the head already shows is not repeated. A document
  // of a folder that gives no line a day (a PDF with one due date at its top) leaves the days of single lines out.
  void choose_date(const internal::LineRow& row, OrderLine& line, std::string_view field, std::optional<Day> SalesOrder::*of_order,
                   std::optional<Day> OrderLine::*of_line) {
    Saying says;
    bool as_head = true;
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      if (row.of[side] == nullptr) continue;
      const std::optional<Day> own = row.of[side]->*of_line, head = order_of(side).*of_order;
      as_head = as_head && (!own || own == head);
      const auto has_day = [&](const OrderLine& each) { return (each.*of_line).has_value(); };
      if (!sides_[side].is_service && std::ranges::none_of(order_of(side).lines, has_day)) continue;
      if (const auto day = own ? own : head) says.push_back({side, iso(*day), iso(*day)});
    }
    const bool spelled = (line.*of_line).has_value();
    line.*of_line = std::nullopt;
    if (as_head) {
      if (spelled) line.*of_line = joined_.order.*of_order;
      return;
    }
    const auto side = choose(FieldGroup::dates, field, line.line_number, std::move(says), true);
    if (!side) return;
    const std::optional<Day> own = row.of[*side]->*of_line, head = order_of(*side).*of_order;
    if (own) line.*of_line = own;
    else if (head != joined_.order.*of_order) line.*of_line = head;
  }

  std::span<const JoinSide> sides_;
  const JoinRules& rules_;
  std::span<const Decision> decisions_;
  std::vector<std::size_t> newest_;
  std::array<std::vector<std::size_t>, field_group_count> ranks_;
  JoinedOrder joined_;
};

}  // namespace

JoinedOrder join_orders(std::span<const JoinSide> sides, const JoinRules& rules, std::span<const Decision> decisions) {
  check(!sides.empty(), "an order is joined from at least one source");
  return Joiner(sides, rules, decisions).join();
}

}  // namespace millrace::ingest
