// Random sales orders for property tests (rapidcheck): any text, any amounts a document may carry.
#pragma once
#include <rapidcheck.h>

#include <optional>
#include <string>

#include "domain/order.h"

namespace millrace::testing {

// Mostly words a person would write, sometimes any bytes.
inline rc::Gen<std::string> arbitrary_text() {
  return rc::gen::oneOf(rc::gen::element<std::string>("", "Open", "P-100", "M\xC3\xBCller GmbH", "0012", "1E5"),
                        rc::gen::arbitrary<std::string>());
}

inline rc::Gen<std::optional<Day>> arbitrary_day() {
  return rc::gen::map(rc::gen::inRange<std::int32_t>(-10'000, 60'000), [](std::int32_t number) {
    return number < 0 ? std::optional<Day>() : std::optional<Day>(day_from_number(number));
  });
}

inline std::int64_t arbitrary_amount() {
  return *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-1'000'000, 1'000'000),
                         rc::gen::inRange<std::int64_t>(-amount_max, amount_max));
}

inline rc::Gen<OrderLine> arbitrary_line() {
  return rc::gen::exec([] {
    OrderLine line;
    line.line_number = *rc::gen::arbitrary<std::int32_t>();
    line.item_code = *arbitrary_text();
    line.item_name = *arbitrary_text();
    line.manufacturer = *arbitrary_text();
    line.warehouse_code = *arbitrary_text();
    line.unit = *rc::gen::element<std::string>("", "pcs", "kg");
    line.quantity_ordered.micros = *rc::gen::inRange<std::int64_t>(-micros_per_one, 1'000 * micros_per_one);
    line.quantity_open.micros = *rc::gen::inRange<std::int64_t>(-micros_per_one, 1'200 * micros_per_one);
    line.unit_price.micros = *rc::gen::inRange<std::int64_t>(-micros_per_one, 1'000'000 * micros_per_one);
    line.discount.micros = *rc::gen::inRange<std::int64_t>(0, 100 * micros_per_one);
    line.line_total = arbitrary_amount();
    line.open_amount = arbitrary_amount();
    line.status = *rc::gen::element(LineStatus::open, LineStatus::closed, LineStatus::cancelled);
    line.requested_date = *arbitrary_day();
    line.promise_date = *arbitrary_day();
    line.place.kind =
        *rc::gen::element(Place::Kind::none, Place::Kind::line, Place::Kind::row, Place::Kind::cell, Place::Kind::page);
    line.place.number = *rc::gen::inRange<std::uint32_t>(0, 100'000);
    line.place.column = *rc::gen::inRange<std::uint32_t>(0, 300);
    return line;
  });
}

inline rc::Gen<SalesOrder> arbitrary_order() {
  return rc::gen::exec([] {
    SalesOrder order;
    order.number.text = *arbitrary_text();
    order.source_key = *arbitrary_text();
    order.status = *arbitrary_text();
    order.document_status = *rc::gen::element(DocumentStatus::unknown, DocumentStatus::open, DocumentStatus::closed);
    order.cancelled = *rc::gen::arbitrary<bool>();
    order.revision = *arbitrary_text();
    order.customer_code = *arbitrary_text();
    order.customer_name = *arbitrary_text();
    order.customer_reference = *arbitrary_text();
    order.salesperson = *arbitrary_text();
    order.payment_terms = *arbitrary_text();
    order.comment = *arbitrary_text();
    order.currency =
        *rc::gen::element(Currency(), *Currency::parse("EUR"), *Currency::parse("JPY"), *Currency::parse("KWD"));
    order.order_date = *arbitrary_day();
    order.requested_date = *arbitrary_day();
    order.promise_date = *arbitrary_day();
    order.tax = arbitrary_amount();
    order.freight = arbitrary_amount();
    if (*rc::gen::arbitrary<bool>()) order.document_total = arbitrary_amount();
    if (*rc::gen::arbitrary<bool>())
      order.updated =
          Instant{std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 5'000'000'000'000)}};
    order.extra = *rc::gen::container<decltype(order.extra)>(rc::gen::pair(arbitrary_text(), arbitrary_text()));
    order.lines = *rc::gen::container<decltype(order.lines)>(arbitrary_line());
    return order;
  });
}

}  // namespace millrace::testing
