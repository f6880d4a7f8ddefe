#include "app/scan_report.h"

#include <algorithm>
#include <map>

#include "app/console.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "domain/order_rules.h"

namespace millrace::app {
namespace {

std::string amount(std::int64_t minor, Currency currency) { return decimal_text(Money{minor, currency}); }
std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : ""; }

void money_field(JsonWriter& json, std::string_view name, std::int64_t minor, Currency currency) {
  json.key(name).begin_object().field("minor", minor).field("currency", currency.code()).end_object();
}

std::map<std::string, std::uint64_t> orders_by_status(const ingest::ScanResult& result) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& put : result.orders) ++counts[put.order->status];
  return counts;
}

std::uint64_t flagged_count(const ingest::ScanResult& result) {
  return static_cast<std::uint64_t>(
      std::ranges::count(result.rejections, feed::Outcome::ingest_and_flag, &feed::Rejection::outcome));
}

void append_order(std::string& csv, const feed::OrderPut& put) {
  const SalesOrder& order = *put.order;
  const OrderAmounts sums = amounts(order);
  const auto field = [&](std::string_view text) { csv += csv_field(text) + ","; };
  field(order.number.text);
  field(order.status);
  field(order.customer_code);
  field(order.currency.code());
  field(day_text(order.order_date));
  field(day_text(due_date(order)));
  field(std::to_string(order.lines.size()));
  for (const std::int64_t minor : {sums.net, order.tax, order.freight, sums.total, sums.open})
    field(amount(minor, order.currency));
  // A document without a stamp of its own is as old as its file.
  const auto* document = put.documents.empty() ? nullptr : &put.documents.front();
  if (order.updated)
    field(utc_seconds(*order.updated));
  else
    field(document != nullptr ? utc_seconds(document->modified) : "");
  field(document != nullptr ? document->format : "");
  csv += csv_field(document != nullptr ? document->path : "") + "\n";
}

}  // namespace

std::vector<ScanSum> scan_sums(const ingest::ScanResult& result) {
  std::map<std::string, ScanSum> sums;
  for (const auto& put : result.orders) {
    const SalesOrder& order = *put.order;
    ScanSum& sum = sums[order.currency.code()];
    const OrderAmounts of_order = amounts(order);
    sum.currency = order.currency;
    ++sum.orders;
    sum.lines += order.lines.size();
    sum.net += of_order.net;
    sum.tax += order.tax;
    sum.freight += order.freight;
    sum.total += of_order.total;
    sum.open += of_order.open;
  }
  std::vector<ScanSum> rows;
  for (const auto& [code, sum] : sums) rows.push_back(sum);
  return rows;
}

std::string orders_csv(const ingest::ScanResult& result) {
  std::string csv =
      "order,status,customer,currency,order_date,due_date,lines,net,tax,freight,total,open,updated,format,path\n";
  std::vector<const feed::OrderPut*> sorted;
  for (const auto& put : result.orders) sorted.push_back(&put);
  std::ranges::stable_sort(sorted, [](const auto* left, const auto* right) {
    return natural_less(left->order->number.text, right->order->number.text);
  });
  for (const auto* put : sorted) append_order(csv, *put);
  return csv;
}

std::string rejections_csv(const ingest::ScanResult& result) {
  std::string csv = "path,place,reason,outcome\n";
  for (const feed::Rejection& rejection : result.rejections) {
    csv += csv_field(rejection.path) + "," + csv_field(rejection.place) + "," + csv_field(rejection.reason) + "," +
           csv_field(word(rejection.outcome)) + "\n";
  }
  return csv;
}

std::uint64_t refused_count(const ingest::ScanResult& result) {
  return static_cast<std::uint64_t>(std::ranges::count_if(result.rejections, [](const feed::Rejection& rejection) {
    return rejection.outcome == feed::Outcome::reject || rejection.outcome == feed::Outcome::keep_previous;
  }));
}

