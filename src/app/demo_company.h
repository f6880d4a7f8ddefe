// Nordwerk Pumpen GmbH: a made-up maker of pumps with customers, items, orders and a year of history.
//
// Invariants
//   * Same seed, size and day: the same company to the byte, on every machine. Only integers and our own generator
//     decide; nothing comes from the clock or a library's distributions.
//   * Any order can be asked for alone, so that a large company needs no memory.
//   * Amounts follow domain/order_rules.h; every order is settled.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/order.h"
#include "ingest/document.h"

namespace millrace::app {

// splitmix64: small, fast, and the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  Dice(std::uint64_t seed, std::uint64_t stream);  // independent dice for every stream

  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);  // 0 .. bound - 1; bound > 0
  std::int64_t between(std::int64_t least, std::int64_t most);
  bool chance(unsigned per_mille);
  std::uint64_t low_below(std::uint64_t bound, int rolls);  // the least of several rolls: small numbers are frequent

 private:
  std::uint64_t state_;
};

namespace demo_status {
inline constexpr std::string_view open = "Open";
inline constexpr std::string_view in_production = "In Production";
inline constexpr std::string_view ready = "Ready to ship";
inline constexpr std::string_view shipped = "Shipped";
inline constexpr std::string_view closed = "Closed";
inline constexpr std::string_view cancelled = "Cancelled";
}  // namespace demo_status

struct DemoOptions {
  std::uint64_t seed = 42;
  std::size_t order_count = 3000;
  Day today{};
};

// One order document as it shall lie in the folder.
struct DemoDocument {
  SalesOrder order;  // `status` is the folder state
  ingest::Format format = ingest::Format::json;
  bool german = false;  // CSV with ';', decimal comma and dates like 21.11.2026
  std::string path;     // relative to the orders folder
};

struct DemoCustomer {
  std::string code, name;
  std::string country;  // "DE"
  Currency currency;
  std::int64_t discount = 0;  // percent, micros
};

struct DemoItem {
  std::string code, name, manufacturer, unit;
  std::int64_t price = 0;  // EUR, 1/10000
  bool bulk = false;       // sold by the dozen, not by the piece
  bool halves = false;     // sold in half units: hoses by the metre
};

class DemoCompany {
 public:
  explicit DemoCompany(DemoOptions options);

  static std::string_view name() { return "Nordwerk Pumpen GmbH"; }
  const DemoOptions& options() const { return options_; }
  const std::vector<DemoCustomer>& customers() const { return customers_; }
  const std::vector<DemoItem>& items() const { return items_; }

  // The document of order `index` that counts; an index from `order_count` on is an order entered at `today`.
  DemoDocument document(std::size_t index) const;
  // Some orders have an older document beside it: a former revision, or a copy forgotten in another folder.
  std::optional<DemoDocument> superseded(std::size_t index) const;

 private:
  void make_customers();
  void make_items();
  Day order_day(std::size_t index) const;
  void choose_status(SalesOrder& order, Dice& dice, int days_of_lead) const;
  void add_lines(SalesOrder& order, const DemoCustomer& customer, Dice& dice) const;
  void deliver(SalesOrder& order, Dice& dice) const;
  void stamp(SalesOrder& order, Dice& dice) const;

  DemoOptions options_;
  std::vector<DemoCustomer> customers_;
  std::vector<DemoItem> items_;
};

// Status / year of the order / customer / file name. Slashes and leading dots of names become '-'.
std::string demo_path(const DemoDocument& document);
// Line total and tax follow quantity and price again after a change. `tax_percent` by the customer's country.
void reprice(SalesOrder& order, int tax_percent);
int tax_percent(std::string_view country);
bool is_active(std::string_view status);  // not closed, shipped or cancelled

}  // namespace millrace::app
