// A random history of one order: deliveries, returns, invoices, credit notes, payments, write-offs and cancellations in any
// order, also such as nobody should write; and whether its money is still all there. For tests and measurements.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/cash_chain.h"

namespace millrace::testing {

// The same numbers on every machine; quick enough for millions of histories.
class SmallRandom {
 public:
  explicit SmallRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }
  std::int64_t below(std::int64_t bound) { return bound <= 0 ? 0 : static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound)); }
  bool chance(std::int64_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

class MoneyHistory {
 public:
  explicit MoneyHistory(std::uint64_t seed) : random_(seed) {
    lines_.resize(static_cast<std::size_t>(1 + random_.below(3)));
    for (ChainLine& line : lines_) {
      line.line_total = random_.below(std::int64_t{1} << random_.below(40)) - (random_.chance(5) ? 100'000 : 0);
      line.ordered.micros = random_.chance(3) ? 0 : 1 + random_.below(random_.chance(50) ? 20 : 100'000'000);
      line.open = line.ordered;
    }
  }

  void step() {
    switch (random_.below(9)) {
      case 0:
      case 1: deliver(); break;
      case 2:
      case 3: invoice(); break;
      case 4: credit(); break;
      case 5:
      case 6: pay(); break;
      case 7: write_off(); break;
      default: cancel(); break;
    }
  }

  // "" while all holds, else what does not.
  std::string mistake() {
    std::vector<std::vector<InvoiceShare>> shares(lines_.size());
    for (const Invoice& invoice : invoices_) {
      const InvoiceSplit split = split_invoice(invoice.money);
      if (std::string wrong = wrong_split(invoice.money, split); !wrong.empty()) return wrong;
      for (std::size_t i = 0; i < split.parts.size(); ++i) shares[invoice.lines[i]].push_back(split.parts[i]);
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      lines_[i].invoices = shares[i];
      if (std::string wrong = wrong_line(lines_[i], line_money(lines_[i])); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  struct Invoice {
    InvoiceMoney money;
    std::vector<std::size_t> lines;
  };

  std::size_t any_line() { return static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(lines_.size()))); }

  void deliver() {
    ChainLine& line = lines_[any_line()];
    // Now and then more than was ordered, and now and then something comes back.
    std::int64_t moved = 1 + random_.below(line.ordered.micros + line.ordered.micros / 5 + 1);
    if (random_.chance(15)) moved = -std::min(moved, line.delivered.micros);
    line.delivered.micros += moved;
    if (!random_.chance(10)) line.open.micros = std::max<std::int64_t>(0, line.open.micros - moved);
  }

  void invoice() {
    if (invoices_.size() >= 6) return;
    Invoice made;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (random_.chance(30)) continue;
      made.lines.push_back(i);
      made.money.parts.push_back({.net = lines_[i].line_total * random_.below(110) / 100});
      made.money.gross += made.money.parts.back().net;
    }
    made.money.tax = std::max<std::int64_t>(0, made.money.gross) * 19 / 100;
    made.money.gross = std::max<std::int64_t>(0, made.money.gross) + made.money.tax + (random_.chance(30) ? random_.below(5'000) : 0);
    invoices_.push_back(std::move(made));
  }

  Invoice* any_invoice() { return invoices_.empty() ? nullptr : &invoices_[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(invoices_.size())))]; }

  void credit() {
    Invoice* found = any_invoice();
    if (!found) return;
    InvoiceMoney& money = found->money;
    if (money.parts.empty() || random_.chance(30)) {
      (random_.chance(50) ? money.credited_whole_back : money.credited_whole_final) += random_.below(money.gross + 1);
      return;
    }
    InvoicePart& part = money.parts[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(money.parts.size())))];
    const std::int64_t credited = random_.chance(30) ? part.net : part.net * random_.below(120) / 100;
    (random_.chance(50) ? part.credited_back : part.credited_final) += credited;
    money.credited_tax += std::max<std::int64_t>(0, credited) * 19 / 100;
  }

  void pay() {
    if (Invoice* found = any_invoice()) found->money.paid += random_.chance(40) ? found->money.gross : random_.below(found->money.gross + 10);
  }

  void write_off() {
    if (Invoice* found = any_invoice()) found->money.written_off += random_.below(found->money.gross + 10);
  }

  void cancel() {
    ChainLine& line = lines_[any_line()];
    if (random_.chance(50)) {
      line.open.micros = random_.below(line.open.micros + 1);
    } else {
      line.cancelled = !line.cancelled;
    }
  }

  static bool between(std::int64_t part, std::int64_t whole) { return whole >= 0 ? part >= 0 && part <= whole : part <= 0 && part >= whole; }

  static std::string wrong_split(const InvoiceMoney& money, const InvoiceSplit& split) {
    std::int64_t net = 0, still = 0, settled = 0;
    const auto count = [&](const InvoiceShare& share) {
      net += share.net;
      still += share.still;
      settled += share.paid + share.written_off + share.credited_back + share.credited_final;
      return share.still + share.paid + share.written_off + share.credited_back + share.credited_final == share.net;
    };
    bool whole = count(split.tax) && count(split.other);
    for (const InvoiceShare& share : split.parts) whole = count(share) && whole;
    if (!whole || net != money.gross || still + settled != net) return "the shares of an invoice do not add up to it";
    return split.overpaid < 0 ? "an invoice is overpaid by less than nothing" : "";
  }

  static std::string wrong_line(const ChainLine& line, const LineMoney& money) {
    if (money.value() + money.cancelled != line.line_total) return "the states of a line do not add up to its line total";
    for (const std::int64_t state : {money.open, money.delivered, money.invoiced, money.paid, money.written_off, money.cancelled})
      if (!between(state, line.line_total)) return "a state of a line has the other sign than its line total";
    std::int64_t claimed = 0;
    for (const InvoiceShare& share : line.invoices) claimed += share.net - share.credited_back;
    if (money.invoiced + money.paid + money.written_off + money.over_invoiced != claimed) return "what was invoiced is neither in a state nor beside";
    return "";
  }

  SmallRandom random_;
  std::vector<ChainLine> lines_;
  std::vector<Invoice> invoices_;
};

}  // namespace millrace::testing
