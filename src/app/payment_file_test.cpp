#include "app/payment_file.h"

#include <doctest/doctest.h>

#include <cstring>

#include "base/time.h"

namespace millrace::app {
namespace {

Result<PaymentFile> read(std::string text) {
  return read_payment_file([text] -> Result<columns::ByteSource> {
    return [text, at = std::size_t{0}](std::span<char> to) mutable -> Result<std::size_t> {
      const std::size_t count = std::min(to.size(), text.size() - at);
      std::memcpy(to.data(), text.data() + at, count);
      at += count;
      return count;
    };
  });
}

std::string told(const PaymentFile& file) {
  std::string text;
  for (const PaymentRow& row : file.rows) {
    const auto& facts = row.facts;
    text += row.customer + "/" + std::to_string(facts.party) + " " + iso(day_from_number(facts.posted)) + " " + iso(day_from_number(facts.due)) +
            " " + (facts.paid == planning::not_paid ? "open" : iso(day_from_number(facts.paid))) + " " + std::to_string(facts.amount) + "\n";
  }
  for (const PaymentRejection& one : file.rejections) text += std::to_string(one.row) + ": " + one.reason + "\n";
  return text;
}

constexpr std::string_view head = "customer,invoice_date,due_date,paid_date,amount\n";

TEST_CASE("A history is read in any column order, and an empty payment is an open invoice") {
  const auto file = read("amount,paid_date,customer,due_date,invoice_date,note\r\n12.5,2026-03-07,\"B, Ltd\",2026-03-01,2026-02-01,x\r\n7,,A,2026-03-02 00:00:00,2026-02-02,\r\n");
  REQUIRE(file);
  CHECK(told(*file) == "B, Ltd/1 2026-02-01 2026-03-01 2026-03-07 1250\nA/0 2026-02-02 2026-03-02 open 700\n");
}

TEST_CASE("Whether the day or the month stands first is decided by the column, and by the others when it leaves both open") {
  const auto months_first = read(std::string(head) + "A,1/2/2013,1/31/2013,2/3/2013,10\n");
  REQUIRE(months_first);
  CHECK(told(*months_first) == "A/0 2013-01-02 2013-01-31 2013-02-03 1000\n");
  const auto days_first = read(std::string(head) + "A,1.2.2013,28.2.2013,3.3.13,10\n");
  REQUIRE(days_first);
  CHECK(told(*days_first) == "A/0 2013-02-01 2013-02-28 2013-03-03 1000\n");
}

TEST_CASE("A wrong row is refused with its row and reason, the others go on") {
  const auto file = read(std::string(head) + "A,2026-01-01,soon,,5\nA,2026-01-01,2026-01-31\n,2026-01-01,2026-01-31,,5\nA,2026-01-01,2026-01-31,,five\n\nA,2026-02-30,2026-01-31,,5\nA,2026-01-02,2026-02-01,,\"1,250.40\"\n");
  REQUIRE(file);
  CHECK(told(*file) ==
        "A/0 2026-01-02 2026-02-01 open 125040\n"
        "2: due_date \"soon\" is no date such as 2026-11-22 or 22/11/2026\n"
        "3: has 3 fields where the first row has 5\n"
        "4: no customer\n"
        "5: amount \"five\" is no number such as 1234.50\n"
        "7: invoice_date \"2026-02-30\" is no date such as 2026-11-22 or 22/11/2026\n");
}

TEST_CASE("A file without the columns is refused, and the missing one named") {
  const auto file = read("customer,invoice_date,paid_date,amount\nA,2026-01-01,,5\n");
  REQUIRE(!file);
  CHECK(file.error().text().find("due_date") != std::string::npos);
}

}  // namespace
}  // namespace millrace::app
