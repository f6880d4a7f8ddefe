#include "app/demo_erp.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/demo_papers.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "domain/order_codec.h"
#include "domain/order_rules.h"

namespace millrace::app {
namespace {

using simulator::Micros;

constexpr std::string_view user = "manager", password = "demo only, on loopback";
// The demo's server keeps UTC, so that its stamps and those of the files can be compared.
constexpr std::chrono::minutes utc_offset{0};
constexpr std::uint64_t unfiled_number = 900'001;
constexpr unsigned not_in_erp_per_mille = 60, different_per_mille = 15;

// What one unit is in euros.
Micros rate_of(std::string_view currency) {
  if (currency == "USD") return 921'659;
  if (currency == "CHF") return 1'058'201;
  if (currency == "SEK") return 88'889;
  if (currency == "JPY") return 6'173;
  return simulator::one;
}

Micros micros_of(std::int64_t minor, Currency currency) {
  for (int digit = currency.decimals(); digit < 6; ++digit) minor *= 10;
  return minor;
}

std::int32_t number_of(const std::optional<Day>& day) { return day ? day_number(*day) : 0; }

simulator::Stamp stamp_of(Instant updated) {
  const auto local = std::chrono::floor<std::chrono::seconds>(updated + utc_offset);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  return {static_cast<std::int32_t>(day.time_since_epoch().count()), static_cast<std::int32_t>((local - day).count())};
}

std::string notes_path(const std::string& data) { return data + "/demo-erp.notes"; }
std::string password_path(const std::string& data) { return data + "/demo-erp.password"; }

Failure cannot_write(const std::string& path) {
  return fail(ErrorCode::unavailable, path + ": the demo's ERP cannot write it: " + std::strerror(errno) +
                                          "; choose another folder with --data");
}

Result<void> write_password(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), password.data(), password.size()) != static_cast<ssize_t>(password.size()))
    return cannot_write(path);
  return {};
}

void add_master_data(simulator::Company& company, const DemoCompany& demo) {
  std::map<std::string, std::int32_t> makers;
  for (const DemoItem& item : demo.items()) {
    const auto [maker, is_new] = makers.emplace(item.manufacturer, static_cast<std::int32_t>(makers.size() + 1));
    if (is_new) company.manufacturers[maker->second] = {maker->second, maker->first};
    simulator::Item& kept = company.items[item.code];
    kept.code = item.code;
    kept.name = item.name;
    kept.unit = item.unit;
    kept.manufacturer = maker->second;
    kept.created_day = day_number(demo.options().today) - 500;
  }
  for (const DemoCustomer& customer : demo.customers()) {
    simulator::Partner& partner = company.partners[customer.code];
    partner.code = customer.code;
    partner.name = customer.name;
    partner.currency = customer.currency.code();
    partner.stamp = simulator::Stamp{day_number(demo.options().today) - 300, 9 * 3600};
  }
}

}  // namespace

std::optional<simulator::Document> erp_document(const SalesOrder& order) {
  simulator::Document document;
  document.number = static_cast<std::int32_t>(std::stol(order.number.text));
  document.card_code = order.customer_code;
  document.card_name = order.customer_name;
  document.comment = order.comment;
  document.revision = order.revision;
  if (!order.customer_reference.empty()) document.reference = order.customer_reference;
  document.currency = order.currency.code();
  document.rate = rate_of(document.currency);
  document.posted_day = number_of(order.order_date);
  document.due_day = number_of(order.requested_date);
  document.open = order.document_status == DocumentStatus::open && !order.cancelled;
  document.cancelled = order.cancelled;
  document.tax = micros_of(order.tax, order.currency);
  if (order.freight != 0)
    document.expenses.push_back({document.currency, document.rate, micros_of(order.freight, order.currency)});
  for (const OrderLine& line : order.lines) {
    if (line.status == LineStatus::cancelled && !order.cancelled) return std::nullopt;
    document.lines.push_back({.number = line.line_number - 1,
                              .item_code = line.item_code,
                              .description = line.item_name,
                              .warehouse = line.warehouse_code,
                              .unit = line.unit,
                              .currency = document.currency,
                              .rate = document.rate,
                              .quantity = line.quantity_ordered.micros,
                              .open = line.quantity_open.micros,
                              .price = line.unit_price.micros,
                              .discount = line.discount.micros,
                              .ship_day = number_of(line.requested_date),
                              .closed = line.status != LineStatus::open});
  }
  return document;
}

