// Random finance documents for property tests: any texts and amounts the codec may meet.
#pragma once
#include <rapidcheck.h>

#include "domain/finance.h"
#include "testing/arbitrary_order.h"

namespace millrace::testing {

inline rc::Gen<Currency> arbitrary_currency() {
  return rc::gen::element(Currency(), *Currency::parse("EUR"), *Currency::parse("JPY"), *Currency::parse("KWD"));
}

inline rc::Gen<TermsRule> arbitrary_terms_rule() {
  return rc::gen::exec([] {
    TermsRule rule;
    rule.days = *rc::gen::inRange(0, 200);
    rule.months = *rc::gen::inRange(0, 13);
    rule.month_end = *rc::gen::arbitrary<bool>();
    rule.discount_days = *rc::gen::inRange(0, 15);
    rule.discount.micros = *rc::gen::inRange<std::int64_t>(0, 5 * micros_per_one);
    const int parts = *rc::gen::inRange(0, 4);
    for (int i = 0; i < parts; ++i) rule.parts.push_back({*rc::gen::inRange(0, 200), Percent{*rc::gen::inRange<std::int64_t>(1, 100 * micros_per_one)}});
    return rule;
  });
}

inline void fill_parts(FinanceDocument& document) {
  const int instalments = *rc::gen::inRange(0, 3), lines = *rc::gen::inRange(0, 3), allocations = *rc::gen::inRange(0, 3);
  for (int i = 0; i < instalments; ++i) document.instalments.push_back({*arbitrary_day(), arbitrary_amount()});
  for (int i = 0; i < lines; ++i) {
    FinanceLine line{{*arbitrary_text()}, std::nullopt, {arbitrary_amount()}, arbitrary_amount(), *arbitrary_text()};
    if (*rc::gen::arbitrary<bool>()) line.order_line = *rc::gen::arbitrary<std::int32_t>();
    document.lines.push_back(std::move(line));
  }
  for (int i = 0; i < allocations; ++i)
    document.allocations.push_back({*rc::gen::element(FinanceKind::invoice, FinanceKind::bill, FinanceKind::credit_note), *arbitrary_text(),
                                    *rc::gen::inRange(0, 4), arbitrary_amount(), *arbitrary_currency()});
}

inline rc::Gen<FinanceDocument> arbitrary_finance_document() {
  return rc::gen::exec([] {
    FinanceDocument document;
    document.kind = static_cast<FinanceKind>(*rc::gen::inRange(1, static_cast<int>(finance_kind_count)));
    for (std::string* text : {&document.source, &document.number, &document.source_key, &document.party_code, &document.party_name, &document.reference,
                              &document.category, &document.account, &document.salesperson, &document.country, &document.terms, &document.comment,
                              &document.origin})
      *text = *arbitrary_text();
    document.currency = *arbitrary_currency();
    for (std::optional<Day>* day : {&document.posted, &document.due, &document.until, &document.paid}) *day = *arbitrary_day();
    document.amount = arbitrary_amount();
    document.tax = arbitrary_amount();
    document.cancelled = *rc::gen::arbitrary<bool>();
    document.closed = *rc::gen::arbitrary<bool>();
    document.every = *rc::gen::element(Every::none, Every::week, Every::month, Every::quarter, Every::year);
    if (*rc::gen::arbitrary<bool>()) document.rate = ExchangeRate{*arbitrary_currency(), *arbitrary_currency(), arbitrary_amount()};
    if (*rc::gen::arbitrary<bool>()) document.terms_rule = *arbitrary_terms_rule();
    fill_parts(document);
    document.place = {*rc::gen::element(Place::Kind::none, Place::Kind::row, Place::Kind::cell), *rc::gen::inRange<std::uint32_t>(0, 99'999), 3};
    return document;
  });
}

}  // namespace millrace::testing
