#include "server/internal/finance_json.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.h"
#include "server/internal/rows.h"

namespace millrace::server {

namespace json = boost::json;

namespace {

struct TextField {
  const char* name;
  std::string FinanceDocument::* text;
};
constexpr std::array text_fields = std::to_array<TextField>({
    {"party", &FinanceDocument::party_code},   {"party_name", &FinanceDocument::party_name}, {"reference", &FinanceDocument::reference},
    {"category", &FinanceDocument::category},  {"account", &FinanceDocument::account},       {"salesperson", &FinanceDocument::salesperson},
    {"country", &FinanceDocument::country},    {"terms", &FinanceDocument::terms},           {"comment", &FinanceDocument::comment},
});
struct DayField {
  const char* name;
  std::optional<Day> FinanceDocument::* day;
};
constexpr std::array day_fields = std::to_array<DayField>({
    {"posted", &FinanceDocument::posted}, {"due", &FinanceDocument::due}, {"until", &FinanceDocument::until}, {"paid", &FinanceDocument::paid}});
// What we say of a document beside itself; a client may send it back, we do not read it.
constexpr std::array read_only = std::to_array<std::string_view>({"kind", "number", "key", "source", "source_key", "version", "editable", "origin", "place", "currency"});

std::string_view view_of(const json::string& text) { return {text.data(), text.size()}; }

Failure wrong(std::string_view field, std::string_view what) { return fail(ErrorCode::invalid_input, "\"" + printable(field.substr(0, 64)) + "\" " + std::string(what)); }

Result<std::string> text_of(const json::value& value, std::string_view field) {
  if (value.is_null()) return std::string();
  if (value.is_string()) return std::string(trim(view_of(value.get_string())));
  return wrong(field, "is a text.");
}

Result<std::optional<Day>> day_of(const json::value& value, std::string_view field) {
  const auto text = text_of(value, field);
  if (!text) return pass_on(text);
  if (text->empty()) return std::optional<Day>();
  const auto day = parse_iso_day(*text);
  if (!day) return wrong(field, "is a day like 2026-11-23.");
  return std::optional(*day);
}

Result<std::int64_t> whole(const json::value& value, std::string_view field, std::int64_t smallest, std::int64_t largest) {
  const std::int64_t* number = value.if_int64();
  if (number == nullptr || *number < smallest || *number > largest) return wrong(field, "is a whole number between " + std::to_string(smallest) + " and " + std::to_string(largest) + ".");
  return *number;
}

// A text in major units that has no more decimals than the currency, or minor units. `currency` may be found here first.
Result<std::int64_t> amount_of(const json::value& value, std::string_view field, Currency& currency) {
  if (const json::object* money = value.if_object()) {
    const json::value* minor = money->if_contains("minor");
    const json::value* code = money->if_contains("currency");
    if (minor == nullptr) return wrong(field, "as an object is {\"minor\": 12050, \"currency\": \"EUR\"}.");
    if (code != nullptr) {
      const auto said = code->is_string() ? Currency::parse(view_of(code->get_string())) : std::nullopt;
      if (!said) return wrong(field, "has a currency that is none; write three capital letters like EUR.");
      if (currency.empty()) currency = *said;
      if (currency != *said) return wrong(field, "is in " + said->code() + " and the document in " + currency.code() + "; all amounts of one document have its currency.");
    }
    return whole(*minor, field, -amount_max, amount_max);
  }
  if (!value.is_string()) return wrong(field, "is an amount: a text like \"120.50\", or {\"minor\": 12050, \"currency\": \"EUR\"}.");
  const auto decimal = parse_decimal(view_of(value.get_string()));
  if (!decimal) return wrong(field, "is an amount with a point before its decimals, like \"120.50\".");
  const auto money = to_money(*decimal, currency);
  if (!money) return wrong(field, "is too large for an amount.");
  if (shortest_text(Decimal{money->minor, currency.decimals()}) != shortest_text(*decimal))
    return wrong(field, "has more decimals than " + (currency.empty() ? "its currency" : currency.code()) + " has.");
  return money->minor;
}

Result<Percent> percent_of(const json::value& value, std::string_view field) {
  const auto text = text_of(value, field);
  if (!text) return pass_on(text);
  const auto decimal = parse_decimal(*text);
  if (!decimal) return wrong(field, "is a percentage as a text, like \"2.5\".");
  const auto micros = to_micros(*decimal, field);
  if (!micros) return pass_on(micros);
  return Percent{*micros};
}

Result<std::vector<json::object>> objects_of(const json::value& value, std::string_view field) {
  std::vector<json::object> objects;
  if (value.is_null()) return objects;
  if (!value.is_array() || value.get_array().size() > 10'000) return wrong(field, "is a list of at most 10,000 objects.");
  for (const json::value& one : value.get_array()) {
    if (!one.is_object()) return wrong(field, "is a list of objects.");
    objects.push_back(one.get_object());
  }
  return objects;
}

Result<void> read_instalments(FinanceDocument& document, const json::value& value) {
  const auto parts = objects_of(value, "instalments");
  if (!parts) return pass_on(parts);
  for (const json::object& one : *parts) {
    Instalment part;
    for (const auto& [name, member] : one) {
      if (name == "due") {
        const auto day = day_of(member, "instalments.due");
        if (!day) return pass_on(day);
        part.due = *day;
      } else if (name == "amount") {
        const auto amount = amount_of(member, "instalments.amount", document.currency);
        if (!amount) return pass_on(amount);
        part.amount = *amount;
      } else {
        return wrong(std::string("instalments.") + std::string(name), "is not read; an instalment has due and amount.");
      }
    }
    document.instalments.push_back(part);
  }
  return {};
}

Result<void> read_line(FinanceLine& line, const json::object& one, Currency& currency) {
  for (const auto& [name, member] : one) {
    if (name == "amount") {
      const auto amount = amount_of(member, "lines.amount", currency);
      if (!amount) return pass_on(amount);
      line.amount = *amount;
    } else if (name == "line") {
      if (member.is_null()) continue;
      const auto number = whole(member, "lines.line", 0, 1'000'000);
      if (!number) return pass_on(number);
      line.order_line = static_cast<std::int32_t>(*number);
    } else if (name == "order" || name == "text" || name == "quantity") {
      const auto text = text_of(member, "lines." + std::string(name));
      if (!text) return pass_on(text);
      if (name == "order") line.order.text = *text;
      if (name == "text") line.text = *text;
      if (name != "quantity") continue;
      const auto decimal = parse_decimal(*text);
      const auto micros = decimal ? to_micros(*decimal, "lines.quantity") : Result<std::int64_t>(wrong("lines.quantity", "is a quantity as a text, like \"2.5\"."));
      if (!micros) return pass_on(micros);
      line.quantity.micros = *micros;
    } else {
      return wrong("lines." + std::string(name), "is not read; a line has order, line, quantity, amount and text.");
    }
  }
  return {};
}

Result<void> read_lines(FinanceDocument& document, const json::value& value) {
  const auto lines = objects_of(value, "lines");
  if (!lines) return pass_on(lines);
  for (const json::object& one : *lines)
    if (auto read = read_line(document.lines.emplace_back(), one, document.currency); !read) return read;
  return {};
}

Result<void> read_settles(FinanceDocument& document, const json::value& value) {
  const auto parts = objects_of(value, "settles");
  if (!parts) return pass_on(parts);
  for (const json::object& one : *parts) {
    Allocation part;
    const json::value* currency = one.if_contains("currency");
    if (currency != nullptr && !currency->is_null()) {
      const auto said = currency->is_string() ? Currency::parse(view_of(currency->get_string())) : std::nullopt;
      if (!said) return wrong("settles.currency", "is no currency; write three capital letters like EUR.");
      if (*said != document.currency) part.currency = *said;
    }
    Currency own = part.currency.empty() ? document.currency : part.currency;
    for (const auto& [name, member] : one) {
      if (name == "amount") {
        const auto amount = amount_of(member, "settles.amount", own);
        if (!amount) return pass_on(amount);
        part.amount = *amount;
      } else if (name == "instalment") {
        const auto number = whole(member, "settles.instalment", 0, 10'000);
        if (!number) return pass_on(number);
        part.instalment = static_cast<std::int32_t>(*number);
      } else if (name == "kind" || name == "number") {
        const auto text = text_of(member, "settles." + std::string(name));
        if (!text) return pass_on(text);
        const auto kind = name == "kind" ? parse_finance_kind(*text) : std::optional(part.kind);
        if (!kind) return wrong("settles.kind", "is invoice, bill, credit_note or supplier_credit.");
        part.kind = *kind;
        if (name == "number") part.number = *text;
      } else if (name != "currency") {
        return wrong("settles." + std::string(name), "is not read; it has kind, number, instalment and amount.");
      }
    }
    document.allocations.push_back(std::move(part));
  }
  return {};
}

Result<void> read_rate(FinanceDocument& document, const json::value& value) {
  if (value.is_null()) return {};
  const json::object* object = value.if_object();
  const auto member = [&](const char* name) -> std::string_view {
    const json::value* found = object == nullptr ? nullptr : object->if_contains(name);
    return found != nullptr && found->is_string() ? view_of(found->get_string()) : std::string_view();
  };
  const auto from = Currency::parse(member("from")), to = Currency::parse(member("to"));
  const auto decimal = parse_decimal(member("rate"));
  const auto digits = decimal ? scaled(*decimal, rate_digits) : std::nullopt;
  if (!from || !to || !digits) return wrong("rate", "is {\"from\": \"USD\", \"to\": \"EUR\", \"rate\": \"0.9231\"}.");
  document.rate = ExchangeRate{*from, *to, *digits};
  return {};
}

Result<void> read_terms(FinanceDocument& document, const json::value& value) {
  if (value.is_null()) return {};
  const json::object* object = value.if_object();
  if (object == nullptr) return wrong("terms_rule", "is an object with days, months, month_end, discount_days, discount and parts.");
  TermsRule rule;
  for (const auto& [name, member] : *object) {
    const std::string field = "terms_rule." + std::string(name);
    if (name == "month_end") {
      if (!member.is_bool()) return wrong(field, "is true or false.");
      rule.month_end = member.get_bool();
    } else if (name == "discount") {
      const auto percent = percent_of(member, field);
      if (!percent) return pass_on(percent);
      rule.discount = *percent;
    } else if (name == "parts") {
      const auto parts = objects_of(member, field);
      if (!parts) return pass_on(parts);
      for (const json::object& one : *parts) {
        const json::value* days = one.if_contains("days");
        const json::value* part = one.if_contains("part");
        if (days == nullptr || part == nullptr || one.size() != 2) return wrong(field, "has parts like {\"days\": 30, \"part\": \"50\"}.");
        const auto number = whole(*days, field + ".days", 0, 3660);
        if (!number) return pass_on(number);
        const auto percent = percent_of(*part, field + ".part");
        if (!percent) return pass_on(percent);
        rule.parts.push_back({static_cast<std::int32_t>(*number), *percent});
      }
    } else if (name == "days" || name == "months" || name == "discount_days") {
      const auto number = whole(member, field, 0, 3660);
      if (!number) return pass_on(number);
      (name == "days" ? rule.days : name == "months" ? rule.months : rule.discount_days) = static_cast<std::int32_t>(*number);
    } else {
      return wrong(field, "is not read.");
    }
  }
  document.terms_rule = std::move(rule);
  return {};
}

std::optional<Every> every_of(std::string_view text) {
  for (const Every every : {Every::none, Every::week, Every::month, Every::quarter, Every::year})
    if (word(every) == text || (text.empty() && every == Every::none)) return every;
  return std::nullopt;
}

Result<void> read_member(FinanceDocument& document, std::string_view name, const json::value& value) {
  if (const auto field = std::ranges::find(text_fields, name, [](const TextField& row) { return std::string_view(row.name); }); field != text_fields.end()) {
    auto text = text_of(value, name);
    if (!text) return pass_on(text);
    document.*(field->text) = std::move(*text);
    return {};
  }
  if (const auto field = std::ranges::find(day_fields, name, [](const DayField& row) { return std::string_view(row.name); }); field != day_fields.end()) {
    const auto day = day_of(value, name);
    if (!day) return pass_on(day);
    document.*(field->day) = *day;
    return {};
  }
  if (name == "amount" || name == "tax") {
    if (value.is_null()) return {};
    const auto amount = amount_of(value, name, document.currency);
    if (!amount) return pass_on(amount);
    (name == "amount" ? document.amount : document.tax) = *amount;
    return {};
  }
  if (name == "cancelled" || name == "closed") {
    if (!value.is_bool()) return wrong(name, "is true or false.");
    (name == "cancelled" ? document.cancelled : document.closed) = value.get_bool();
    return {};
  }
  if (name == "every") {
    const auto text = text_of(value, name);
    if (!text) return pass_on(text);
    const auto every = every_of(*text);
    if (!every) return wrong(name, "is week, month, quarter or year.");
    document.every = *every;
    return {};
  }
  if (name == "instalments") return read_instalments(document, value);
  if (name == "lines") return read_lines(document, value);
  if (name == "settles") return read_settles(document, value);
  if (name == "rate") return read_rate(document, value);
  if (name == "terms_rule") return read_terms(document, value);
  if (std::ranges::find(read_only, name) != read_only.end()) return {};
  return wrong(name, "is no field of a finance document.");
}

// The document's currency stands first: amounts as texts need it.
Result<void> read_currency(FinanceDocument& document, const json::object& object) {
  const json::value* value = object.if_contains("currency");
  if (value != nullptr && !value->is_null() && !(value->is_string() && value->get_string().empty())) {
    const auto said = value->is_string() ? Currency::parse(view_of(value->get_string())) : std::nullopt;
    if (!said) return wrong("currency", "is three capital letters like EUR.");
    document.currency = *said;
    return {};
  }
  const json::value* amount = object.if_contains("amount");
  const json::object* money = amount == nullptr ? nullptr : amount->if_object();
  const json::value* code = money == nullptr ? nullptr : money->if_contains("currency");
  if (code == nullptr || !code->is_string()) return {};
  const auto said = Currency::parse(view_of(code->get_string()));
  if (!said) return wrong("amount", "has a currency that is none; write three capital letters like EUR.");
  document.currency = *said;
  return {};
}

void write_parts(JsonWriter& json, const FinanceDocument& document) {
  json.key("instalments").begin_array();
  for (const Instalment& part : document.instalments) {
    json.begin_object();
    write_day(json, "due", part.due);
    write_money(json, "amount", part.amount, document.currency);
    json.end_object();
  }
  json.end_array().key("lines").begin_array();
  for (const FinanceLine& line : document.lines) {
    json.begin_object().field("order", line.order.text).key("line");
    if (line.order_line) json.number(std::int64_t{*line.order_line});
    else json.null();
    json.field("quantity", decimal_text(line.quantity));
    if (!document.currency.empty()) write_money(json, "amount", line.amount, document.currency);
    json.field("text", line.text).end_object();
  }
  json.end_array().key("settles").begin_array();
  for (const Allocation& part : document.allocations) {
    const Currency currency = part.currency.empty() ? document.currency : part.currency;
    json.begin_object().field("kind", word(part.kind)).field("number", part.number).field("instalment", std::int64_t{part.instalment}).field("currency", currency.code());
    write_money(json, "amount", part.amount, currency);
    json.end_object();
  }
  json.end_array();
}

void write_rules(JsonWriter& json, const FinanceDocument& document) {
  if (document.rate)
    json.key("rate").begin_object().field("from", document.rate->from.code()).field("to", document.rate->to.code()).field("rate", shortest_text(Decimal{document.rate->scaled, rate_digits})).end_object();
  if (!document.terms_rule) return;
  const TermsRule& rule = *document.terms_rule;
  json.key("terms_rule").begin_object().field("days", std::int64_t{rule.days}).field("months", std::int64_t{rule.months}).field("month_end", rule.month_end);
  json.field("discount_days", std::int64_t{rule.discount_days}).field("discount", decimal_text(rule.discount)).key("parts").begin_array();
  for (const TermsRule::Part& part : rule.parts) json.begin_object().field("days", std::int64_t{part.days}).field("part", decimal_text(part.part)).end_object();
  json.end_array().end_object();
}

}  // namespace

void write_finance_fields(JsonWriter& json, const FinanceDocument& document) {
  json.field("kind", word(document.kind)).field("key", finance_key(document)).field("number", document.number).field("source", document.source).field("source_key", document.source_key);
  for (const DayField& field : day_fields) write_day(json, field.name, document.*(field.day));
  for (const TextField& field : text_fields) json.field(field.name, document.*(field.text));
  json.field("currency", document.currency.code());
  if (!document.currency.empty()) {
    write_money(json, "amount", document.amount, document.currency);
    write_money(json, "tax", document.tax, document.currency);
  }
  json.field("cancelled", document.cancelled).field("closed", document.closed).field("every", document.every == Every::none ? std::string_view() : word(document.every));
  write_parts(json, document);
  write_rules(json, document);
  json.field("origin", document.origin).field("place", place_text(document.place));
}

Result<FinanceDocument> parse_finance_document(std::string_view text, FinanceKind kind, const std::string& key) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return fail(ErrorCode::invalid_input, "This is not valid JSON: " + error.message() + ".");
  const json::object* object = value.if_object();
  if (object == nullptr) return fail(ErrorCode::invalid_input, "A JSON object is expected, {...}.");
  FinanceDocument document;
  document.kind = kind;
  document.number = key;
  if (auto read = read_currency(document, *object); !read) return pass_on(read);
  for (const auto& [name, member] : *object)
    if (auto read = read_member(document, std::string_view(name.data(), name.size()), member); !read) return pass_on(read);
  if (const json::value* said = object->if_contains("kind"); said != nullptr && (!said->is_string() || view_of(said->get_string()) != word(kind)))
    return wrong("kind", "is not the " + std::string(word(kind)) + " of the address.");
  if (kind == FinanceKind::rate && document.rate) document.number = document.rate->from.code() + "/" + document.rate->to.code();
  if (const json::value* said = object->if_contains("number"); said != nullptr && (!said->is_string() || view_of(said->get_string()) != document.number))
    return wrong("number", "is not the \"" + printable(document.number) + "\" of the address; a document keeps its number.");
  if (finance_key(document) != key) return fail(ErrorCode::invalid_input, "the address of this " + std::string(word(kind)) + " is \"" + printable(finance_key(document)) + "\", not \"" + printable(key) + "\".");
  return document;
}

}  // namespace millrace::server
