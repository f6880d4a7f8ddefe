#include "query/wording.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "domain/order_rules.h"
#include "query/finance_wording.h"

namespace millrace::query {
namespace {

constexpr std::size_t sentence_parts_max = 5;   // more is "and 4 more changes"
constexpr std::size_t fields_max = 100;
constexpr std::size_t value_length_max = 80;

// "SO 43659", but a number that has letters speaks for itself.
std::string spoken(const std::string& number) {
  const bool digit = !number.empty() && number.front() >= '0' && number.front() <= '9';
  return digit ? "SO " + number : number;
}

// Cut at a character, not inside one.
std::string shortened(std::string_view text) {
  if (text.size() <= value_length_max) return std::string(text);
  std::size_t end = value_length_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : "none"; }
std::string amount_text(std::int64_t minor, Currency currency) {
  const std::string number = decimal_text(Money{minor, currency});
  return currency.empty() ? number : currency.code() + " " + number;
}
std::string quantity_text(Quantity quantity, const std::string& unit) {
  return decimal_text(quantity) + (unit.empty() ? "" : " " + unit);
}

// Collects what differs, as fields and as parts of one sentence.
class Differences {
 public:
  explicit Differences(WordedChange& into) : into_(into) {}

  void compare(std::string_view name, std::string_view words, std::string_view before, std::string_view after) {
    if (before == after) return;
    field(name, before, after);
    const auto shown = [](std::string_view text) { return text.empty() ? std::string("none") : shortened(text); };
    part(std::string(words) + " " + shown(before) + " → " + shown(after));
  }
  void field(std::string_view name, std::string_view before, std::string_view after) {
    if (into_.fields.size() < fields_max) into_.fields.push_back({std::string(name), {std::string(before), std::string(after)}});
  }
  void part(std::string text) {
    if (parts_++ >= sentence_parts_max) return;
    if (!sentence_.empty()) sentence_ += ", ";
    sentence_ += text;
  }
  bool empty() const { return parts_ == 0; }
  std::string sentence() const {
    if (parts_ <= sentence_parts_max) return sentence_;
    const std::size_t more = parts_ - sentence_parts_max;
    return sentence_ + " and " + std::to_string(more) + (more == 1 ? " more change" : " more changes");
  }

