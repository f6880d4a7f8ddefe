// What follows from an order in the demo's ERP: the invoice of what was delivered and its payment, the production
// orders of what is still to be made, and what is bought for it.
//
// Invariants
//   * Prices, quantities and currencies are those of the order's lines: invoiced and open quantity make the ordered
//   one.
//   * Same order, same papers; written again after every change of the order.
#pragma once
#include "simulator/company.h"

namespace millrace::app {

// One supplier for each manufacturer; once, before the first order.
void add_suppliers(simulator::Company& company);
void write_papers(simulator::Company& company, const simulator::Document& order);

}  // namespace millrace::app
