// A made-up company and what people do in it, decided by a seed alone.
//
// Invariants
//   * Same seed, same company and same deeds in the same order, on every machine.
#pragma once
#include <array>
#include <random>
#include <string>

#include "simulator/company.h"

namespace millrace::simulator {

struct RandomCompanyOptions {
  std::uint64_t seed = 1;
  std::size_t orders = 100;
  unsigned open_percent = 40;
  std::size_t items = 12, manufacturers = 4, partners = 6;
  Stamp now;                   // the newest change; others lie before it
  bool other_streams = false;  // invoices, payments, purchase and production orders, product trees: a few of each
};
Company random_company(const RandomCompanyOptions& options);

enum class Deed : std::uint8_t {
  enter,
  quantity,
  price,
  due_day,
  deliver,
  close,
  cancel,
  remove,
  remove_line,
  touch,
  edit_closed,
  rename_item,
  move_item,
  rename_manufacturer,
  rename_partner,
  enter_again,
  add_line,
  reopen
};
inline constexpr std::size_t deed_count = 18;
std::string_view word(Deed deed);

struct ScriptOptions {
  std::uint64_t seed = 1;
  std::array<unsigned, deed_count> weights = {12, 14, 10, 10, 16, 8, 4, 3, 5, 6, 8, 2, 2, 1, 1, 1, 3, 1};
  // Changes that leave less behind than they should; of closed orders only where that is said.
  unsigned version_only_per_mille = 0, silent_per_mille = 0;
  bool closed_without_stamp = false;
  bool removes_closed = true;
  unsigned& weight(Deed deed) { return weights[static_cast<std::size_t>(deed)]; }
};

class Script {
 public:
  struct Done {
    Deed deed = Deed::touch;
    Trace trace = Trace::stamped;
    std::string key;  // of the row
  };

  explicit Script(ScriptOptions options);
  // One deed at `now`. Where there is nothing to do it to, an order is entered instead.
  Done step(Company& company, Stamp now);

 private:
  std::uint64_t below(std::uint64_t bound);
  Deed choose();
  Trace choose_trace();
  Document* find_order(Company& company, bool open);
  bool on_order(Deed deed, Company& company, Stamp now, Done& done);
  bool on_master_data(Deed deed, Company& company, Stamp now, Done& done);

  ScriptOptions options_;
  std::mt19937_64 dice_;
  std::uint64_t names_ = 0;
};

}  // namespace millrace::simulator