 private:
  WordedChange& into_;
  std::string sentence_;
  std::size_t parts_ = 0;
};

std::string line_name(const OrderLine& line) { return "line " + std::to_string(line.line_number); }

std::string line_summary(const OrderLine& line) {
  return quantity_text(line.quantity_ordered, line.unit) + (line.item_code.empty() ? "" : " " + shortened(line.item_code));
}

void compare_line(Differences& differences, const OrderLine& before, const OrderLine& after, Currency old_currency,
                  Currency currency) {
  const std::string name = line_name(after);
  const auto one = [&](std::string_view field, std::string_view words, const std::string& old, const std::string& fresh) {
    differences.compare(name + "." + std::string(field), name + " " + std::string(words), old, fresh);
  };
  one("item", "item", before.item_code, after.item_code);
  if (before.item_code == after.item_code) one("item_name", "item name", before.item_name, after.item_name);
  one("quantity", "quantity", quantity_text(before.quantity_ordered, before.unit), quantity_text(after.quantity_ordered, after.unit));
  one("open_quantity", "open", quantity_text(before.quantity_open, before.unit), quantity_text(after.quantity_open, after.unit));
  one("unit_price", "price", decimal_text(before.unit_price), decimal_text(after.unit_price));
  one("discount", "discount %", decimal_text(before.discount), decimal_text(after.discount));
  // The total follows from quantity and price; it is news only when neither of them changed.
  const bool explained = before.quantity_ordered != after.quantity_ordered || before.unit_price != after.unit_price ||
                         before.discount != after.discount;
  const std::string old_total = amount_text(before.line_total, old_currency), total = amount_text(after.line_total, currency);
  if (!explained) one("total", "total", old_total, total);
  else if (old_total != total) differences.field(name + ".total", old_total, total);
  one("status", "status", std::string(word(before.status)), std::string(word(after.status)));
  one("requested", "wish", day_text(before.requested_date), day_text(after.requested_date));
  one("promise", "promise", day_text(before.promise_date), day_text(after.promise_date));
  one("manufacturer", "manufacturer", before.manufacturer, after.manufacturer);
  one("warehouse", "warehouse", before.warehouse_code, after.warehouse_code);
}

// Lines are the same line when they carry the same number; repeated numbers pair up in their order.
void compare_lines(Differences& differences, const SalesOrder& before, const SalesOrder& after) {
  std::map<std::pair<std::int32_t, int>, const OrderLine*> old;
  std::map<std::int32_t, int> seen;
  for (const OrderLine& line : before.lines) old[{line.line_number, seen[line.line_number]++}] = &line;
  seen.clear();
  for (const OrderLine& line : after.lines) {
    const auto found = old.find({line.line_number, seen[line.line_number]++});
    if (found == old.end()) {
      differences.field(line_name(line), "", line_summary(line));
      differences.part(line_name(line) + " added: " + line_summary(line));
      continue;
    }
    compare_line(differences, *found->second, line, before.currency, after.currency);
    old.erase(found);
  }
  for (const auto& [key, line] : old) {
    differences.field(line_name(*line), line_summary(*line), "");
    differences.part(line_name(*line) + " removed: " + line_summary(*line));
  }
}

void compare_orders(Differences& differences, const feed::OrderPut& old_put, const feed::OrderPut& new_put) {
  const SalesOrder& before = *old_put.order;
  const SalesOrder& after = *new_put.order;
  const OrderAmounts old = amounts(before), now = amounts(after);
  const auto money = [&](std::string_view name, std::string_view words, std::int64_t was, std::int64_t is) {
    differences.compare(name, words, amount_text(was, before.currency), amount_text(is, after.currency));
  };
  differences.compare("status", "status", before.status, after.status);
  differences.compare("document_status", "document status", word(before.document_status), word(after.document_status));
  differences.compare("cancelled", "cancelled", before.cancelled ? "yes" : "no", after.cancelled ? "yes" : "no");
  differences.compare("promise", "promise", day_text(before.promise_date), day_text(after.promise_date));
  differences.compare("requested", "wish", day_text(before.requested_date), day_text(after.requested_date));
  differences.compare("order_date", "order date", day_text(before.order_date), day_text(after.order_date));
  money("total", "total", old.total, now.total);
  money("open_amount", "open amount", old.open, now.open);
  compare_lines(differences, before, after);
  differences.compare("customer", "customer", before.customer_code, after.customer_code);
  differences.compare("customer_name", "customer name", before.customer_name, after.customer_name);
  differences.compare("customer_reference", "reference", before.customer_reference, after.customer_reference);
  differences.compare("salesman", "salesperson", before.salesperson, after.salesperson);
  differences.compare("payment_terms", "payment terms", before.payment_terms, after.payment_terms);
  differences.compare("comment", "comment", before.comment, after.comment);
  differences.compare("revision", "revision", before.revision, after.revision);
  if (now.total != old.total || before.currency != after.currency) {  // the parts explain the total: fields only
    const auto field = [&](std::string_view name, std::int64_t was, std::int64_t is) {
      if (was != is) differences.field(name, amount_text(was, before.currency), amount_text(is, after.currency));
    };
    field("net", old.net, now.net), field("tax", before.tax, after.tax), field("freight", before.freight, after.freight);
  } else {
    money("tax", "tax", before.tax, after.tax);
    money("freight", "freight", before.freight, after.freight);
  }
}

std::string difference_name(const feed::Difference& difference) {
  return difference.field + (difference.line == 0 ? "" : " of line " + std::to_string(difference.line));
}

// "sources differ in quantity of line 1: sap 400, orders 450; orders counts, decided by Ann"
std::string difference_text(const feed::OrderPut& put, const feed::Difference& difference) {
  const auto source = [&](std::size_t place) -> const std::string& { return put.documents.at(difference.values.at(place).document).source; };
  std::string text = "sources differ in " + difference_name(difference) + ":";
  for (std::size_t i = 0; i < difference.values.size(); ++i)
    text += (i == 0 ? " " : ", ") + source(i) + " " + shortened(difference.values[i].text);
  text += "; " + source(difference.counts) + " counts";
  return difference.decided_by.empty() ? text : text + ", decided by " + shortened(difference.decided_by);
}

// What sources say differently that they did not before, and what they agree on now.
void compare_sources(Differences& differences, const feed::OrderPut& before, const feed::OrderPut& after) {
  const auto about = [](const feed::OrderPut& put, const feed::Difference& wanted) -> const feed::Difference* {
    const auto found = std::find_if(put.differences.begin(), put.differences.end(), [&](const feed::Difference& known) {
      return known.field == wanted.field && known.line == wanted.line;
    });
    return found == put.differences.end() ? nullptr : &*found;
  };
  for (const feed::Difference& now : after.differences) {
    const feed::Difference* was = about(before, now);
    const std::string old = was == nullptr ? "" : difference_text(before, *was), fresh = difference_text(after, now);
    if (old == fresh) continue;
    differences.field("difference", old, fresh);
    differences.part(fresh);
  }
  for (const feed::Difference& was : before.differences) {
    if (about(after, was) != nullptr) continue;
    differences.field("difference", difference_text(before, was), "");
    differences.part("sources no longer differ in " + difference_name(was));
  }
}

// Only the files changed: say what happened to them.
void compare_files(Differences& differences, const feed::OrderPut& before, const feed::OrderPut& after) {
  const auto path = [](const feed::OrderPut& put) {
    return put.documents.empty() ? std::string() : printable(put.documents.front().path);
  };
  differences.compare("path", "file", path(before), path(after));
  for (const std::string& flag : after.flags) {
    if (std::find(before.flags.begin(), before.flags.end(), flag) != before.flags.end()) continue;
    differences.field("flag", "", flag);
    differences.part("flagged: " + shortened(flag));
  }
  for (const std::string& flag : before.flags) {
    if (std::find(after.flags.begin(), after.flags.end(), flag) != after.flags.end()) continue;
    differences.field("flag", flag, "");
    differences.part("no longer flagged: " + shortened(flag));
  }
}

// What people wrote. A promise that moved was told with the dates.
void compare_overlays(Differences& differences, const feed::OrderPut& before, const feed::OrderPut& after) {
  const auto text = [](const feed::OrderPut& put, std::string_view field) -> std::string_view {
    const auto found = std::find_if(put.overlay.begin(), put.overlay.end(), [&](const feed::Overlaid& known) { return known.written.field == field; });
    return found == put.overlay.end() ? std::string_view() : found->written.value;
  };
  const auto compare = [&](std::string_view field) {
    const std::string_view was = text(before, field), is = text(after, field);
    if (field == overlay_field::promised_date && before.order->promise_date != after.order->promise_date) {
      if (was != is) differences.field(field, was, is);
      return;
    }
    differences.compare(field, field == overlay_field::promised_date ? "promised by people" : field, was, is);
  };
  for (const feed::Overlaid& value : after.overlay) compare(value.written.field);
  for (const feed::Overlaid& value : before.overlay)
    if (text(after, value.written.field).empty()) compare(value.written.field);
}

void word_new(WordedChange& worded, const SalesOrder& order) {
  const OrderAmounts sums = amounts(order);
  worded.kind = "order_new";
  worded.text = spoken(order.number.text) + ": new";
  if (!order.customer_name.empty()) worded.text += ", " + shortened(order.customer_name);
  worded.text += ", " + std::to_string(order.lines.size()) + (order.lines.size() == 1 ? " line, " : " lines, ");
  worded.text += amount_text(sums.total, order.currency);
  if (const auto due = due_date(order)) worded.text += ", due " + iso(*due);
  worded.fields.push_back({"status", {"", order.status}});
  worded.fields.push_back({"total", {"", amount_text(sums.total, order.currency)}});
}

void word_put(WordedChange& worded, const feed::Change& change, const feed::Change* before) {
  const SalesOrder& order = *change.put.order;
  worded.order = order.number.text;
  worded.customer_name = order.customer_name;
  if (before == nullptr || before->kind != feed::ChangeKind::order_put || before->put.order == nullptr) {
    return word_new(worded, order);
  }
  Differences differences(worded);
  compare_orders(differences, before->put, change.put);
  compare_overlays(differences, before->put, change.put);
  compare_sources(differences, before->put, change.put);
  compare_files(differences, before->put, change.put);
  worded.kind = order.status != before->put.order->status ? "status_changed" : "order_changed";
  worded.text = spoken(order.number.text) + ": " + (differences.empty() ? change.put.by.empty() ? "file read again, nothing else changed" : "written anew" : differences.sentence());
  worded.by = change.put.by;
  if (worded.by == feed::by_time) worded.text += "; its time ended";
  else if (!worded.by.empty()) worded.text += "; by " + shortened(worded.by);
}

std::string rejection_text(const feed::Rejection& rejection) {
  std::string text = printable(rejection.path);
  if (!rejection.place.empty()) text += ", " + rejection.place;
  return text;
}

}  // namespace

WordedChange worded(const feed::Change& change, const feed::Change* before) {
  WordedChange worded;
  worded.sequence = change.sequence;
  worded.at = change.at;
  switch (change.kind) {
    case feed::ChangeKind::order_put:
      word_put(worded, change, before);
      worded.salesman = change.put.order->salesperson;
      break;
    case feed::ChangeKind::order_removed:
      worded.kind = "order_removed";
      worded.order = change.removed.number.text;
      if (before != nullptr && before->put.order != nullptr) {
        worded.customer_name = before->put.order->customer_name;
        worded.salesman = before->put.order->salesperson;
      }
      worded.text = spoken(worded.order) + ": removed" +
                    (change.removed.reason.empty() ? "" : ", " + printable(change.removed.reason));
      break;
    case feed::ChangeKind::rejection_put: {
      const feed::Rejection& rejection = change.rejection_put.rejection;
      worded.kind = "rejection_new";
      worded.order = rejection.order_number;
      worded.text = rejection_text(rejection) + ": " + rejection.reason;
      break;
    }
    case feed::ChangeKind::rejection_removed:
      worded.kind = "rejection_solved";
      worded.text = "rejection " + std::to_string(change.rejection_removed.id) + " is solved";
      if (before != nullptr && before->kind == feed::ChangeKind::rejection_put) {
        worded.order = before->rejection_put.rejection.order_number;
        worded.text = rejection_text(before->rejection_put.rejection) + ": solved";
      }
      break;
    case feed::ChangeKind::finance_put:
    case feed::ChangeKind::finance_removed: word_finance(worded, change, before); break;
  }
  return worded;
}

}  // namespace millrace::query