std::string scan_text(const std::string& root, const ingest::ScanResult& result) {
  std::uint64_t lines = 0;
  for (const auto& put : result.orders) lines += put.order->lines.size();
  std::string text = printable(root) + "\n";
  text += "  orders      " + grouped(result.orders.size()) + " with " + grouped(lines) + " lines\n";
  text += "  files       " + grouped(result.files) + " in " + grouped(result.directories) + " folders, " +
          bytes_text(result.bytes) + "\n";
  text += "  not counted " + grouped(refused_count(result)) + " rejected, " + grouped(result.superseded) +
          " superseded, " + grouped(result.ignored) + " not orders, " + grouped(result.skipped) +
          " skipped by name or kind\n";
  if (const auto flagged = flagged_count(result); flagged > 0)
    text += "  to look at  " + grouped(flagged) + " counted, but with a remark\n";
  text += "\n";
  Table sums({{"currency"},
              {"orders", true},
              {"lines", true},
              {"net", true},
              {"tax", true},
              {"freight", true},
              {"total", true},
              {"open", true}});
  for (const ScanSum& sum : scan_sums(result)) {
    std::vector<std::string> cells = {sum.currency.code(), grouped(sum.orders), grouped(sum.lines)};
    for (const std::int64_t minor : {sum.net, sum.tax, sum.freight, sum.total, sum.open})
      cells.push_back(grouped(Money{minor, sum.currency}));
    sums.row(std::move(cells));
  }
  text += sums.text() + "\n";
  Table statuses({{"status"}, {"orders", true}});
  for (const auto& [status, count] : orders_by_status(result)) statuses.row({printable(status), grouped(count)});
  text += statuses.text();
  const auto whole = result.listing_took + result.reading_took + result.deciding_took;
  text += "\nlisted in " + duration_text(result.listing_took) + ", read in " + duration_text(result.reading_took) +
          ", decided in " + duration_text(result.deciding_took) + ", together " + duration_text(whole) + "\n";
  return text;
}

std::string scan_json(const std::string& root, const ingest::ScanResult& result) {
  std::string text;
  JsonWriter json(text);
  std::uint64_t lines = 0;
  for (const auto& put : result.orders) lines += put.order->lines.size();
  json.begin_object().field("root", root).field("orders", std::uint64_t{result.orders.size()}).field("lines", lines);
  const std::vector<ScanSum> sums = scan_sums(result);
  std::int64_t net = 0, open = 0;
  for (const ScanSum& sum : sums) net += sum.net, open += sum.open;
  json.field("net", net).field("open", open);
  json.field("files", result.files).field("directories", result.directories).field("bytes", result.bytes);
  json.field("rejected", refused_count(result))
      .field("flagged", flagged_count(result))
      .field("superseded", result.superseded);
  json.field("ignored", result.ignored).field("skipped", result.skipped);
  json.key("totals").begin_array();
  for (const ScanSum& sum : sums) {
    json.begin_object().field("currency", sum.currency.code()).field("orders", sum.orders).field("lines", sum.lines);
    money_field(json, "net", sum.net, sum.currency);
    money_field(json, "tax", sum.tax, sum.currency);
    money_field(json, "freight", sum.freight, sum.currency);
    money_field(json, "total", sum.total, sum.currency);
    money_field(json, "open", sum.open, sum.currency);
    json.end_object();
  }
  json.end_array().key("statuses").begin_array();
  for (const auto& [status, count] : orders_by_status(result))
    json.begin_object().field("status", status).field("orders", count).end_object();
  json.end_array().key("took_ms").begin_object();
  json.field("listing", std::int64_t{result.listing_took.count()})
      .field("reading", std::int64_t{result.reading_took.count()});
  json.field("deciding", std::int64_t{result.deciding_took.count()}).end_object().end_object();
  return text + "\n";
}

}  // namespace millrace::app