DemoErp::DemoErp(const DemoCompany& company, std::string data)
    : company_(company), data_(std::move(data)), dice_(company.options().seed, 0x657270) {}

Result<std::unique_ptr<DemoErp>> DemoErp::start(const DemoCompany& company, const DemoTree& tree, std::string data,
                                                const Clock& clock) {
  std::unique_ptr<DemoErp> erp(new DemoErp(company, std::move(data)));
  if (auto written = write_password(password_path(erp->data_)); !written) return pass_on(written);
  if (tree.files_written > 0 && ::unlink(notes_path(erp->data_).c_str()) != 0 && errno != ENOENT)
    return cannot_write(notes_path(erp->data_));
  simulator::ServiceLayerOptions options;
  options.user = user;
  options.utc_offset = utc_offset;
  options.password = password;
  erp->server_ = std::make_unique<simulator::ServiceLayer>(options, erp->first_day(tree), clock);
  auto listener = simulator::Listener::start(
      {}, [server = erp->server_.get()](const outbound::Call& call) { return server->answer(call); });
  if (!listener) return pass_on(listener);
  erp->listener_ = std::move(*listener);
  return erp;
}

SourceSettings DemoErp::source() const {
  SourceSettings source;
  source.id = "erp";
  source.kind = SourceKind::sap_b1;
  source.url = url();
  source.company = simulator::ServiceLayerOptions{}.company;
  source.user = user;
  source.password_file = password_path(data_);
  source.time_zone = "UTC";  // utc_offset
  source.finance = false;    // the demo company keeps its own books: nothing may count twice
  source.interval = std::chrono::seconds(10);
  source.interval_max = std::chrono::seconds(30);
  return source;
}

// Some orders were never booked: the ERP is not the folder.
bool DemoErp::knows(std::size_t index) const {
  return !Dice(company_.options().seed, 0x65727000000000 + index).chance(not_in_erp_per_mille);
}

SalesOrder DemoErp::unfiled_order(std::size_t index) const {
  SalesOrder order = company_.document(company_.options().order_count + 1'000'000 + index).order;
  order.number.text = std::to_string(unfiled_number + index);
  return order;
}

simulator::Company DemoErp::first_day(const DemoTree& tree) {
  simulator::Company company;
  add_master_data(company, company_);
  add_suppliers(company);
  const std::size_t first =
      company_.options().order_count > orders_max ? company_.options().order_count - orders_max : 0;
  for (std::size_t index = first; index < company_.options().order_count; ++index) {
    SalesOrder order = company_.document(index).order;
    filed_[order.number.text] = order;
    if (!knows(index)) continue;
    Dice dice(company_.options().seed, 0x65727100000000 + index);
    std::string words;
    if (is_active(order.status) && dice.chance(different_per_mille)) change(order, dice, words);
    book(company, order, stamp_of(*order.updated));
  }
  const std::size_t unfiled = std::max<std::size_t>(3, (company_.options().order_count - first) / 100);
  for (std::size_t i = 0; i < unfiled; ++i) {
    const SalesOrder order = unfiled_order(only_here_++);
    book(company, order, stamp_of(*order.updated - std::chrono::hours(24)));  // not later than now
  }
  if (tree.files_written == 0) read_notes(company);
  static_cast<void>(company.take_events());
  return company;
}

void DemoErp::book(simulator::Company& company, const SalesOrder& order, simulator::Stamp now) {
  auto document = erp_document(order);
  if (!document) return;
  const auto known = entries_.find(order.number.text);
  if (known == entries_.end()) {
    const std::int32_t entry = company.enter(std::move(*document), now);
    entries_[order.number.text] = entry;
    write_papers(company, company.orders.at(entry));
    return;
  }
  simulator::Document& kept = company.orders.at(known->second);
  document->entry = kept.entry;
  document->version = kept.version;
  kept = std::move(*document);
  company.touch(kept, now);
  write_papers(company, kept);
}

Result<void> DemoErp::follow(const SalesOrder& order) {
  const bool is_new = !filed_.contains(order.number.text);
  filed_[order.number.text] = order;
  if (!is_new && !entries_.contains(order.number.text)) return {};
  const auto noted = note(order, true);
  if (!noted) return pass_on(noted);
  if (!*noted) return {};
  std::erase(different_, order.number.text);
  server_->with_company([&](simulator::Company& company) {
    book(company, order, server_->local_time());
    return 0;
  });
  return {};
}

