#include "ingest/internal/finance_fields.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace millrace::ingest {
namespace {

std::string shown(std::string_view text) { return "\"" + printable(text.substr(0, 60)) + "\""; }

// Reads the fields of one object; what is wrong first is kept.
class Reader {
 public:
  Reader(const BatchValue& row, Currency currency) : row_(row), currency_(currency) {}

  void text(std::string_view name, std::string& into) {
    const BatchValue* value = row_.find(name);
    if (value == nullptr) return;
    if (value->kind != BatchValue::Kind::text) return refuse(name, "a text is expected");
    if (!is_valid_utf8(value->text)) return refuse(name, "the text is not UTF-8");
    into = trim(value->text);
  }
  void day(std::string_view name, std::optional<Day>& into) {
    std::string text;
    this->text(name, text);
    if (text.empty()) return;
    into = parse_iso_day(text);
    if (!into) refuse(name, shown(text) + " is no day; write it like 2026-11-30");
  }
  void flag(std::string_view name, bool& into) {
    const BatchValue* value = row_.find(name);
    if (value == nullptr) return;
    const std::string word = lower_ascii(trim(value->text));
    if (value->kind == BatchValue::Kind::yes || word == "true" || word == "yes" || word == "1") into = true;
    else if (value->kind != BatchValue::Kind::no && !word.empty() && word != "false" && word != "no" && word != "0") refuse(name, shown(value->text) + " is neither true nor false");
  }
  std::optional<Decimal> decimal(std::string_view name) {
    std::string text;
    this->text(name, text);
    if (text.empty()) return std::nullopt;
    auto number = parse_decimal(text);
    if (!number) {
      refuse(name, shown(text) + " is no number; write it like 1234.50");
      return std::nullopt;
    }
    return *number;
  }
  void whole(std::string_view name, std::int32_t& into) {
    const auto number = decimal(name);
    if (!number) return;
    const auto value = scaled(*number, 0);
    if (!value || *value < 0 || *value > 1'000'000 || shortest_text(*number) != std::to_string(*value)) return refuse(name, "a whole number is expected");
    into = static_cast<std::int32_t>(*value);
  }
  void micros(std::string_view name, std::int64_t& into) {
    const auto number = decimal(name);
    if (!number) return;
    const auto value = to_micros(*number, name);
    if (!value) return refuse(name, value.error().text());
    into = *value;
  }
  // Major units, or {"minor":11900,"currency":"EUR"}.
  void money(std::string_view name, std::int64_t& into) {
    const BatchValue* value = row_.find(name);
    if (value == nullptr) return;
    if (value->kind == BatchValue::Kind::object) return minor(name, *value, into);
    const auto number = decimal(name);
    if (!number) return;
    if (currency_.empty()) return refuse(name, "its currency is not said; give one like EUR");
    const auto exact = to_money(*number, currency_);
    if (!exact) return refuse(name, exact.error().text());
    if (shortest_text(Decimal{exact->minor, currency_.decimals()}) != shortest_text(*number))
      return refuse(name, shown(value->text) + " has more decimals than " + currency_.code());
    into = exact->minor;
  }
  void currency(std::string_view name, Currency& into) {
    std::string text;
    this->text(name, text);
    if (text.empty()) return;
    const auto parsed = Currency::from_source_word(text);
    if (!parsed) return refuse(name, shown(text) + " is no currency");
    into = *parsed;
  }
  template <class Each>
  void list(std::string_view name, Each each) {
    const BatchValue* value = row_.find(name);
    if (value == nullptr) return;
    if (value->kind != BatchValue::Kind::array) return refuse(name, "a list is expected");
    for (const BatchValue& item : value->items) {
      if (item.kind != BatchValue::Kind::object) return refuse(name, "a list of objects is expected");
      Reader reader(item, currency_);
      each(reader);
      if (!reader.wrong_.empty() && wrong_.empty()) wrong_ = reader.wrong_;
    }
  }
  void refuse(std::string_view name, const std::string& why) {
    if (wrong_.empty()) wrong_ = "the field '" + std::string(name) + "': " + why;
  }
  void use_currency(Currency currency) { currency_ = currency; }
  bool has(std::string_view name) const { return row_.find(name) != nullptr; }
  const std::string& wrong() const { return wrong_; }

 private:
  void minor(std::string_view name, const BatchValue& value, std::int64_t& into) {
    Reader reader(value, {});
    Currency said;
    reader.currency("currency", said);
    const auto number = reader.decimal("minor");
    if (!number || !reader.wrong_.empty()) return refuse(name, "give {\"minor\":11900,\"currency\":\"EUR\"}");
    const auto exact = scaled(*number, 0);
    if (!exact || *exact > amount_max || *exact < -amount_max) return refuse(name, "the amount is too large");
    if (!said.empty() && !currency_.empty() && said != currency_) return refuse(name, "its currency " + said.code() + " is not the document's " + currency_.code());
    into = *exact;
  }

