#include "app/demo_papers.h"

#include <optional>

#include "domain/money.h"

namespace millrace::app {
namespace {

using simulator::Document;
using simulator::Micros;

// Not every order is made or bought for: a few papers are enough to look at.
constexpr std::int32_t made_every = 6, bought_every = 9;
constexpr std::int32_t lines_most = 100;  // of one order: production orders are numbered by order and line
constexpr std::int32_t days_to_make = 4, days_to_deliver = 12;
constexpr std::int32_t first_invoice = 600'000, first_payment = 300'000, first_production = 500'000,
                       first_purchase = 800'000;

std::string supplier_code(std::int32_t manufacturer) { return "S" + std::to_string(1000 + manufacturer); }

Micros net_of(const Document& document) {
  Micros net = 0;
  for (const simulator::Line& line : document.lines) net += simulator::line_total(line);
  return net;
}

// A share of the order's tax, in whole minor units of its currency, half away from zero.
Micros tax_share(const Document& order, Micros net) {
  const Micros all = net_of(order);
  if (all == net || all == 0) return order.tax;
  Micros grain = simulator::one;
  const auto currency = Currency::parse(order.currency);
  for (int digit = 0; currency && digit < currency->decimals(); ++digit) grain /= 10;
  const __int128 share = static_cast<__int128>(order.tax) * net / all;
  return static_cast<Micros>((share + grain / 2) / grain) * grain;
}

// The part of the order that was delivered; nothing when nothing was.
std::optional<Document> invoice_of(const Document& order) {
  if (order.cancelled) return std::nullopt;
  Document invoice = order;
  invoice.number = first_invoice + order.entry;
  invoice.reference = std::to_string(order.number);
  invoice.open = order.open;  // what was delivered whole is paid
  invoice.lines.clear();
  for (simulator::Line line : order.lines) {
    line.quantity -= line.open;
    if (line.quantity <= 0) continue;
    line.open = 0;
    line.closed = true;
    line.base_entry = order.entry;
    line.base_line = line.number;
    invoice.lines.push_back(line);
  }
  if (invoice.lines.empty()) return std::nullopt;
  const bool whole = net_of(invoice) == net_of(order);
  invoice.tax = tax_share(order, net_of(invoice));
  if (!whole) invoice.expenses.clear();  // freight comes with the last delivery
  return invoice;
}

void write_invoice(simulator::Company& company, const Document& order) {
  auto invoice = invoice_of(order);
  if (!invoice) {
    company.invoices.erase(order.entry);
    company.payments.erase(order.entry);
    return;
  }
  if (invoice->open) {
    company.payments.erase(order.entry);
  } else {
    company.payments[order.entry] = {.entry = order.entry,
                                     .number = first_payment + order.entry,
                                     .day = order.due_day,
                                     .card_code = order.card_code,
                                     .currency = order.currency,
                                     .cancelled = false,
                                     .invoices = {{order.entry, simulator::document_total(*invoice)}}};
  }
  company.invoices[order.entry] = std::move(*invoice);
}

void write_production(simulator::Company& company, const Document& order) {
  if (order.entry % made_every != 0) return;
  using Status = simulator::ProductionOrder::Status;
  for (const simulator::Line& line : order.lines) {
    const std::int32_t entry = order.entry * lines_most + line.number % lines_most;
    company.production_orders[entry] = {.entry = entry,
                                        .number = first_production + entry,
                                        .item_code = line.item_code,
                                        .warehouse = line.warehouse,
                                        .planned = line.quantity,
                                        .completed = line.quantity - line.open,
                                        .start_day = line.ship_day - days_to_make,
                                        .due_day = line.ship_day,
                                        .status = order.cancelled  ? Status::cancelled
                                                  : line.open == 0 ? Status::closed
                                                                   : Status::released,
                                        .components = {}};
  }
}

// The first item of the order is bought in, at half of what it is sold for.
void write_purchase(simulator::Company& company, const Document& order) {
  if (order.entry % bought_every != 0 || order.lines.empty() || order.currency != "EUR") return;
  const auto item = company.items.find(order.lines.front().item_code);
  if (item == company.items.end()) return;
  const auto supplier = company.partners.find(supplier_code(item->second.manufacturer));
  if (supplier == company.partners.end()) return;
  Document purchase = order;
  purchase.number = first_purchase + order.entry;
  purchase.card_code = supplier->second.code;
  purchase.card_name = supplier->second.name;
  purchase.reference = std::to_string(order.number);
  purchase.due_day = order.posted_day + days_to_deliver;
  purchase.tax = 0;
  purchase.expenses.clear();
  purchase.lines.resize(1);
  simulator::Line& line = purchase.lines.front();
  line.price = line.price / 2 / 10'000 * 10'000;  // whole cents
  line.discount = 0;
  line.ship_day = purchase.due_day;
  company.purchase_orders[order.entry] = std::move(purchase);
}

}  // namespace

void add_suppliers(simulator::Company& company) {
  for (const auto& [code, manufacturer] : company.manufacturers) {
    simulator::Partner& supplier = company.partners[supplier_code(code)];
    supplier.code = supplier_code(code);
    supplier.name = manufacturer.name;
    supplier.supplier = true;
  }
}

void write_papers(simulator::Company& company, const Document& order) {
  write_invoice(company, order);
  write_production(company, order);
  write_purchase(company, order);
}

}  // namespace millrace::app