// Another quantity, price or day: what a telephone call changes in the ERP and nobody files.
bool DemoErp::change(SalesOrder& order, Dice& dice, std::string& words) const {
  OrderLine& line = order.lines[dice.below(order.lines.size())];
  if (line.status != LineStatus::open || !is_active(order.status)) return false;
  const auto roll = dice.below(3);
  if (roll == 0) {
    const std::int64_t more = dice.between(1, 5) * micros_per_one;
    line.quantity_ordered.micros += more;
    line.quantity_open.micros += more;
    words = decimal_text(Quantity{more}) + " more of line " + std::to_string(line.line_number);
  } else if (roll == 1) {
    const std::int64_t grain = order.currency.decimals() == 0 ? 1'000'000 : 10'000;
    line.unit_price.micros = std::max<std::int64_t>(1, line.unit_price.micros * 98 / 100 / grain) * grain;
    words = "price of line " + std::to_string(line.line_number) + " is now " + decimal_text(line.unit_price);
  } else {
    const auto shift = std::chrono::days(dice.between(2, 9));
    order.requested_date = Day(std::chrono::sys_days(*order.requested_date) + shift);
    for (OrderLine& moved : order.lines) {
      if (moved.requested_date) moved.requested_date = Day(std::chrono::sys_days(*moved.requested_date) + shift);
    }
    words = "wanted on " + iso(*order.requested_date);
  }
  const auto customer = std::ranges::find(company_.customers(), order.customer_code, &DemoCustomer::code);
  reprice(order, customer == company_.customers().end() ? 0 : tax_percent(customer->country));
  return true;
}

Result<std::string> DemoErp::tick() {
  SalesOrder order;
  std::string words;
  if (different_.size() >= differences_max) {
    order = filed_.at(different_.front());
    different_.pop_front();
    words = "booked as filed";
  } else if (dice_.chance(250) || entries_.empty()) {
    order = unfiled_order(only_here_++);
    words = "entered for " + order.customer_name;
  } else {
    auto at = filed_.lower_bound(std::to_string(100'001 + dice_.below(company_.options().order_count + 1)));
    for (std::size_t looked = 0; looked < filed_.size() && words.empty(); ++looked, ++at) {
      if (at == filed_.end()) at = filed_.begin();
      order = at->second;
      if (!entries_.contains(at->first) || std::ranges::find(different_, at->first) != different_.end()) continue;
      if (change(order, dice_, words)) different_.push_back(at->first);
    }
    if (words.empty()) return std::string("nothing to change");
  }
  const auto noted = note(order, false);
  if (!noted) return pass_on(noted);
  if (!*noted) return std::string("the ERP stands still: its notes are full");
  server_->with_company([&](simulator::Company& company) {
    book(company, order, server_->local_time());
    return 0;
  });
  return "SO " + order.number.text + ": " + words;
}

// One row: whether the folder says so too, the size, the order. A row that was cut by a kill is the last. False when
// the notes are full.
Result<bool> DemoErp::note(const SalesOrder& order, bool filed) const {
  const std::string path = notes_path(data_);
  const std::string bytes = encode(order);
  std::string row = (filed ? "F " : "E ") + std::to_string(bytes.size()) + "\n" + bytes;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (file && ::lseek(file.get(), 0, SEEK_END) >= notes_max) return false;
  if (!file || ::write(file.get(), row.data(), row.size()) != static_cast<ssize_t>(row.size()))
    return cannot_write(path);
  return true;
}

void DemoErp::read_notes(simulator::Company& company) {
  std::ifstream file(notes_path(data_), std::ios::binary);
  char who = 0;
  std::size_t size = 0;
  constexpr std::size_t size_max = 1 << 20;
  while (file >> who >> size && size <= size_max && file.get() == '\n') {
    std::string bytes(size, '\0');
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return;
    const auto order = decode_order(bytes);
    if (!order) return;
    const std::string& number = order->number.text;
    if (who == 'F')
      filed_[number] = *order;
    else if (filed_.contains(number))
      different_.push_back(number);
    if (std::stoull(number) >= unfiled_number)
      only_here_ = std::max<std::size_t>(only_here_, std::stoull(number) - unfiled_number + 1);
    const simulator::Stamp now = stamp_of(*order->updated);
    book(company, *order, now);
    if (who == 'F') std::erase(different_, number);
  }
}

}  // namespace millrace::app
