// One order as a line of text: what the ERP says and what the record holds are equal when their texts are.
#pragma once
#include <string>

#include "domain/order.h"
#include "simulator/service_layer.h"

namespace millrace::testing {

// A line of a document that is closed or cancelled is closed, whatever it says itself (docs/erp.md).
// Manufacturers are compared for open orders only: closed ones keep the name they were closed with.
std::string order_text(const simulator::Document& order, const simulator::Truth& truth);
std::string order_text(const SalesOrder& order);

}  // namespace millrace::testing
