// A history of invoices and payments as a table: customer,invoice_date,due_date,paid_date,amount, in any order and beside other
// columns. An empty paid_date is an invoice without payment.
//
// Invariants
//   * Dates are 2026-11-22 (a time behind it is left out) or numbers with / . - between them, day or month first: decided by
//     all values of the column, by the other columns when it leaves both open, and day first when all do.
//   * A row that cannot be read is a rejection with its row and reason; the others go on.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "columns/csv_table.h"
#include "planning/payment_behaviour.h"

namespace millrace::app {

struct PaymentRow {
  std::string customer;
  std::string amount;          // as written
  planning::PaymentCase facts;  // amount in hundredths, party by the sorted customers
};

struct PaymentRejection {
  std::uint64_t row = 0;  // of the file, 1 is the head
  std::string reason;
};

struct PaymentFile {
  std::vector<PaymentRow> rows;
  std::vector<PaymentRejection> rejections;
  std::size_t customers = 0;
};

// Errors   invalid_input  no table, or a column is missing; the text names it
//          not_found, denied, unavailable  the file cannot be read
Result<PaymentFile> read_payment_file(const columns::OpenFile& open);

}  // namespace millrace::app
