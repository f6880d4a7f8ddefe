#include "ingest/internal/order_draft.h"

#include <algorithm>
#include <cstdlib>
#include <span>

#include "base/text.h"
#include "domain/order_rules.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t extra_count_max = 256;
constexpr std::size_t extra_bytes_max = 4096;
constexpr std::size_t number_bytes_max = 64;

// "SO43659", "so-43659" and 43659 are one order.
std::string without_prefix(std::string_view number, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (number.size() <= prefix.size() || !equal_ignoring_case(number.substr(0, prefix.size()), prefix)) continue;
    std::string_view rest = number.substr(prefix.size());
    while (!rest.empty() && (rest.front() == '-' || rest.front() == ' ' || rest.front() == '#')) rest.remove_prefix(1);
    if (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') return std::string(rest);
  }
  return std::string(number);
}

Result<Decimal> decimal_of(const FieldValue& value, TextStyle style) {
  if (value.kind == FieldValue::Kind::number) return value.number;
  if (value.kind == FieldValue::Kind::text) return decimal_from_text(value.text, style.decimal_mark);
  return fail(ErrorCode::invalid_input, "a date stands where a number belongs");
}

// 1900 and before is how spreadsheets and ERP systems write "no date".
std::optional<Day> usable(Day day) {
  if (day.year() <= std::chrono::year{1900}) return std::nullopt;
  return day;
}

constexpr const char* too_large = "more than 2^53 - 1 minor units, the largest amount there is";

Int128 magnitude(std::int64_t minor) { return minor < 0 ? -static_cast<Int128>(minor) : minor; }
bool within_amount_max(Int128 sum) { return sum <= amount_max && sum >= -Int128{amount_max}; }

bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string no_day(const FieldValue& value) { return "'" + printable(shortened(text_of(value))) + "' is not a date; write it as 2026-03-31"; }

LineStatus line_status_of(std::string_view text, bool& known) {
  static constexpr std::array<std::string_view, 9> closed{"bostclose", "c",       "closed", "geschlossen", "erledigt",
                                                          "delivered", "shipped", "done",   "geliefert"};
  static constexpr std::array<std::string_view, 3> cancelled{"cancelled", "canceled", "storniert"};
  static constexpr std::array<std::string_view, 7> open{"bostopen", "o", "open", "offen", "partial", "teilgeliefert", ""};
  const std::string word = normal_word(text);
  known = true;
  if (is_one_of(closed, word)) return LineStatus::closed;
  if (is_one_of(cancelled, word)) return LineStatus::cancelled;
  known = is_one_of(open, word);
  return LineStatus::open;
}

}  // namespace

void OrderDraft::refuse(std::string place, std::string reason, std::string_view value) {
  if (refused()) return;
  problem_ = std::move(reason);
  problem_place_ = std::move(place);
  problem_value_ = shortened(value);
}

void OrderDraft::add_line(Place place) {
  lines_.emplace_back();
  lines_.back().line.place = place;
  lines_.back().line.line_number = static_cast<std::int32_t>(lines_.size());
  line_ranks_.fill(rank_none);
}

void OrderDraft::add_extra(std::string_view name, std::string value) {
  if (trim(value).empty()) return;
  if (order_.extra.size() >= extra_count_max || value.size() > extra_bytes_max) {
    refuse("", "more than 256 unknown fields, or one over 4096 bytes ('" + printable(shortened(name)) + "')");
    return;
  }
  order_.extra.emplace_back(std::string(name), std::move(value));
}

// The earlier word of a field counts. A zero counts less than any other number: SAP fills DocTotalFc with 0 when
// the document is in the local currency.
bool OrderDraft::outranked(Ranks& ranks, FieldMatch match, const FieldValue& value, TextStyle style) const {
  std::uint16_t rank = match.rank;
  if (is_number_field(match.field) && !match.from_zero) {
    const auto number = decimal_of(value, style);
    if (number && number->is_zero()) rank = static_cast<std::uint16_t>(rank + 1000);
  }
  std::uint16_t& best = ranks[static_cast<std::size_t>(match.field)];
  if (rank >= best && best != rank_none) return true;
  best = rank;
  return false;
}

std::string OrderDraft::set(FieldMatch match, const FieldValue& value, TextStyle style) {
  if (value.kind == FieldValue::Kind::empty || outranked(order_ranks_, match, value, style)) return {};
  if (is_number_field(match.field)) return set_amount(match.field, value, style);
  if (is_date_field(match.field)) return set_day(match.field, value, style);
  return set_text(match.field, text_of(value));
}

