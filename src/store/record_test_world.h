// Small orders, files and batches for tests of the record, and all its answers as one text.
#pragma once
#include <string>

#include "store/record.h"
#include "testing/world.h"

namespace millrace::store {

class FixedClock final : public Clock {
 public:
  Instant now() const override { return testing::instant("2026-03-01T08:00:00Z"); }
};

inline std::shared_ptr<const SalesOrder> small_order(std::string number, std::string status = "Open", std::int64_t total = 2500) {
  SalesOrder made;
  made.number.text = std::move(number);
  made.status = std::move(status);
  made.customer_code = "C1";
  made.currency = *Currency::parse("EUR");
  OrderLine line;
  line.line_number = 1;
  line.item_code = "00123";
  line.quantity_ordered = line.quantity_open = Quantity{1'000'000};
  line.line_total = line.open_amount = total;
  made.lines.push_back(line);
  return std::make_shared<const SalesOrder>(std::move(made));
}

inline feed::Change put(std::shared_ptr<const SalesOrder> content) {
  feed::OrderPut put;
  put.order = std::move(content);
  put.documents.emplace_back();
  return feed::order_put(std::move(put));
}

inline Batch small_batch(std::vector<feed::Change> changes) {
  Batch made;
  made.source = "orders";
  made.changes = std::move(changes);
  return made;
}

inline FileRecord small_file(std::string path, std::uint64_t size = 10) {
  FileRecord made;
  made.path = std::move(path);
  made.size = size;
  made.mtime_ns = 1'700'000'000'123'456'789;
  made.inode = 0xFFFF'FFFF'FFFF'FFF0;
  made.hash = content_hash(made.path);
  made.format = "json";
  return made;
}

inline feed::Rejection small_rejection(std::uint64_t id) {
  feed::Rejection made;
  made.id = id;
  made.source = "orders";
  made.path = "Open/half.json";
  made.reason = "ends in the middle";
  return made;
}

// A batch of rows that a part above keeps, and nothing else.
inline Batch kept_batch(std::vector<KeptRow> put, std::vector<KeptKey> removed = {}) {
  Batch made;
  made.source = "sap";
  made.kept_put = std::move(put);
  made.kept_removed = std::move(removed);
  return made;
}

// "1=a 2=b": the kept rows of a space.
inline Result<std::string> kept_rows(Record& record, const std::string& space) {
  std::string text;
  const auto read = record.kept(space, [&](const KeptRow& row) {
    text += (text.empty() ? "" : " ") + row.key + "=" + row.content;
    return row.space == space;
  });
  if (!read) return pass_on(read);
  return text;
}

// One document with one order that counts.
inline Batch document_batch(int number, const std::string& status = "Open", std::int64_t total = 2500) {
  const std::string text = std::to_string(number), path = "SO" + text + ".json";
  Batch made = small_batch({put(small_order(text, status, total))});
  made.files_put = {small_file(path, static_cast<std::uint64_t>(total))};
  made.candidates_put = {{path, 0, small_order(text, "", total), {}}};
  return made;
}

// The first `count` changes as text.
inline std::string told_up_to(Record& record, std::uint64_t count) {
  std::string text;
  const auto changes = record.changes_after({0}, count);
  if (!changes) return changes.error().text();
  for (const feed::Change& change : *changes) text += std::to_string(change.sequence.value) + feed::encode_payload(change) + "\n";
  return text;
}

// Everything the record answers, or the first error. Equal texts: equal answers.
inline Result<std::string> all_answers(Record& record) {
  std::string text;
  const auto changes = record.changes_after({0}, 1'000'000);
  if (!changes) return pass_on(changes);
  for (const feed::Change& change : *changes)
    text += std::to_string(change.sequence.value) + ":" + rfc3339(change.at) + feed::encode_payload(change) + "\n";
  const auto last = record.last_sequence();
  if (!last) return pass_on(last);
  text += "last " + std::to_string(last->value) + "\n";
  const auto files = record.files("orders");
  if (!files) return pass_on(files);
  for (const FileRecord& file : *files) {
    text += file.path + " " + std::to_string(file.size) + " " + std::to_string(file.mtime_ns) + " " + hex(file.hash) + "\n";
    const auto candidate = record.candidate("orders", file.path, 0);
    if (!candidate) return pass_on(candidate);
    text += candidate->order->number.text + " " + candidate->order->status + " " + std::to_string(candidate->order->lines.front().line_total) + "\n";
  }
  const auto read = record.candidates("orders", [&](const Candidate& candidate) {
    text += candidate.path + "#" + std::to_string(candidate.ordinal) + " " + candidate.order->status + "\n";
    return true;
  });
  if (!read) return pass_on(read);
  const auto rejections = record.rejections();
  if (!rejections) return pass_on(rejections);
  for (const feed::Rejection& rejection : *rejections) text += rejection.path + " " + rejection.reason + "\n";
  for (const char* space : {"erp/sap/orders", "erp/sap"}) {
    const auto kept = kept_rows(record, space);
    if (!kept) return pass_on(kept);
    text += std::string(space) + ": " + *kept + "\n";
  }
  const auto one = record.kept_one("erp/sap/orders", "3");
  if (!one) return pass_on(one);
  text += "3 is " + one->value_or("not kept") + "\n";
  for (const char* number : {"1", "5", "12"}) {
    const auto history = record.changes_of_order(OrderNumber{number}, 1000);
    if (!history) return pass_on(history);
    text += std::string("history ") + number + ":";
    for (const feed::Change& change : *history) text += " " + std::to_string(change.sequence.value);
    text += "\n";
  }
  return text;
}

}  // namespace millrace::store
