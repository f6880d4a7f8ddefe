#include "testing/erp_simulator/changes.h"

#include <utility>

namespace millrace::testing {

using simulator::Document;
using simulator::Micros;

void OrderChanges::shuffle(const simulator::Company& company) {
  waiting_.clear();
  for (const auto& [key, order] : company.orders) waiting_.push_back(key);
  for (std::size_t left = waiting_.size(); left > 1; --left) std::swap(waiting_[left - 1], waiting_[dice_() % left]);
}

Document* OrderChanges::next(simulator::Company& company, WhichOrders which) {
  for (int round = 0; round < 2; ++round) {
    while (!waiting_.empty()) {
      const auto found = company.orders.find(waiting_.back());
      waiting_.pop_back();
      if (found != company.orders.end() && (which == WhichOrders::all || found->second.open)) return &found->second;
    }
    shuffle(company);
  }
  return nullptr;
}

void OrderChanges::alter(simulator::Company& company, Document& order, simulator::Stamp now, simulator::Trace trace) {
  const auto more = static_cast<Micros>(1 + dice_() % 9) * simulator::one;  // whole, so that yen stay whole too
  const std::uint64_t deed = order.open && !order.lines.empty() ? dice_() % 3 : 3;
  const std::size_t line = order.lines.empty() ? 0 : dice_() % order.lines.size();
  if (deed == 0) {
    company.change_quantity(order, line, order.lines[line].quantity + more, now, trace);
  } else if (deed == 1) {
    company.change_price(order, line, order.lines[line].price + more, now, trace);
  } else if (deed == 2) {
    company.change_due_day(order, order.due_day + static_cast<std::int32_t>(1 + dice_() % 9), now, trace);
  } else {
    company.change_reference(order, "PO changed " + std::to_string(++references_), now, trace);
  }
}

const Document* OrderChanges::change(simulator::Company& company, simulator::Stamp now, simulator::Trace trace, WhichOrders which) {
  Document* const order = next(company, which);
  if (order != nullptr) alter(company, *order, now, trace);
  return order;
}

const Document* OrderChanges::change_one(simulator::Company& company, std::int32_t key, simulator::Stamp now, simulator::Trace trace) {
  const auto found = company.orders.find(key);
  if (found == company.orders.end()) return nullptr;
  alter(company, found->second, now, trace);
  return &found->second;
}

}  // namespace millrace::testing