std::string OrderDraft::set_text(Field field, std::string text) {
  switch (field) {
    case Field::order_number:
      if (text.size() > number_bytes_max) return "the order number is longer than 64 bytes";
      for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "the order number holds a control character";
      }
      order_.number.text = without_prefix(text, layout_->profile().order_number_prefixes);
      return {};
    case Field::source_key: order_.source_key = std::move(text); return {};
    case Field::revision: order_.revision = text == "-" ? std::string() : std::move(text); return {};
    case Field::customer_code: order_.customer_code = std::move(text); return {};
    case Field::customer_name: order_.customer_name = std::move(text); return {};
    case Field::customer_reference: order_.customer_reference = text == "-" ? std::string() : std::move(text); return {};
    case Field::salesperson: order_.salesperson = text == "-1" ? std::string() : std::move(text); return {};
    case Field::payment_terms: order_.payment_terms = text == "-1" ? std::string() : std::move(text); return {};
    case Field::comment: order_.comment = std::move(text); return {};
    case Field::currency: currency_word_ = std::move(text); return {};
    case Field::document_type:
      if (text != "dDocument_Items") add_extra("DocType", std::move(text));
      return {};
    case Field::document_kind: document_kind_is_other_ = text != "17" && text != "oOrders"; return {};
    case Field::document_status: {
      bool known = false;
      const LineStatus status = line_status_of(text, known);
      if (known) {
        order_.document_status = status == LineStatus::open ? DocumentStatus::open : DocumentStatus::closed;
        order_.cancelled = order_.cancelled || status == LineStatus::cancelled;
      } else {
        add_extra("DocumentStatus", std::move(text));
      }
      return {};
    }
    case Field::cancelled: {
      const Answer answer = yes_or_no(text);
      if (answer == Answer::unknown && text != "C") return "'" + printable(shortened(text)) + "' is neither yes nor no";
      order_.cancelled = order_.cancelled || answer == Answer::yes || text == "C";
      return {};
    }
    case Field::updated_time:
      updated_time_ = time_of_day(text);
      return updated_time_ ? std::string() : "'" + printable(shortened(text)) + "' is not a time of day";
    default: return {};
  }
}

std::string OrderDraft::set_day(Field field, const FieldValue& value, TextStyle style) {
  if (value.kind == FieldValue::Kind::number) return no_day(value);
  if (field == Field::updated) {
    const auto instant = value.kind == FieldValue::Kind::moment ? value.moment : instant_from_text(value.text, style.date_order);
    if (!instant) return no_day(value);
    order_.updated = *instant;
    return {};
  }
  const auto day = value.kind == FieldValue::Kind::moment ? utc_day(value.moment) : day_from_text(value.text, style.date_order);
  if (!day) return no_day(value);
  (field == Field::order_date       ? order_.order_date
   : field == Field::requested_date ? order_.requested_date
   : field == Field::promise_date   ? order_.promise_date
   : field == Field::document_date  ? document_date_
                                    : updated_date_) = usable(*day);
  return {};
}

std::string OrderDraft::set_amount(Field field, const FieldValue& value, TextStyle style) {
  auto number = decimal_of(value, style);
  if (!number) return number.error().text();
  (field == Field::tax              ? tax_
   : field == Field::freight        ? freight_
   : field == Field::net_total      ? net_total_
   : field == Field::document_total ? document_total_
                                    : open_total_) = *number;
  return {};
}

std::string OrderDraft::set_on_line(FieldMatch match, const FieldValue& value, TextStyle style) {
  if (value.kind == FieldValue::Kind::empty || outranked(line_ranks_, match, value, style)) return {};
  if (is_number_field(match.field)) return set_line_number(match, value, style);
  if (is_date_field(match.field)) {
    if (value.kind == FieldValue::Kind::number) return no_day(value);
    const auto day = value.kind == FieldValue::Kind::moment ? utc_day(value.moment) : day_from_text(value.text, style.date_order);
    if (!day) return no_day(value);
    OrderLine& line = lines_.back().line;
    (match.field == Field::line_requested_date ? line.requested_date : line.promise_date) = usable(*day);
    return {};
  }
  return set_line_text(match.field, text_of(value));
}

