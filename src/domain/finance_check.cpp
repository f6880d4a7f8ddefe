// What makes a finance document one that may be kept: one rule after the other, the first that is broken is told.
#include <algorithm>
#include <string>

#include "base/text.h"
#include "domain/finance.h"

namespace millrace {
namespace {

constexpr std::size_t text_bytes_max = 4000;
constexpr std::size_t number_bytes_max = 200;
constexpr std::size_t parts_max = 10'000;  // lines, instalments or allocations of one document
constexpr std::int32_t day_first = -25'567, day_last = 376'200;  // 1900-01-01 to 2999-12-31

std::string spoken(const FinanceDocument& document) {
  std::string text = "The ";
  for (const char c : word(document.kind)) text += c == '_' ? ' ' : c;
  return trim(document.number).empty() ? text : text + " " + printable(document.number);
}

Failure refused(const FinanceDocument& document, const std::string& rest) {
  return fail(ErrorCode::invalid_input, spoken(document) + " " + rest);
}

bool has_amount(FinanceKind kind) {
  return kind != FinanceKind::delivery && kind != FinanceKind::terms && kind != FinanceKind::rate;
}

bool needs_posted(FinanceKind kind) {
  switch (kind) {
    case FinanceKind::cost:
    case FinanceKind::tax:
    case FinanceKind::purchase_order:
    case FinanceKind::terms: return false;
    default: return true;
  }
}

bool may_settle(FinanceKind kind) {
  switch (kind) {
    case FinanceKind::payment:
    case FinanceKind::credit_note:
    case FinanceKind::write_off:
    case FinanceKind::supplier_credit:
    case FinanceKind::supplier_payment: return true;
    default: return false;
  }
}

bool uses_up(FinanceKind settled) { return settled == FinanceKind::credit_note || settled == FinanceKind::supplier_credit; }

bool is_of_side(FinanceKind settled, FinanceParty side) {
  if (side == FinanceParty::customer) return settled == FinanceKind::invoice || settled == FinanceKind::credit_note;
  return settled == FinanceKind::bill || settled == FinanceKind::supplier_credit;
}

std::string money_text(const FinanceDocument& document, std::int64_t minor) {
  return document.currency.code() + " " + decimal_text(Money{minor, document.currency});
}

Result<void> check_texts(const FinanceDocument& document) {
  if (word(document.kind).empty()) return fail(ErrorCode::invalid_input, "The document is of no known kind; name one of those in docs/cash.md.");
  if (trim(document.number).empty()) return refused(document, "has no number; give it one that no other " + std::string(word(document.kind)) + " has.");
  if (document.number.size() > number_bytes_max) return refused(document, "has a number of more than 200 characters; shorten it.");
  for (const std::string* text : {&document.number, &document.source_key, &document.party_code, &document.party_name, &document.reference,
                                  &document.category, &document.account, &document.salesperson, &document.country, &document.terms,
                                  &document.comment, &document.origin}) {
    if (text->size() > text_bytes_max) return refused(document, "has a text of more than 4,000 characters; shorten it.");
    if (!is_valid_utf8(*text)) return refused(document, "has a text that is not UTF-8; write it as UTF-8.");
  }
  if (party_of(document.kind) == FinanceParty::customer && document.party_code.empty())
    return refused(document, "names no customer; give the customer's code.");
  if (party_of(document.kind) == FinanceParty::supplier && document.party_code.empty())
    return refused(document, "names no supplier; give the supplier's code.");
  return {};
}

Result<void> check_day(const FinanceDocument& document, const std::optional<Day>& day, std::string_view name) {
  if (!day) return {};
  if (!day->ok()) return refused(document, "has a " + std::string(name) + " that is in no calendar; correct it.");
  const std::int32_t number = day_number(*day);
  if (number < day_first || number > day_last)
    return refused(document, "has the " + std::string(name) + " " + iso(*day) + "; a day between 1900 and 2999 is expected.");
  return {};
}

Result<void> check_days(const FinanceDocument& document) {
  const std::pair<const std::optional<Day>*, std::string_view> days[] = {
      {&document.posted, "posting day"}, {&document.due, "due day"}, {&document.until, "last day"}, {&document.paid, "payment day"}};
  for (const auto& [day, name] : days)
    if (auto fine = check_day(document, *day, name); !fine) return fine;
  if (!document.posted && needs_posted(document.kind)) return refused(document, "has no posting day; give it one.");
  if (!document.posted && !document.due && document.kind != FinanceKind::terms)
    return refused(document, "has neither a posting day nor a due day; give it one of them.");
  if (document.until && document.posted && *document.until < *document.posted)
    return refused(document, "ends on " + iso(*document.until) + " before it begins on " + iso(*document.posted) + "; correct one of them.");
  if (document.kind == FinanceKind::recurring_cost && document.every == Every::none)
    return refused(document, "does not say how often it comes; say week, month, quarter or year.");
  if (static_cast<std::size_t>(document.every) > 4) return refused(document, "comes at an unknown interval; say week, month, quarter or year.");
  return {};
}

Result<void> check_amounts(const FinanceDocument& document) {
  if (!has_amount(document.kind)) {
    if (document.amount != 0) return refused(document, "has an amount, which its kind does not have; leave it out.");
    return {};
  }
  if (document.currency.empty()) return refused(document, "has no currency; give one like EUR.");
  if (document.amount > amount_max || document.amount < -amount_max)
    return refused(document, "has an amount beyond " + decimal_text(Money{amount_max, document.currency}) + "; correct it.");
  if (document.amount < 0 && document.kind != FinanceKind::balance)
    return refused(document, "has the amount " + money_text(document, document.amount) + " below zero; what goes the other way is a document of another kind.");
  if (document.tax < 0 || document.tax > std::max<std::int64_t>(0, document.amount))
    return refused(document, "has the tax " + money_text(document, document.tax) + ", which is no part of its amount " + money_text(document, document.amount) + "; correct one of them.");
  return {};
}

Result<void> check_instalments(const FinanceDocument& document) {
  if (document.instalments.empty()) return {};
  if (document.instalments.size() > parts_max) return refused(document, "has more than 10,000 instalments; split it.");
  Int128 sum = 0;
  for (const Instalment& part : document.instalments) {
    if (auto fine = check_day(document, part.due, "due day of an instalment"); !fine) return fine;
    if (part.amount < 0 || part.amount > amount_max) return refused(document, "has an instalment below zero or too large; correct it.");
    sum += part.amount;
  }
  if (sum != document.amount)
    return refused(document, "has instalments that do not add up to its amount " + money_text(document, document.amount) + "; correct them.");
  return {};
}

Result<void> check_allocations(const FinanceDocument& document) {
  if (document.allocations.empty()) return {};
  if (!may_settle(document.kind)) return refused(document, "settles other documents, which its kind cannot; leave the allocations out.");
  if (document.allocations.size() > parts_max) return refused(document, "settles more than 10,000 documents; split it.");
  Int128 used = 0;
  for (const Allocation& part : document.allocations) {
    if (trim(part.number).empty()) return refused(document, "settles a document without a number; name it.");
    if (!is_of_side(part.kind, party_of(document.kind)))
      return refused(document, "settles the " + std::string(word(part.kind)) + " " + printable(part.number) + ", which is not of its side; correct the kind.");
    if (part.amount <= 0 || part.amount > amount_max)
      return refused(document, "settles " + printable(part.number) + " with an amount that is not above zero; correct it.");
    if (part.instalment < 0) return refused(document, "settles an instalment below 1 of " + printable(part.number) + "; count from 1.");
    if (!part.currency.empty() && part.currency != document.currency) continue;  // how much of ours that took is not said
    used += uses_up(part.kind) ? -part.amount : part.amount;
  }
  if (used > document.amount)
    return refused(document, "settles more than its amount " + money_text(document, document.amount) + "; correct the allocations.");
  return {};
}

Result<void> check_lines(const FinanceDocument& document) {
  if (document.lines.size() > parts_max) return refused(document, "has more than 10,000 lines; split it.");
  if (document.kind == FinanceKind::delivery && document.lines.empty())
    return refused(document, "delivers nothing; give its lines with order, line and quantity.");
  for (const FinanceLine& line : document.lines) {
    if (line.amount > amount_max || line.amount < -amount_max) return refused(document, "has a line whose amount is too large; correct it.");
    if (line.text.size() > text_bytes_max || line.order.text.size() > number_bytes_max)
      return refused(document, "has a line with a text that is too long; shorten it.");
    if (!is_valid_utf8(line.text) || !is_valid_utf8(line.order.text)) return refused(document, "has a line with a text that is not UTF-8; write it as UTF-8.");
  }
  return {};
}

Result<void> check_rate(const FinanceDocument& document) {
  if (document.kind != FinanceKind::rate) return {};
  if (!document.rate || document.rate->from.empty() || document.rate->to.empty())
    return refused(document, "does not say from which currency to which; give both, like USD and EUR.");
  if (document.rate->from == document.rate->to) return refused(document, "is from a currency to itself; give two different ones.");
  if (document.rate->scaled <= 0) return refused(document, "is not above zero; correct it.");
  return {};
}

Result<void> check_terms(const FinanceDocument& document) {
  if (document.kind != FinanceKind::terms) return {};
  if (!document.terms_rule) return refused(document, "do not say when an invoice is due; give days, months or parts.");
  const TermsRule& rule = *document.terms_rule;
  constexpr std::int32_t days_max = 3660, months_max = 120;
  if (rule.days < 0 || rule.days > days_max || rule.months < 0 || rule.months > months_max || rule.discount_days < 0 || rule.discount_days > days_max)
    return refused(document, "count days or months below zero or beyond ten years; correct them.");
  if (rule.discount.micros < 0 || rule.discount.micros > 100 * micros_per_one)
    return refused(document, "give a discount that is not between 0 and 100 %; correct it.");
  if (rule.parts.empty()) return {};
  if (rule.parts.size() > 100) return refused(document, "have more than 100 parts; use fewer.");
  std::int64_t whole = 0;
  for (const TermsRule::Part& part : rule.parts) {
    if (part.days < 0 || part.days > days_max || part.part.micros <= 0 || part.part.micros > 100 * micros_per_one)
      return refused(document, "have a part that is not above 0 %, or days below zero or beyond ten years; correct it.");
    whole += part.part.micros;
  }
  if (whole != 100 * micros_per_one) return refused(document, "have parts that are not 100 % together; correct them.");
  return {};
}

}  // namespace

Result<void> check_finance_document(const FinanceDocument& document) {
  for (const auto check : {check_texts, check_days, check_amounts, check_instalments, check_allocations, check_lines, check_rate, check_terms})
    if (auto fine = check(document); !fine) return fine;
  return {};
}

}  // namespace millrace
