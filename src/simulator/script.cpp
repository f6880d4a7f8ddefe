#include "simulator/script.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace millrace::simulator {
namespace {

std::uint64_t below(std::mt19937_64& dice, std::uint64_t bound) { return dice() % bound; }

std::string item_code(std::size_t index) {
  std::string digits = std::to_string(index + 1);
  return "A" + std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
}

Line random_line(std::mt19937_64& dice, const Company& company, const Document& order, std::int32_t number) {
  const auto& item =
      std::next(company.items.begin(), static_cast<std::ptrdiff_t>(below(dice, company.items.size())))->second;
  Line line;
  line.number = number;
  line.item_code = item.code;
  line.description = item.name;
  line.warehouse = below(dice, 3) == 0 ? "02.02" : "01";
  line.unit = item.unit;
  line.currency = order.currency;
  line.rate = order.rate;
  line.quantity = static_cast<Micros>(1 + below(dice, 40)) * (below(dice, 8) == 0 ? one / 2 : one);
  line.open = line.quantity;
  line.price = static_cast<Micros>(1 + below(dice, 2'000'000)) * (order.currency == "JPY" ? one : one / 10'000);
  line.discount = below(dice, 4) == 0 ? static_cast<Micros>(below(dice, 40)) * one / 2 : 0;
  line.ship_day = order.due_day + static_cast<std::int32_t>(below(dice, 5));
  return line;
}

Document random_order(std::mt19937_64& dice, const Company& company, std::int32_t day) {
  Document order;
  const auto& partner =
      std::next(company.partners.begin(), static_cast<std::ptrdiff_t>(below(dice, company.partners.size())))->second;
  order.card_code = partner.code;
  order.card_name = partner.name;
  if (below(dice, 5) != 0) order.reference = "PO " + std::to_string(1000 + below(dice, 90'000));
  order.currency = partner.currency;
  order.rate = order.currency == "USD" ? 921'659 : order.currency == "JPY" ? 6'173 : one;
  order.posted_day = day;
  order.due_day = day + 10 + static_cast<std::int32_t>(below(dice, 40));
  order.salesperson = below(dice, 4) == 0 ? -1 : static_cast<std::int32_t>(1 + below(dice, 5));
  const std::uint64_t lines = 1 + std::min(below(dice, 6), below(dice, 6));
  for (std::uint64_t i = 0; i < lines; ++i)
    order.lines.push_back(random_line(dice, company, order, static_cast<std::int32_t>(i)));
  return order;
}

void add_master_data(Company& company, const RandomCompanyOptions& options, std::mt19937_64& dice) {
  for (std::size_t i = 0; i < options.manufacturers; ++i) {
    const auto code = static_cast<std::int32_t>(i + 1);
    company.manufacturers[code] = {code, "Maker " + std::to_string(code)};
  }
  for (std::size_t i = 0; i < options.items; ++i) {
    Item item{.code = item_code(i),
              .name = "Item " + std::to_string(i + 1),
              .unit = "pcs",
              .manufacturer = -1,
              .on_hand = 0,
              .created_day = options.now.day - 400,
              .stamp = {},
              .version = 1};
    if (below(dice, 6) != 0) item.manufacturer = static_cast<std::int32_t>(1 + below(dice, options.manufacturers));
    item.on_hand = static_cast<Micros>(below(dice, 500)) * one;
    if (below(dice, 3) != 0)
      item.stamp = Stamp{options.now.day - static_cast<std::int32_t>(1 + below(dice, 90)), 36'000};
    company.items[item.code] = item;
  }
  for (std::size_t i = 0; i < options.partners; ++i) {
    Partner partner{.code = "C" + std::to_string(20'000 + i),
                    .name = i == 0 ? "O'Neil & Söhne" : "Customer " + std::to_string(i),
                    .currency = "EUR",
                    .supplier = false,
                    .stamp = {},
                    .version = 1};
    if (i % 4 == 2) partner.currency = "USD";
    if (i % 4 == 3) partner.currency = "JPY";
    partner.stamp = Stamp{options.now.day - 100, 30'000};
    company.partners[partner.code] = partner;
  }
}

void add_other_streams(Company& company, std::mt19937_64& dice, Stamp now) {
  for (std::int32_t entry = 1; entry <= 5; ++entry) {
    Document invoice = random_order(dice, company, now.day - 20);
    invoice.entry = entry;
    invoice.number = 70'000 + entry;
    invoice.stamp = Stamp{now.day - 10, 40'000};
    company.invoices[entry] = invoice;
    company.payments[entry] = {.entry = entry,
                               .number = 300 + entry,
                               .day = now.day - 5,
                               .card_code = invoice.card_code,
                               .currency = invoice.currency,
                               .cancelled = false,
                               .invoices = {{entry, document_total(invoice)}}};
    Document purchase = random_order(dice, company, now.day - 15);
    purchase.entry = entry;
    purchase.number = 80'000 + entry;
    purchase.stamp = Stamp{now.day - 9, 41'000};
    company.purchase_orders[entry] = purchase;
    const std::string& made = company.items.begin()->first;
    const std::vector<Component> parts = {
        {.number = 0, .item_code = company.items.rbegin()->first, .warehouse = "01", .quantity = 2 * one}};
    company.production_orders[entry] = {.entry = entry,
                                        .number = 500 + entry,
                                        .item_code = made,
                                        .warehouse = "01",
                                        .planned = 3 * one,
                                        .completed = 0,
                                        .start_day = now.day,
                                        .due_day = now.day + 4,
                                        .status = ProductionOrder::Status::released,
                                        .components = parts};
    company.product_trees[made] = {.code = made, .quantity = one, .components = parts};
  }
}

}  // namespace

Company random_company(const RandomCompanyOptions& options) {
  Company company;
  std::mt19937_64 dice(options.seed);
  add_master_data(company, options, dice);
  for (std::size_t i = 0; i < options.orders; ++i) {
    const auto age = static_cast<std::int32_t>((options.orders - i) * 300 / options.orders + 1);
    Document order = random_order(dice, company, options.now.day - age);
    const Stamp stamp{options.now.day - static_cast<std::int32_t>(below(dice, static_cast<std::uint64_t>(age))) - 1,
                      static_cast<std::int32_t>(below(dice, 86'400))};
    const std::int32_t entry = company.enter(std::move(order), stamp);
    Document& entered = company.orders.at(entry);
    if (below(dice, 100) >= options.open_percent) {
      if (below(dice, 10) == 0)
        company.cancel(entered, stamp, Trace::stamped);
      else
        company.close(entered, stamp, Trace::stamped);
    } else if (below(dice, 3) == 0) {
      company.deliver(entered, 0, entered.lines.front().quantity / 2, stamp, Trace::stamped);
    }
  }
  if (options.other_streams) add_other_streams(company, dice, options.now);
  static_cast<void>(company.take_events());
  return company;
}

std::string_view word(Deed deed) {
  constexpr std::array<std::string_view, deed_count> words = {"entered",
                                                              "quantity",
                                                              "price",
                                                              "due day",
                                                              "delivered",
                                                              "closed",
                                                              "cancelled",
                                                              "removed",
                                                              "line removed",
                                                              "touched",
                                                              "closed one edited",
                                                              "item renamed",
                                                              "item moved",
                                                              "manufacturer renamed",
                                                              "partner renamed",
                                                              "entered again",
                                                              "line added",
                                                              "reopened"};
  return words[static_cast<std::size_t>(deed)];
}

Script::Script(ScriptOptions options) : options_(options), dice_(options.seed) {}

std::uint64_t Script::below(std::uint64_t bound) { return simulator::below(dice_, bound); }

Deed Script::choose() {
  std::uint64_t roll = below(std::max(1u, std::accumulate(options_.weights.begin(), options_.weights.end(), 0u)));
  for (std::size_t i = 0; i < deed_count; ++i) {
    if (roll < options_.weights[i]) return static_cast<Deed>(i);
    roll -= options_.weights[i];
  }
  return Deed::touch;
}

Trace Script::choose_trace() {
  const std::uint64_t roll = below(1000);
  if (roll < options_.silent_per_mille) return Trace::silent;
  return roll < options_.silent_per_mille + options_.version_only_per_mille ? Trace::version_only : Trace::stamped;
}

Document* Script::find_order(Company& company, bool open) {
  if (company.orders.empty()) return nullptr;
  const auto span = static_cast<std::uint64_t>(company.orders.rbegin()->first) + 1;
  auto at = company.orders.lower_bound(static_cast<std::int32_t>(below(span)));
  for (std::size_t looked = 0; looked < company.orders.size(); ++looked) {
    if (at == company.orders.end()) at = company.orders.begin();
    if (at->second.open == open) return &at->second;
    ++at;
  }
  return nullptr;
}

Script::Done Script::step(Company& company, Stamp now) {
  Done done;
  done.deed = choose();
  if (done.deed != Deed::enter &&
      (on_master_data(done.deed, company, now, done) || on_order(done.deed, company, now, done)))
    return done;
  done.deed = Deed::enter;
  done.trace = Trace::stamped;
  done.key = std::to_string(company.enter(random_order(dice_, company, now.day), now));
  return done;
}

// False when there is nothing to do it to.
bool Script::on_order(Deed deed, Company& company, Stamp now, Done& done) {
  const bool closed =
      deed == Deed::edit_closed || deed == Deed::reopen || (deed == Deed::remove && options_.removes_closed && below(2) == 0);
  Document* order = find_order(company, !closed);
  if (order == nullptr) return false;
  done.key = std::to_string(order->entry);
  const bool stamped = deed == Deed::touch || deed == Deed::remove || deed == Deed::enter_again || (closed && !options_.closed_without_stamp);
  done.trace = stamped ? Trace::stamped : choose_trace();
  const std::size_t line = below(order->lines.size());
  switch (deed) {
    case Deed::quantity:
      company.change_quantity(*order, line, static_cast<Micros>(1 + below(60)) * one, now, done.trace);
      return true;
    case Deed::price:
      company.change_price(*order, line,
                           static_cast<Micros>(1 + below(1'500'000)) * (order->currency == "JPY" ? one : one / 10'000),
                           now, done.trace);
      return true;
    case Deed::due_day:
      company.change_due_day(*order, order->due_day + static_cast<std::int32_t>(1 + below(20)), now, done.trace);
      return true;
    case Deed::deliver:
      company.deliver(*order, line,
                      below(2) == 0 ? order->lines[line].open : std::max<Micros>(order->lines[line].open / 2, 1), now,
                      done.trace);
      return true;
    case Deed::close:
      company.close(*order, now, done.trace);
      return true;
    case Deed::cancel:
      company.cancel(*order, now, done.trace);
      return true;
    case Deed::remove:
      company.remove(order->entry);
      return true;
    case Deed::remove_line:
      if (order->lines.size() < 2) return false;
      company.remove_line(*order, line, now, done.trace);
      return true;
    case Deed::touch:
      company.touch(*order, now);
      return true;
    case Deed::enter_again:
      done.key = std::to_string(company.enter_again(order->entry, now));
      return true;
    case Deed::add_line:
      company.add_line(*order, random_line(dice_, company, *order, 0), now, done.trace);
      return true;
    case Deed::reopen:
      return company.reopen(*order, now, done.trace);
    case Deed::edit_closed:
      company.change_reference(*order, "PO late " + std::to_string(++names_), now, done.trace);
      return true;
    default:
      return false;
  }
}

bool Script::on_master_data(Deed deed, Company& company, Stamp now, Done& done) {
  const auto any = [&](auto& rows) -> auto& {
    return std::next(rows.begin(), static_cast<std::ptrdiff_t>(below(rows.size())))->second;
  };
  if (company.items.empty() || company.manufacturers.empty() || company.partners.empty()) return false;
  const std::string name = " (" + std::to_string(++names_) + ")";
  switch (deed) {
    case Deed::rename_item:
      done.key = any(company.items).code;
      company.rename_item(done.key, "Item" + name, now);
      return true;
    case Deed::move_item:
      done.key = any(company.items).code;
      company.move_item(done.key, any(company.manufacturers).code, now);
      return true;
    case Deed::rename_manufacturer: {
      const std::int32_t code = any(company.manufacturers).code;
      done.key = std::to_string(code);
      company.rename_manufacturer(code, "Maker" + name);
      return true;
    }
    case Deed::rename_partner:
      done.key = any(company.partners).code;
      company.rename_partner(done.key, "Customer" + name, now);
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::simulator
