#include "testing/world.h"

#include <algorithm>

#include "base/check.h"
#include "domain/order_rules.h"

namespace millrace::testing {
namespace {

std::int64_t micros(std::string_view text) {
  const auto decimal = parse_decimal(text);
  check(decimal.has_value(), "a number of the test can be read");
  const auto value = to_micros(*decimal, "number");
  check(value.has_value(), "a number of the test fits");
  return *value;
}

}  // namespace

Day day(std::string_view iso) {
  const auto parsed = parse_iso_day(iso);
  check(parsed.has_value(), "a day of the test can be read");
  return *parsed;
}

Instant instant(std::string_view text) {
  const auto parsed = parse_instant(text);
  check(parsed.has_value(), "an instant of the test can be read");
  return *parsed;
}

Money money(std::string_view text) {
  check(text.size() > 4, "an amount of the test reads like EUR 25.00");
  const auto currency = Currency::parse(text.substr(0, 3));
  const auto decimal = parse_decimal(text.substr(4));
  check(currency && decimal, "an amount of the test reads like EUR 25.00");
  const auto amount = to_money(*decimal, *currency);
  check(amount.has_value(), "an amount of the test fits");
  return *amount;
}

Quantity quantity(std::string_view text) { return Quantity{micros(text)}; }

OrderStory& OrderStory::status(std::string_view folder) { return order_.status = folder, *this; }
OrderStory& OrderStory::document_status(DocumentStatus status) { return order_.document_status = status, *this; }
OrderStory& OrderStory::cancelled() { return order_.cancelled = true, *this; }
OrderStory& OrderStory::customer(std::string_view code, std::string_view name) {
  order_.customer_code = code;
  order_.customer_name = name;
  return *this;
}
OrderStory& OrderStory::reference(std::string_view text) { return order_.customer_reference = text, *this; }
OrderStory& OrderStory::salesman(std::string_view name) { return order_.salesperson = name, *this; }
OrderStory& OrderStory::currency(std::string_view code) {
  const auto parsed = Currency::parse(code);
  check(parsed.has_value(), "a currency of the test has three letters");
  return order_.currency = *parsed, *this;
}
OrderStory& OrderStory::ordered(std::string_view iso_day) { return order_.order_date = day(iso_day), *this; }
OrderStory& OrderStory::requested(std::string_view iso_day) { return order_.requested_date = day(iso_day), *this; }
OrderStory& OrderStory::promised(std::string_view iso_day) { return order_.promise_date = day(iso_day), *this; }
OrderStory& OrderStory::updated(std::string_view text) { return order_.updated = instant(text), *this; }
OrderStory& OrderStory::tax(std::string_view amount) { return order_.tax = money(amount).minor, *this; }
OrderStory& OrderStory::freight(std::string_view amount) { return order_.freight = money(amount).minor, *this; }
OrderStory& OrderStory::comment(std::string_view text) { return order_.comment = text, *this; }
OrderStory& OrderStory::revision(std::string_view text) { return order_.revision = text, *this; }

OrderStory& OrderStory::file(std::string_view path, std::string_view source) {
  documents_.clear();
  return also_file(path, source);
}
OrderStory& OrderStory::also_file(std::string_view path, std::string_view source) {
  feed::OrderDocument document;
  document.source = source;
  document.path = path;
  const std::size_t dot = path.rfind('.');
  document.format = dot == std::string_view::npos ? std::string() : std::string(path.substr(dot + 1));
  document.hash = content_hash(path);
  document.modified = instant("2026-01-01T00:00:00Z");
  documents_.push_back(std::move(document));
  return *this;
}
OrderStory& OrderStory::flag(std::string_view sentence) { return flags_.emplace_back(sentence), *this; }
OrderStory& OrderStory::difference(feed::Difference difference) { return differences_.push_back(std::move(difference)), *this; }
OrderStory& OrderStory::overlay(std::string_view field, std::string_view value, std::string_view beneath) {
  ++overlay_version_;
  overlay_.push_back({{std::string(field), std::string(value), std::string(beneath), "Ann", instant("2026-03-01T08:00:00Z"), std::nullopt}, std::string(beneath)});
  std::ranges::sort(overlay_, {}, [](const feed::Overlaid& known) { return known.written.field; });
  return *this;
}

OrderStory& OrderStory::line(std::string_view amount, std::string_view unit_price) {
  const Currency currency = money(unit_price).currency;
  check(order_.lines.empty() || order_.currency == currency, "all lines of an order share its currency");
  order_.currency = currency;
  OrderLine added;
  added.line_number = static_cast<std::int32_t>(order_.lines.size() + 1);
  added.item_code = "A-" + std::to_string(added.line_number);
  added.item_name = "Item A-" + std::to_string(added.line_number);
  const std::size_t blank = amount.find(' ');
  added.quantity_ordered = added.quantity_open = quantity(amount.substr(0, blank));
  if (blank != std::string_view::npos) added.unit = amount.substr(blank + 1);
  added.unit_price.micros = micros(unit_price.substr(4));
  order_.lines.push_back(std::move(added));
  return *this;
}

OrderLine& OrderStory::last_line() {
  check(!order_.lines.empty(), "a word about a line follows a line");
  return order_.lines.back();
}
OrderStory& OrderStory::item(std::string_view code, std::string_view name) {
  last_line().item_code = code;
  last_line().item_name = name;
  return *this;
}
OrderStory& OrderStory::manufacturer(std::string_view name) { return last_line().manufacturer = name, *this; }
OrderStory& OrderStory::open(std::string_view amount) { return last_line().quantity_open = quantity(amount), *this; }
OrderStory& OrderStory::line_requested(std::string_view iso_day) {
  return last_line().requested_date = day(iso_day), *this;
}
OrderStory& OrderStory::line_promised(std::string_view iso_day) {
  return last_line().promise_date = day(iso_day), *this;
}
OrderStory& OrderStory::line_status(LineStatus status) { return last_line().status = status, *this; }
OrderStory& OrderStory::no_lines() { return order_.lines.clear(), *this; }

feed::OrderPut OrderStory::put() const {
  SalesOrder order = order_;
  for (OrderLine& told : order.lines) {
    const auto total = line_total(told.quantity_ordered, told.unit_price, told.discount, order.currency);
    check(total.has_value(), "a line of the test has an amount that fits");
    told.line_total = *total;
  }
  settle_amounts(order);
  feed::OrderPut put;
  put.documents = documents_;
  if (!put.documents.empty()) {
    const OrderAmounts sums = amounts(order);
    feed::OrderDocument& first = put.documents.front();
    first.status = order.status;
    first.updated = order.updated;
    first.total = sums.total;
    first.open = sums.open;
    first.line_count = static_cast<std::uint32_t>(order.lines.size());
  }
  put.flags = flags_;
  put.differences = differences_;
  put.overlay_version = overlay_version_;
  put.overlay = overlay_;
  OverlayValues written;
  for (const feed::Overlaid& value : overlay_) set(written, value.written.field, value.written);
  lay_over(order, written);
  put.order = std::make_shared<const SalesOrder>(std::move(order));
  return put;
}

FinanceStory& FinanceStory::party(std::string_view code, std::string_view name) {
  document_.party_code = code;
  document_.party_name = name;
  return *this;
}
FinanceStory& FinanceStory::amount(std::string_view text) {
  const Money told = money(text);
  document_.amount = told.minor;
  document_.currency = told.currency;
  return *this;
}
FinanceStory& FinanceStory::tax(std::string_view text) { return document_.tax = money(text).minor, *this; }
FinanceStory& FinanceStory::posted(std::string_view iso_day) { return document_.posted = day(iso_day), *this; }
FinanceStory& FinanceStory::due(std::string_view iso_day) { return document_.due = day(iso_day), *this; }
FinanceStory& FinanceStory::until(std::string_view iso_day) { return document_.until = day(iso_day), *this; }
FinanceStory& FinanceStory::paid(std::string_view iso_day) { return document_.paid = day(iso_day), *this; }
FinanceStory& FinanceStory::terms(std::string_view code) { return document_.terms = code, *this; }
FinanceStory& FinanceStory::terms_rule(TermsRule rule) { return document_.terms_rule = std::move(rule), *this; }
FinanceStory& FinanceStory::category(std::string_view name) { return document_.category = name, *this; }
FinanceStory& FinanceStory::account(std::string_view name) { return document_.account = name, *this; }
FinanceStory& FinanceStory::every(Every every) { return document_.every = every, *this; }
FinanceStory& FinanceStory::instalment(std::string_view iso_day, std::string_view text) {
  document_.instalments.push_back({day(iso_day), money(text).minor});
  return *this;
}
FinanceStory& FinanceStory::line(std::string_view order, std::int32_t order_line, std::string_view pieces, std::string_view text) {
  document_.lines.push_back({{std::string(order)}, order_line, quantity(pieces), money(text).minor, ""});
  return *this;
}
FinanceStory& FinanceStory::settles(std::string_view number, std::string_view text, std::int32_t instalment) {
  const Money told = money(text);
  const FinanceKind kind = party_of(document_.kind) == FinanceParty::supplier ? FinanceKind::bill : FinanceKind::invoice;
  document_.allocations.push_back({kind, std::string(number), instalment, told.minor, told.currency == document_.currency ? Currency() : told.currency});
  return *this;
}
FinanceStory& FinanceStory::rate(std::string_view from, std::string_view to, std::string_view text) {
  const auto decimal = parse_decimal(text);
  const auto first = Currency::parse(from), second = Currency::parse(to);
  check(decimal && first && second, "a rate of the test reads like USD, EUR, 0.92");
  const auto number = scaled(*decimal, rate_digits);
  check(number.has_value(), "a rate of the test fits");
  document_.rate = ExchangeRate{*first, *second, *number};
  return *this;
}
FinanceStory& FinanceStory::cancelled(bool yes) { return document_.cancelled = yes, *this; }
FinanceStory& FinanceStory::closed(bool yes) { return document_.closed = yes, *this; }

FinanceStory& World::finance(FinanceKind kind, std::string_view number, std::string_view source) {
  const auto found = std::find_if(finance_.begin(), finance_.end(), [&](const FinanceStory& story) {
    return story.document_.kind == kind && story.document_.number == number && story.document_.source == source;
  });
  if (found != finance_.end()) return found->told_ = true, *found;
  FinanceStory& story = finance_.emplace_back();
  story.document_.kind = kind;
  story.document_.number = number;
  story.document_.source = source;
  story.told_ = true;
  return story.posted("2026-01-01");
}

void World::remove_finance(FinanceKind kind, std::string_view key, std::string_view source) {
  flush();
  std::erase_if(finance_, [&](const FinanceStory& story) {
    return story.document_.kind == kind && finance_key(story.document_) == key && story.document_.source == source;
  });
  tell(feed::finance_removed({kind, std::string(source), std::string(key), "", ""}));
}

World::World() : model_(std::make_unique<readmodel::ReadModel>()) {}

OrderStory& World::sales_order(std::string_view number) {
  const auto found = std::find_if(stories_.begin(), stories_.end(),
                                  [&](const OrderStory& story) { return story.order_.number.text == number; });
  if (found != stories_.end()) return found->told_ = true, *found;
  OrderStory& story = stories_.emplace_back();
  story.order_.number.text = number;
  story.order_.status = "Open";
  story.order_.document_status = DocumentStatus::open;
  story.told_ = true;
  return story.file("Open/" + std::string(number) + ".json");
}

void World::tell(feed::Change change) {
  change.sequence = feed::Sequence{changes_.size() + 1};
  change.at = instant("2026-01-01T00:00:00Z") + std::chrono::seconds(change.sequence.value);
  changes_.push_back(std::move(change));
}

void World::flush() {
  for (OrderStory& story : stories_) {
    if (!std::exchange(story.told_, false)) continue;
    tell(feed::order_put(story.put()));
  }
  for (FinanceStory& story : finance_)
    if (std::exchange(story.told_, false)) tell(feed::finance_put(story.document_));
}

void World::remove(std::string_view number, std::string_view reason) {
  flush();
  std::erase_if(stories_, [&](const OrderStory& story) { return story.order_.number.text == number; });
  tell(feed::order_removed(OrderNumber{std::string(number)}, std::string(reason)));
}

void World::reject(std::uint64_t id, std::string_view path, std::string_view reason) {
  flush();
  feed::Rejection rejection;
  rejection.id = id;
  rejection.source = "orders";
  rejection.path = path;
  rejection.reason = reason;
  rejection.since = instant("2026-01-01T00:00:00Z") + std::chrono::seconds(changes_.size() + 1);
  tell(feed::rejection_put(std::move(rejection)));
}

void World::solve_rejection(std::uint64_t id) {
  flush();
  tell(feed::rejection_removed(id));
}

readmodel::SnapshotPtr World::snapshot() {
  flush();
  const auto applied = model_->apply(std::span(changes_).subspan(applied_));
  check(applied.has_value(), "the world's changes have no holes");
  applied_ = changes_.size();
  return model_->current();
}

const std::vector<feed::Change>& World::changes() {
  flush();
  return changes_;
}

}  // namespace millrace::testing