std::string OrderDraft::set_line_number(FieldMatch match, const FieldValue& value, TextStyle style) {
  auto number = decimal_of(value, style);
  if (!number) return number.error().text();
  DraftLine& draft = lines_.back();
  switch (match.field) {
    case Field::line_number: {
      const auto whole = scaled(*number, 0);
      if (!whole || *whole < -1'000'000'000 || *whole > 1'000'000'000) return "the line number is out of range";
      draft.line.line_number = static_cast<std::int32_t>(*whole) + (match.from_zero ? 1 : 0);
      return {};
    }
    case Field::quantity_ordered: draft.quantity = *number; return {};
    case Field::quantity_open: draft.quantity_open = *number; return {};
    case Field::quantity_delivered: draft.quantity_delivered = *number; return {};
    case Field::unit_price: draft.unit_price = *number; return {};
    case Field::discount: draft.discount = *number; return {};
    case Field::line_total: draft.total = *number; return {};
    case Field::open_amount: draft.open_amount = *number; return {};
    default: return {};
  }
}

std::string OrderDraft::set_line_text(Field field, std::string text) {
  DraftLine& draft = lines_.back();
  switch (field) {
    case Field::item_code: draft.line.item_code = std::move(text); return {};
    case Field::item_name: draft.line.item_name = std::move(text); return {};
    case Field::manufacturer: draft.line.manufacturer = text == "-1" ? std::string() : std::move(text); return {};
    case Field::warehouse_code: draft.line.warehouse_code = std::move(text); return {};
    case Field::unit: draft.line.unit = std::move(text); return {};
    case Field::line_status: draft.status_word = std::move(text); return {};
    case Field::line_currency: draft.currency_word = std::move(text); return {};
    case Field::line_cancelled: {
      const Answer answer = yes_or_no(text);
      if (answer == Answer::unknown) return "'" + printable(shortened(text)) + "' is neither yes nor no";
      draft.cancelled = answer == Answer::yes;
      return {};
    }
    default: return {};
  }
}

std::optional<std::int64_t> OrderDraft::minor(const Decimal& amount, std::string_view what) {
  auto money = to_money(amount, order_.currency);
  if (money) return money->minor;
  refuse("", std::string(what) + ": " + money.error().text(), decimal_text(amount));
  return std::nullopt;
}

void OrderDraft::flag(std::vector<Finding>& flags, std::string place, std::string reason, std::string value) const {
  constexpr std::size_t flags_max = 20;  // of one order: the twenty-first says nothing new
  if (flags.size() >= flags_max) return;
  flags.push_back({feed::Outcome::ingest_and_flag, std::move(place), std::move(reason), std::move(value), order_.number.text});
}

void OrderDraft::finish_order() {
  if (order_.number.text.empty()) {
    refuse("", "there is no order number; name its field in the layout profile (words.order_number)");
    return;
  }
  const std::string& word = currency_word_.empty() ? layout_->profile().default_currency : currency_word_;
  const auto currency = Currency::from_source_word(word);
  if (!currency) {
    refuse("", word.empty() ? "there is no currency; set default_currency in the layout profile" : "the currency is not known", word);
    return;
  }
  order_.currency = *currency;
  if (tax_) order_.tax = minor(*tax_, "tax").value_or(0);
  if (freight_) {
    order_.freight = minor(*freight_, "freight").value_or(0);
  } else {
    Int128 sum = 0;
    for (const Decimal& expense : expenses_) sum += minor(expense, "additional expense").value_or(0);
    if (!within_amount_max(sum)) refuse("", std::string("the additional expenses sum to ") + too_large);
    order_.freight = refused() ? 0 : static_cast<std::int64_t>(sum);
  }
  if (document_total_) order_.document_total = minor(*document_total_, "document total");
  if (updated_date_) {
    order_.updated = Instant(std::chrono::sys_days(*updated_date_)) + updated_time_.value_or(std::chrono::seconds{0});
  }
  if (document_date_ && document_date_ != order_.order_date) add_extra("TaxDate", iso(*document_date_));
}

