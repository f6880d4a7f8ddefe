#include "app/demo_ticker.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "domain/order_rules.h"

namespace millrace::app {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

void close_when_delivered(OrderLine& line) {
  if (line.status == LineStatus::open && line.quantity_open.micros <= 0) line.status = LineStatus::closed;
}

bool all_delivered(const SalesOrder& order) {
  return std::ranges::none_of(order.lines, [](const OrderLine& line) { return line.quantity_open.micros > 0; });
}

// Everything leaves the house: the order's folder and its lines say the same.
void ship(SalesOrder& order) {
  order.status = demo_status::shipped;
  order.document_status = DocumentStatus::closed;
  for (OrderLine& line : order.lines) {
    line.quantity_open = {};
    close_when_delivered(line);
  }
}

std::string called(const SalesOrder& order) { return "SO " + order.number.text; }

}  // namespace

DemoTicker::DemoTicker(const DemoCompany& company, std::string data, const DemoTree& tree)
    : company_(company),
      data_(std::move(data)),
      root_(tree.root),
      dice_(company.options().seed, 0x7469636b + tree.next_index),
      next_index_(tree.next_index) {
  for (std::size_t index = company.options().order_count; index-- > 0 && active_.size() < active_max;) {
    DemoDocument document = company.document(index);
    if (is_active(document.order.status) && untouched(document)) active_.push_back(std::move(document));
  }
}

bool DemoTicker::untouched(const DemoDocument& document) const {
  struct stat status{};
  if (::lstat((root_ + "/" + document.path).c_str(), &status) != 0) return false;
  return S_ISREG(status.st_mode) &&
         status.st_mtim.tv_sec ==
             std::chrono::floor<std::chrono::seconds>(document.order.updated->time_since_epoch()).count();
}

Result<DemoTicker::Tick> DemoTicker::step(Instant now) {
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  while (!active_.empty()) {
    const auto action = dice_.below(100);
    if (action < 18) break;
    const std::size_t at = dice_.below(active_.size());
    if (!untouched(active_[at])) {
      std::swap(active_[at], active_.back());
      active_.pop_back();
      continue;
    }
    if (action < 45) return deliver(at, second);
    return action < 75 ? move_forward(at, second) : change_terms(at, second);
  }
  return enter_order(second);
}

Result<DemoTicker::Tick> DemoTicker::enter_order(Instant now) {
  DemoDocument document = company_.document(next_index_);
  document.order.updated = now;
  if (auto written = write_document(root_, document); !written) return pass_on(written);
  ++next_index_;
  if (auto noted = remember_next_index(data_, company_, next_index_); !noted) return pass_on(noted);
  Tick tick{called(document.order) + " entered for " + document.order.customer_name, document.path, document.order};
  if (active_.size() < active_max) active_.push_back(std::move(document));
  return tick;
}

Result<DemoTicker::Tick> DemoTicker::deliver(std::size_t at, Instant now) {
  DemoDocument changed = active_[at];
  SalesOrder& order = changed.order;
  std::vector<OrderLine*> open;
  for (OrderLine& line : order.lines) {
    if (line.quantity_open.micros > 0) open.push_back(&line);
  }
  if (open.empty() || order.status == demo_status::open) return move_forward(at, now);
  OrderLine& line = *open[dice_.below(open.size())];
  const std::int64_t whole = line.quantity_open.micros / micros_per_one;
  const std::int64_t leaves =
      whole > 1 && dice_.chance(500) ? dice_.between(1, whole - 1) * micros_per_one : line.quantity_open.micros;
  line.quantity_open.micros -= leaves;
  close_when_delivered(line);
  if (all_delivered(order)) ship(order);
  return publish(
      at, std::move(changed),
      "delivered " + decimal_text(Quantity{leaves}) + " " + line.unit + " of line " + std::to_string(line.line_number),
      now);
}

Result<DemoTicker::Tick> DemoTicker::move_forward(std::size_t at, Instant now) {
  DemoDocument changed = active_[at];
  SalesOrder& order = changed.order;
  const std::string before = order.status;
  if (before == demo_status::open)
    order.status = demo_status::in_production;
  else if (before == demo_status::in_production)
    order.status = demo_status::ready;
  else
    ship(order);
  std::string text = "moved from " + before + " to " + order.status;
  return publish(at, std::move(changed), std::move(text), now);
}

Result<DemoTicker::Tick> DemoTicker::change_terms(std::size_t at, Instant now) {
  DemoDocument changed = active_[at];
  SalesOrder& order = changed.order;
  std::string text;
  if (dice_.chance(500)) {
    const auto shift = days(dice_.between(1, 9));
    order.requested_date = Day(sys_days(*order.requested_date) + shift);
    for (OrderLine& line : order.lines) {
      if (line.requested_date) line.requested_date = Day(sys_days(*line.requested_date) + shift);
    }
    text = "due date moved to " + iso(*order.requested_date);
  } else {
    OrderLine& line = order.lines[dice_.below(order.lines.size())];
    const std::int64_t grain = order.currency.decimals() == 0 ? 1'000'000 : 10'000;
    line.unit_price.micros =
        std::max<std::int64_t>(1, line.unit_price.micros * dice_.between(93, 106) / 100 / grain) * grain;
    const auto customer = std::ranges::find(company_.customers(), order.customer_code, &DemoCustomer::code);
    reprice(order, customer == company_.customers().end() ? 0 : tax_percent(customer->country));
    text = "price of line " + std::to_string(line.line_number) + " is now " + decimal_text(line.unit_price) + " " +
           order.currency.code();
  }
  return publish(at, std::move(changed), std::move(text), now);
}

Result<DemoTicker::Tick> DemoTicker::publish(std::size_t at, DemoDocument changed, std::string text, Instant now) {
  SalesOrder& order = changed.order;
  // The newest stamp counts, so two changes within one second still need an order.
  order.updated = std::max(now, *order.updated + std::chrono::seconds(1));
  settle_amounts(order);
  order.document_total = amounts(order).total;
  const std::string old_path = active_[at].path;
  changed.path = demo_path(changed);
  if (auto written = write_document(root_, changed); !written) return pass_on(written);
  if (changed.path != old_path && ::unlink((root_ + "/" + old_path).c_str()) != 0 && errno != ENOENT) {
    return fail(ErrorCode::unavailable,
                root_ + "/" + old_path + ": the moved order's former file cannot be removed: " + std::strerror(errno));
  }
  Tick tick{called(order) + " " + text, changed.path, order};
  if (is_active(order.status)) {
    active_[at] = std::move(changed);
  } else {
    std::swap(active_[at], active_.back());
    active_.pop_back();
  }
  return tick;
}

}  // namespace millrace::app
