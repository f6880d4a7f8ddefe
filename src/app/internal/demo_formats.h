// One writer per format of the demo's documents. Amounts come settled from the order; nothing is computed here.
#pragma once
#include <string>

#include "app/demo_company.h"
#include "base/result.h"

namespace millrace::app::internal {

std::string demo_json(const SalesOrder& order);
std::string demo_csv(const SalesOrder& order, bool german);
Result<std::string> demo_xlsx(const SalesOrder& order);
Result<std::string> demo_pdf(const SalesOrder& order);
// The base fonts of PDF know Western European letters only.
bool fits_pdf(const SalesOrder& order);

std::string_view line_status_word(const OrderLine& line);

}  // namespace millrace::app::internal