  const BatchValue& row_;
  Currency currency_;
  std::string wrong_;
};

FinanceKind settled_kind(FinanceKind kind) { return party_of(kind) == FinanceParty::supplier ? FinanceKind::bill : FinanceKind::invoice; }

void read_allocation(Reader& in, FinanceDocument& document) {
  Allocation part;
  part.kind = settled_kind(document.kind);
  std::string kind;
  in.text("kind", kind);
  if (const auto known = parse_finance_kind(kind)) part.kind = *known;
  else if (!kind.empty()) in.refuse("kind", shown(kind) + " is no kind of document");
  in.text("number", part.number);
  in.whole("instalment", part.instalment);
  in.currency("currency", part.currency);
  if (!part.currency.empty()) in.use_currency(part.currency);
  if (part.currency == document.currency) part.currency = {};
  part.amount = document.amount;  // unless it says less
  in.money("amount", part.amount);
  document.allocations.push_back(std::move(part));
}

void read_line(Reader& in, FinanceDocument& document) {
  FinanceLine line;
  in.text("order", line.order.text);
  if (in.has("order_line")) in.whole("order_line", line.order_line.emplace());
  in.micros("quantity", line.quantity.micros);
  in.money("amount", line.amount);
  in.text("text", line.text);
  document.lines.push_back(std::move(line));
}

// A CSV has its line and what it settles in columns of the row.
void read_flat_parts(Reader& in, FinanceDocument& document) {
  if (in.has("order")) {
    FinanceLine line;
    in.text("order", line.order.text);
    if (in.has("order_line")) in.whole("order_line", line.order_line.emplace());
    in.micros("quantity", line.quantity.micros);
    in.money("line_amount", line.amount);
    document.lines.push_back(std::move(line));
  }
  if (!in.has("settles_number")) return;
  Allocation part;
  part.kind = settled_kind(document.kind);
  in.text("settles_number", part.number);
  part.amount = document.amount;
  in.money("settles_amount", part.amount);
  document.allocations.push_back(std::move(part));
}

void read_terms(Reader& in, FinanceDocument& document) {
  if (document.kind != FinanceKind::terms) return;
  TermsRule& rule = document.terms_rule.emplace();
  in.whole("days", rule.days);
  in.whole("months", rule.months);
  in.flag("month_end", rule.month_end);
  in.whole("discount_days", rule.discount_days);
  in.micros("discount", rule.discount.micros);
  in.list("parts", [&](Reader& part) {
    TermsRule::Part& made = rule.parts.emplace_back();
    part.whole("days", made.days);
    part.micros("percent", made.part.micros);
  });
}

void read_rate(Reader& in, FinanceDocument& document) {
  if (document.kind != FinanceKind::rate) return;
  ExchangeRate& rate = document.rate.emplace();
  in.currency("from", rate.from);
  in.currency("to", rate.to);
  if (rate.from.empty() && document.number.size() == 7 && document.number[3] == '/') {
    rate.from = Currency::parse(document.number.substr(0, 3)).value_or(Currency{});
    rate.to = Currency::parse(document.number.substr(4)).value_or(Currency{});
  }
  if (document.number.empty()) document.number = rate.from.code() + "/" + rate.to.code();
  const auto number = in.decimal("rate");
  const auto exact = number ? scaled(*number, rate_digits) : std::nullopt;
  if (number && !exact) in.refuse("rate", "the rate is too large");
  rate.scaled = exact.value_or(0);
}

void read_every(Reader& in, FinanceDocument& document) {
  std::string text;
  in.text("every", text);
  if (text.empty()) return;
  for (const Every every : {Every::week, Every::month, Every::quarter, Every::year})
    if (word(every) == text) document.every = every;
  if (document.every == Every::none) in.refuse("every", shown(text) + " is no interval; say week, month, quarter or year");
}

}  // namespace

const BatchValue* BatchValue::find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &std::pair<std::string, BatchValue>::first);
  if (found == fields.end() || found->second.kind == Kind::none) return nullptr;
  const bool blank = found->second.kind == Kind::text && trim(found->second.text).empty();
  return blank ? nullptr : &found->second;
}

Result<FinanceFields> read_finance_fields(FinanceKind kind, const BatchValue& row) {
  FinanceFields read;
  FinanceDocument& document = read.document;
  document.kind = kind;
  Reader in(row, {});
  const std::pair<std::string_view, std::string*> texts[] = {
      {"number", &document.number}, {"source_key", &document.source_key}, {"party", &document.party_code}, {"party_name", &document.party_name},
      {"reference", &document.reference}, {"category", &document.category}, {"account", &document.account}, {"salesperson", &document.salesperson},
      {"country", &document.country}, {"terms", &document.terms}, {"comment", &document.comment}};
  for (const auto& [name, into] : texts) in.text(name, *into);
  const std::pair<std::string_view, std::optional<Day>*> days[] = {
      {"posted", &document.posted}, {"due", &document.due}, {"until", &document.until}, {"paid", &document.paid}};
  for (const auto& [name, into] : days) in.day(name, *into);
  in.currency("currency", document.currency);
  if (const BatchValue* amount = row.find("amount"); amount != nullptr && amount->kind == BatchValue::Kind::object && document.currency.empty())
    if (const BatchValue* said = amount->find("currency")) document.currency = Currency::parse(said->text).value_or(Currency{});
  in.use_currency(document.currency);
  in.money("amount", document.amount);
  in.money("tax", document.tax);
  in.flag("cancelled", document.cancelled);
  in.flag("closed", document.closed);
  in.flag("removed", read.removed);
  read_every(in, document);
  in.list("instalments", [&](Reader& part) {
    Instalment& made = document.instalments.emplace_back();
    part.day("due", made.due);
    part.money("amount", made.amount);
  });
  in.list("lines", [&](Reader& line) { read_line(line, document); });
  in.list("settles", [&](Reader& part) { read_allocation(part, document); });
  read_flat_parts(in, document);
  read_terms(in, document);
  read_rate(in, document);
  if (document.number.empty() && (kind == FinanceKind::balance) && document.posted) document.number = document.account + " " + iso(*document.posted);
  if (!in.wrong().empty()) return fail(ErrorCode::invalid_input, in.wrong());
  return read;
}

}  // namespace millrace::ingest
