#include "ingest/internal/finance_rows.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {
namespace {

using F = ImportField;

constexpr std::size_t cell_bytes_max = 4'000;

std::string quoted(std::string_view text) { return "\"" + printable(shortened(text)) + "\""; }

// ISO 4217, as of 2026.
constexpr std::string_view iso_currencies =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI "
    "UYU UYW UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

std::optional<Currency> known_currency(std::string_view text) {
  const auto found = currency_of_sign(trim(text));
  if (!found || iso_currencies.find(found->code()) == std::string_view::npos) return std::nullopt;
  return found;
}

// One of the texts of a document that a column may give.
std::string* text_of(FinanceDocument& document, F field) {
  switch (field) {
    case F::number: return &document.number;
    case F::party: return &document.party_code;
    case F::party_name: return &document.party_name;
    case F::reference: return &document.reference;
    case F::category: return &document.category;
    case F::account: return &document.account;
    case F::salesperson: return &document.salesperson;
    case F::country: return &document.country;
    case F::terms: return &document.terms;
    case F::comment: return &document.comment;
    default: return nullptr;
  }
}

std::optional<Day>* day_of(FinanceDocument& document, F field) {
  switch (field) {
    case F::posted: return &document.posted;
    case F::due: return &document.due;
    case F::until: return &document.until;
    case F::paid: return &document.paid;
    default: return nullptr;
  }
}

FinanceKind settled_kind(FinanceKind kind) { return kind == FinanceKind::supplier_credit || kind == FinanceKind::supplier_payment ? FinanceKind::bill : FinanceKind::invoice; }

std::string spoken(F field) {
  std::string text(word(field));
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

FieldType type_of(F field) {
  switch (field) {
    case F::posted:
    case F::due:
    case F::until:
    case F::paid: return FieldType::day;
    case F::amount:
    case F::tax:
    case F::order_line:
    case F::quantity:
    case F::rate: return FieldType::number;
    case F::currency:
    case F::from:
    case F::to: return FieldType::currency;
    case F::every: return FieldType::every;
    default: return FieldType::text;
  }
}

const TableCell* cell_at(const TableRow& row, std::uint32_t column) {
  const auto found = std::ranges::find(row.cells, column, &TableCell::column);
  return found == row.cells.end() ? nullptr : &*found;
}

NumberReading amount_of(const TableRow& row, const ImportColumns& columns) {
  const auto& column = columns[F::amount];
  const TableCell* cell = column ? cell_at(row, column->column) : nullptr;
  if (cell == nullptr || text_of_cell(*cell).empty()) return {};
  return column->numbers.read(*cell);
}

void RowReader::refuse(std::string why) {
  if (made_.state == ImportRow::State::refused) return;  // the first reason is told
  made_.state = ImportRow::State::refused;
  made_.reason = std::move(why);
}

void RowReader::take_day(F field, const TableCell& cell, ImportCell& shown) {
  DayReading reading = columns_[field]->days.read(cell);
  if (!reading.day) return refuse("column " + quoted(columns_[field]->header) + ": " + reading.refusal);
  if (field == F::posted && kind_.kind == FinanceKind::budget) reading.day = Day{reading.day->year(), reading.day->month(), std::chrono::day{1}};  // of the whole month
  shown.value = iso(*reading.day);
  shown.doubt = std::move(reading.doubt);
  *day_of(made_.document, field) = reading.day;
}

void RowReader::take_money(F field, const NumberReading& reading, ImportCell& shown) {
  Decimal number = *reading.number;
  if (takes_negative_) number.mantissa = number.mantissa < 0 ? -number.mantissa : number.mantissa;
  const Currency currency = made_.document.currency;
  const auto money = to_money(number, currency);
  if (!money) return refuse("column " + quoted(columns_[field]->header) + ": " + quoted(shown.text) + " is too large for an amount");
  shown.value = decimal_text(*money);
  const Decimal back{money->minor, currency.decimals()};
  if (shown.doubt.empty() && shortest_text(back) != shortest_text(number)) shown.doubt = "has more decimals than " + currency.code() + "; taken as " + shown.value;
  (field == F::amount ? made_.document.amount : made_.document.tax) = money->minor;
}

void RowReader::take_number(F field, const TableCell& cell, ImportCell& shown) {
  NumberReading reading = columns_[field]->numbers.read(cell);
  if (!reading.number) return refuse("column " + quoted(columns_[field]->header) + ": " + reading.refusal);
  shown.doubt = std::move(reading.doubt);
  shown.value = shortest_text(*reading.number);
  if (field == F::amount || field == F::tax) return take_money(field, reading, shown);
  if (field == F::rate) rate_ = reading.number;
  if (field == F::quantity) {
    const auto micros = to_micros(*reading.number, "the quantity");
    if (!micros) return refuse("column " + quoted(columns_[field]->header) + ": " + micros.error().text());
    line_.quantity.micros = *micros;
    quantity_ = reading.number;
  }
  if (field == F::order_line) {
    const auto line = scaled(*reading.number, 0);
    if (!line || shortest_text(Decimal{*line, 0}) != shown.value || *line < 0 || *line > 1'000'000) return refuse("column " + quoted(columns_[field]->header) + ": " + quoted(shown.text) + " is no line of an order");
    line_.order_line = static_cast<std::int32_t>(*line);
  }
}

void RowReader::take_text(F field, const TableCell& cell, ImportCell& shown) {
  if (shown.text.size() > cell_bytes_max) return refuse("column " + quoted(columns_[field]->header) + ": the text has more than 4,000 characters");
  if (cell.unread) return refuse("column " + quoted(columns_[field]->header) + ": the cell holds a formula without a value; write the value");
  shown.value = shown.text;
  const std::size_t digits = static_cast<std::size_t>(std::ranges::count_if(shown.text, [](char c) { return c >= '0' && c <= '9'; }));
  if (cell.kind == TableCell::Kind::number && digits > 15) shown.doubt = "a number of more than 15 digits is rounded by Excel; format the column as text";
  if (field == F::order) line_.order.text = shown.text;
  else if (field == F::settles) settles_ = shown.text;
  else *text_of(made_.document, field) = shown.text;
}

void RowReader::take(F field, const TableCell* cell) {
  ImportCell shown{field, cell == nullptr ? std::string() : text_of_cell(*cell), "", ""};
  if (shown.text.empty() && (cell == nullptr || !cell->unread)) return;
  if (!is_valid_utf8(shown.text)) shown.text = printable(shown.text);
  switch (type_of(field)) {
    case FieldType::day: take_day(field, *cell, shown); break;
    case FieldType::number: take_number(field, *cell, shown); break;
    case FieldType::text: take_text(field, *cell, shown); break;
    case FieldType::every: {
      const auto every = every_of(shown.text);
      if (!every) refuse("column " + quoted(columns_[field]->header) + ": " + quoted(shown.text) + " is no interval; say week, month, quarter or year");
      else made_.document.every = *every, shown.value = word(*every);
      break;
    }
    case FieldType::currency: {  // of `from` and `to`; the amount's own was taken before
      const auto known = known_currency(shown.text);
      if (!known) refuse("column " + quoted(columns_[field]->header) + ": " + quoted(shown.text) + " is no currency");
      else (field == F::from ? from_ : to_) = shown.value = known->code();
      break;
    }
  }
  is_doubtful_ = is_doubtful_ || !shown.doubt.empty();
  made_.cells.push_back(std::move(shown));
}

// From its own column, from a sign at the amount, from the header, or from whoever sends the file; they must agree.
void RowReader::take_currency(const TableRow& row) {
  const auto& own = columns_[F::currency];
  const TableCell* cell = own ? cell_at(row, own->column) : nullptr;
  Currency& currency = made_.document.currency;
  if (cell != nullptr && !text_of_cell(*cell).empty()) {
    ImportCell shown{F::currency, text_of_cell(*cell), "", ""};
    const auto known = known_currency(shown.text);
    if (!known) return refuse("column " + quoted(own->header) + ": " + quoted(shown.text) + " is no currency");
    currency = *known;
    shown.value = currency.code();
    made_.cells.push_back(std::move(shown));
  }
  const NumberReading amount = amount_of(row, columns_);
  if (!amount.refusal.empty()) return;  // it is told as what it is: no number
  const Currency of_header = columns_[F::amount] ? columns_[F::amount]->currency : Currency();
  for (const Currency said : {amount.currency, of_header}) {
    if (said.empty()) continue;
    if (currency.empty()) currency = said;
    if (currency != said) return refuse("the amount is in " + said.code() + " and the row says " + currency.code());
  }
  if (currency.empty()) currency = options_.currency;
  if (amount.sign == "$") {
    if (!currency.empty() && !can_be_dollar(currency)) return refuse("the amount is in dollars and the row says " + currency.code());
    if (currency.empty()) refuse("a $ could be USD, CAD, AUD and others; say which with a column of currencies or with currency=USD");
  } else if (!amount.sign.empty() && amount.currency.empty()) {
    // kr and ¥ name several currencies; what the row or the sender says must be one of them.
    static constexpr std::string_view crowns[] = {"SEK", "NOK", "DKK", "ISK"}, yens[] = {"JPY", "CNY"};
    const std::span<const std::string_view> may = amount.sign == "\xC2\xA5" ? std::span<const std::string_view>(yens) : std::span<const std::string_view>(crowns);
    if (std::ranges::find(may, currency.code()) == may.end()) refuse(quoted(amount.sign) + " could be several currencies; say which with a column of currencies or with currency=" + std::string(may.front()));
  }
  if (currency.empty() && kind_.has(F::amount) && !amount.sign.size()) refuse("the amount has no currency; add a column of currencies or say currency=EUR");
}

void RowReader::finish_document() {
  FinanceDocument& document = made_.document;
  if (document.party_code.empty()) document.party_code = document.party_name;
  if (kind_.has(F::settles) && !settles_.empty()) {
    Allocation part;
    part.kind = settled_kind(kind_.kind);
    part.number = settles_;
    part.amount = document.amount;
    document.allocations.push_back(std::move(part));
  }
  if (kind_.has(F::order) && !line_.order.text.empty()) {
    line_.amount = document.amount - document.tax;
    document.lines.push_back(line_);
  }
  if (kind_.kind == FinanceKind::delivery) document.amount = 0;
  if (kind_.kind != FinanceKind::rate || !rate_ || from_.empty() || to_.empty()) return;
  const auto ten_digits = scaled(*rate_, rate_digits);
  if (!ten_digits) return refuse("the rate " + shortest_text(*rate_) + " is too large");
  document.rate = ExchangeRate{*Currency::parse(from_), *Currency::parse(to_), *ten_digits};
}

// What makes the kind unique, else the row's own content.
void RowReader::name_document() {
  FinanceDocument& document = made_.document;
  is_named_ = !document.number.empty();
  if (is_named_ && kind_.kind == FinanceKind::delivery) {  // a note has several lines, and a row is one of them
    document.reference = document.number;
    document.number += "/" + line_.order.text + (line_.order_line ? "-" + std::to_string(*line_.order_line) : "");
  }
  if (is_named_) return;
  const std::string day = document.posted ? iso(*document.posted) : "";
  switch (kind_.kind) {
    case FinanceKind::rate: document.number = from_ + "/" + to_; break;
    case FinanceKind::balance:
    case FinanceKind::credit_line: document.number = (document.account.empty() ? document.currency.code() : document.account) + " " + day; break;
    case FinanceKind::budget: document.number = document.category + " " + day.substr(0, 7) + " " + document.currency.code(); break;
    default: {
      std::vector<std::string> said{"currency=" + document.currency.code()};
      for (const ImportCell& cell : made_.cells)
        if (!cell.value.empty()) said.push_back(std::string(word(cell.field)) + "=" + cell.value);
      std::ranges::sort(said);
      std::string content(word(kind_.kind));
      for (const std::string& text : said) content += "\n" + text;
      document.number = "row-";
      std::uint64_t hash = hash64(content);
      for (int digits = 0; digits < 12; ++digits, hash >>= 4) document.number += "0123456789abcdef"[hash & 15];
      return;
    }
  }
  is_named_ = true;
}

// Twice in the file, or known already: what the row then is.
Result<void> RowReader::meet_standing() {
  FinanceDocument& document = made_.document;
  const std::string base = document.number;
  std::string key = finance_key(document);
  for (int copy = 2; seen_.contains(key); ++copy) {
    const Seen& first = seen_.at(key);
    FinanceDocument same = first.document;
    same.number = document.number;
    if (is_named_) {
      const std::string where = std::string(word(kind_.kind)) + " " + printable(key) + " stands in row " + std::to_string(first.row) + " too";
      if (equal_but_origin(same, document)) made_.state = ImportRow::State::skipped, made_.reason = where;
      else refuse(where + ", with other values; keep one of the two");
      return {};
    }
    // Two equal rows may be two equal costs: each is one, and the second is asked about.
    is_doubtful_ = true;
    if (copy == 2) made_.reason = "says the same as row " + std::to_string(first.row) + "; it may stand there twice";
    document.number = base + "-" + std::to_string(copy);
    key = finance_key(document);
  }
  seen_.try_emplace(key, Seen{made_.row, document});
  auto standing = standing_(kind_.kind, key);
  if (!standing) return pass_on(standing);
  if (*standing && !(*standing)->ours) {
    refuse(std::string(word(kind_.kind)) + " " + printable(key) + " comes from " + printable((*standing)->document.source) + "; change it there");
    return {};
  }
  document.source = import_source;
  if (*standing) {
    const FinanceDocument& before = (*standing)->document;
    FinanceDocument merged = before;
    for (std::size_t i = 0; i < import_field_count; ++i) {
      const auto field = static_cast<F>(i);
      if (!columns_.of[i]) continue;
      if (std::string* text = text_of(merged, field)) *text = *text_of(document, field);
      if (std::optional<Day>* day = day_of(merged, field)) *day = *day_of(document, field);
    }
    merged.number = document.number;
    merged.reference = kind_.kind == FinanceKind::delivery ? document.reference : merged.reference;
    if (!document.party_code.empty()) merged.party_code = document.party_code;
    merged.currency = document.currency;
    if (merged.amount != document.amount) merged.instalments.clear();
    merged.amount = document.amount;
    if (columns_[F::tax]) merged.tax = document.tax;
    if (columns_[F::every]) merged.every = document.every;
    if (columns_[F::settles]) merged.allocations = document.allocations;
    if (columns_[F::order]) merged.lines = document.lines;
    merged.rate = document.rate;
    merged.source = before.source;
    document = std::move(merged);
    made_.before = before;
  }
  document.origin = options_.origin;
  document.place = Place{Place::Kind::row, made_.row, 0};
  if (const auto fine = check_finance_document(document); !fine) refuse(fine.error().text());
  return {};
}

Result<ImportRow> RowReader::read(const TableRow& row) {
  made_ = ImportRow();
  made_.row = row.number;
  made_.document.kind = kind_.kind;
  settles_.clear(), from_.clear(), to_.clear();
  quantity_.reset(), rate_.reset();
  line_ = FinanceLine();
  is_doubtful_ = is_named_ = false;
  if (kind_.has(F::amount)) take_currency(row);
  for (std::size_t i = 0; i < import_field_count; ++i) {
    const auto field = static_cast<F>(i);
    if (columns_.of[i] && field != F::currency) take(field, cell_at(row, columns_.of[i]->column));
  }
  const auto given = [&](F field) { return std::ranges::find(made_.cells, field, &ImportCell::field) != made_.cells.end(); };
  for (const F field : kind_.needed) {
    const bool other = (field == F::party && given(F::party_name)) || (field == F::posted && given(F::due) && kind_.kind == FinanceKind::cost);
    if (!given(field) && !other) refuse("the row has no " + spoken(field));
  }
  std::ranges::sort(made_.cells, {}, &ImportCell::field);  // a field stands once
  if (made_.state != ImportRow::State::refused) finish_document();
  if (made_.state != ImportRow::State::refused) {
    name_document();
    if (const auto met = meet_standing(); !met) return pass_on(met);
  }
  if (made_.state == ImportRow::State::refused || made_.state == ImportRow::State::skipped) {
    made_.document = FinanceDocument();
    made_.before.reset();
  } else if (made_.before && equal_but_origin(*made_.before, made_.document)) {
    made_.state = ImportRow::State::same;
    made_.reason.clear();
  } else if (is_doubtful_) {
    made_.state = ImportRow::State::doubtful;
  } else if (made_.before) {
    made_.state = ImportRow::State::changed;
  }
  return std::move(made_);
}

}  // namespace millrace::ingest