void OrderDraft::finish_line(DraftLine& draft, std::vector<Finding>& flags) {
  OrderLine& line = draft.line;
  const auto place = [&] { return place_text(line.place); };
  const auto micros = [&](const std::optional<Decimal>& value, std::string_view what) -> std::int64_t {
    if (!value) return 0;
    auto result = to_micros(*value, what);
    if (result) return *result;
    refuse(place(), result.error().text(), decimal_text(*value));
    return 0;
  };
  line.quantity_ordered.micros = micros(draft.quantity, "quantity");
  line.unit_price.micros = micros(draft.unit_price, "unit price");
  line.discount.micros = micros(draft.discount, "discount");
  bool known = true;
  line.status = draft.cancelled ? LineStatus::cancelled : line_status_of(draft.status_word, known);
  if (!known) flag(flags, place(), "the line status is not known and was taken for open", shortened(draft.status_word));
  if (draft.quantity_open) {
    line.quantity_open.micros = micros(draft.quantity_open, "open quantity");
  } else {
    line.quantity_open.micros = line.quantity_ordered.micros - micros(draft.quantity_delivered, "delivered quantity");
  }
  if (!draft.currency_word.empty() && draft.currency_word != currency_word_ &&
      Currency::from_source_word(draft.currency_word) != order_.currency) {
    refuse(place(), "the line is in another currency than its order", draft.currency_word);
  }
  if (refused()) return;

  const auto computed = line_total(line.quantity_ordered, line.unit_price, line.discount, order_.currency);
  const bool can_compute = draft.quantity && draft.unit_price;
  if (can_compute && !computed) {
    refuse(place(), computed.error().text());
    return;
  }
  if (!draft.total) {
    if (!can_compute && draft.unit_price) refuse(place(), "the line has a price but no quantity");
    if (!can_compute && draft.quantity && !line.item_code.empty()) refuse(place(), "the line has neither a price nor a total", line.item_code);
    line.line_total = can_compute ? *computed : 0;
    return;
  }
  line.line_total = minor(*draft.total, "line total").value_or(0);
  if (!draft.quantity && line.line_total != 0) {
    flag(flags, place(), "the line has an amount but no quantity, so its open amount cannot be told", decimal_text(*draft.total));
  }
  if (can_compute && std::llabs(*computed - line.line_total) > 1) {
    flag(flags, place(),
         "the line total says " + decimal_text(Money{line.line_total, order_.currency}) + ", quantity times price gives " +
             decimal_text(Money{*computed, order_.currency}),
         decimal_text(*draft.total));
  }
}

void OrderDraft::compare(std::vector<Finding>& flags) const {
  const OrderAmounts ours = amounts(order_);
  const auto differs = [&](const std::optional<Decimal>& stated, std::int64_t computed, std::string_view what) {
    if (!stated) return;
    const auto money = to_money(*stated, order_.currency);
    if (money && money->minor == computed) return;
    flag(flags, "", std::string(what) + " says " + decimal_text(*stated) + ", the lines give " + decimal_text(Money{computed, order_.currency}),
         decimal_text(*stated));
  };
  differs(net_total_, ours.net, "the net total");
  differs(document_total_, ours.total, "the document total");
  differs(open_total_, ours.open, "the open amount");
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (!lines_[i].open_amount) continue;
    const auto stated = to_money(*lines_[i].open_amount, order_.currency);
    const std::int64_t computed = order_.lines[i].open_amount;
    if (stated && std::llabs(stated->minor - computed) <= 1) continue;
    flag(flags, place_text(order_.lines[i].place),
         "the open amount says " + decimal_text(*lines_[i].open_amount) + ", the open quantity gives " +
             decimal_text(Money{computed, order_.currency}),
         decimal_text(*lines_[i].open_amount));
  }
}

void OrderDraft::finish(ParsedDocument& document, Disagreement disagreement) {
  std::vector<Finding> flags;
  if (!refused()) finish_order();
  Int128 sum = 0;
  for (DraftLine& draft : lines_) {
    if (refused()) break;
    finish_line(draft, flags);
    sum += magnitude(draft.line.line_total);
  }
  // Every sum of any of the lines is inside this one, so all sums made of a read order fit.
  if (!within_amount_max(sum + magnitude(order_.tax) + magnitude(order_.freight))) {
    refuse("", std::string("lines, tax and freight sum to ") + too_large);
  }
  if (!refused()) {
    order_.lines.reserve(lines_.size());
    for (DraftLine& draft : lines_) order_.lines.push_back(std::move(draft.line));
    settle_amounts(order_);
    compare(flags);
    if (disagreement == Disagreement::reject && !flags.empty()) {
      refuse(flags.front().place, flags.front().reason + "; a row or a digit may be lost", flags.front().value);
    }
  }
  document.is_order_document = true;
  if (refused()) {
    document.findings.push_back({feed::Outcome::reject, problem_place_, problem_, problem_value_, order_.number.text});
    return;
  }
  document.findings.insert(document.findings.end(), std::make_move_iterator(flags.begin()), std::make_move_iterator(flags.end()));
  document.orders.push_back(std::move(order_));
}

}  // namespace millrace::ingest
