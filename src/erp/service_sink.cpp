#include "erp/service_sink.h"

#include <algorithm>
#include <iterator>

#include "base/turns.h"
#include "domain/order_codec.h"

namespace millrace::erp {
namespace {

std::string renamed_space(std::string_view source) { return states_space(source) + "/renamed"; }


// The formats that documents of services have.
ingest::Format format_of(std::string_view text) {
  for (const ingest::Format format : {ingest::Format::sap_b1, ingest::Format::odata})
    if (word(format) == text) return format;
  return ingest::Format::json;
}

}  // namespace

std::string path_of(const StreamDescriptor& stream, const Key& key, std::string_view status) {
  return std::string(status.empty() ? "Unread" : status) + "/" + std::string(stream.entity_set) + "(" + key_text(key) + ")";
}

std::optional<Key> key_in_path(const StreamDescriptor& stream, std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  path.remove_prefix(slash + 1);
  if (!path.starts_with(stream.entity_set)) return std::nullopt;
  path.remove_prefix(stream.entity_set.size());
  if (path.size() < 3 || path.front() != '(' || path.back() != ')') return std::nullopt;
  return key_of(stream, path.substr(1, path.size() - 2));
}

ServiceSink::ServiceSink(std::unique_ptr<FinanceSync> finance, std::string source, ingest::Intake& intake, store::Record& record, NameBook& names, const Clock& clock,
                         const std::atomic<bool>& stopped, TimeZone zone)
    : finance_(std::move(finance)),
      source_(std::move(source)),
      intake_(intake),
      record_(record),
      names_(names),
      clock_(clock),
      stopped_(stopped),
      zone_(std::move(zone)) {}

ingest::FileStamp ServiceSink::file_stamp(const StreamDescriptor& stream, const RowPut& put, Instant now) const {
  ingest::FileStamp answer;
  answer.size = put.bytes;
  const Instant at = put.stamp ? instant_of(stream, *put.stamp, zone_) : now;
  answer.mtime_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
  return answer;
}

Result<void> ServiceSink::still_here() const {
  if (stopped_) return fail(ErrorCode::cancelled, "the source stops; what it just read is read again after the next start");
  return {};
}

Result<void> ServiceSink::load() {
  const auto read = record_.kept(renamed_space(source_), [&](const store::KeptRow& row) {
    renamed_.emplace(row.key, row.content);
    return true;
  });
  if (!read) return read;
  while (true) {
    if (const auto here = still_here(); !here) return here;
    auto portion = finance_->next_portion();
    if (!portion) return pass_on(portion);
    if (!*portion) return {};
    if (const auto sent = intake_.commit(source_, std::move(**portion)); !sent) return pass_on(sent);
  }
}

void ServiceSink::bring_order(const StreamDescriptor& stream, RowPut& put, ingest::OrderBook& book) {
  const std::string path = path_of(stream, put.key, put.row.status);
  if (put.before && !put.before->gone_at && put.before->status != put.row.status)
    book.file_removed(source_, path_of(stream, put.key, put.before->status));
  const Instant now = clock_.now();
  book.file_read(source_, {path, file_stamp(stream, put, now), put.mapped.hash, std::move(put.mapped.document)}, now);
}

// What cannot be read of other streams is listed like a refused file, and leaves the list when it can be read again.
void ServiceSink::bring_finding(const StreamDescriptor& stream, RowPut& put, ingest::OrderBook& book) {
  const std::string path = path_of(stream, put.key, word(stream.name));
  const Instant now = clock_.now();
  if (!put.mapped.document.findings.empty()) {
    book.file_read(source_, {path, file_stamp(stream, put, now), put.mapped.hash, std::move(put.mapped.document)}, now);
  } else if (book.known_file(source_, path) != nullptr) {
    book.file_removed(source_, path);
  }
}

// What cannot be read now keeps its last good content.
Result<std::string> ServiceSink::content_of(const StreamDescriptor& stream, const RowPut& put) {
  if (stream.name == StreamName::orders || !put.mapped.kept.empty() || !put.before || put.before->gone_at) return put.mapped.kept;
  const auto held = record_.kept_one(rows_space(source_, stream), key_text(put.key));
  if (!held) return pass_on(held);
  if (!*held) return std::string();
  const auto stored = decode_stored_row(**held);
  if (!stored) return pass_on(stored);
  return std::string(stored->content);
}

std::vector<NameBook::Entry> ServiceSink::entries_of(const StreamDescriptor& stream, const SyncBatch& batch) const {
  std::vector<NameBook::Entry> entries;
  if (stream.name != StreamName::items && stream.name != StreamName::manufacturers) return entries;
  for (const RowPut& put : batch.put)
    if (!put.mapped.kept.empty()) entries.push_back({stream.name, code_in(put.mapped.kept, key_text(put.key)), put.mapped.kept});
  for (const RowGone& gone : batch.gone) entries.push_back({stream.name, key_text(gone.key), ""});
  return entries;
}

Result<void> ServiceSink::commit(const StreamDescriptor& stream, SyncBatch batch) {
  waiting_ = Waiting{&stream, std::move(batch)};
  return commit_again();
}

Result<void> ServiceSink::commit_again() {
  if (const auto here = still_here(); !here) return here;
  ingest::Intake::Kept kept;
  if (waiting_) {
    auto rows = kept_rows(*waiting_->stream, waiting_->batch);
    if (!rows) return pass_on(rows);
    auto papers = finance_->kept_of(*waiting_->stream, waiting_->batch);
    if (!papers) return pass_on(papers);
    kept = std::move(*papers);
    std::ranges::move(*rows, std::back_inserter(kept.put));
    bring(*waiting_->stream, waiting_->batch);
    waiting_.reset();  // from here on the intake keeps it
  }
  if (const auto sent = intake_.commit(source_, std::move(kept)); !sent) return pass_on(sent);
  names_.put(uncommitted_names_);
  // An item renamed once more while a pass runs has orders behind the pass: it stays for the next one.
  for (const auto& [item, name] : uncommitted_renames_) renaming_.erase(item);
  renamed_.merge(uncommitted_renames_);
  uncommitted_names_.clear();
  uncommitted_renames_.clear();
  return {};
}

Result<std::vector<store::KeptRow>> ServiceSink::kept_rows(const StreamDescriptor& stream, const SyncBatch& batch) {
  std::vector<store::KeptRow> rows;
  const std::string space = rows_space(source_, stream);
  uncommitted_names_ = entries_of(stream, batch);
  uncommitted_renames_ = names_.renamed_by(uncommitted_names_);
  for (const auto& [item, name] : uncommitted_renames_)
    if (!renamed_.contains(item)) rows.push_back({renamed_space(source_), item, name});
  for (const RowPut& put : batch.put) {
    give_turn();
    auto content = content_of(stream, put);
    if (!content) return pass_on(content);
    rows.push_back({space, key_text(put.key), stored_row(put.row, *content)});
  }
  for (const RowGone& gone : batch.gone) rows.push_back({space, key_text(gone.key), stored_row(gone.row, "")});
  if (batch.state) rows.push_back({states_space(source_), std::string(word(stream.name)), encode(*batch.state)});
  return rows;
}

void ServiceSink::bring(const StreamDescriptor& stream, SyncBatch& batch) {
  const bool orders = stream.name == StreamName::orders;
  intake_.with_book([&](ingest::OrderBook& book) {
    for (RowPut& put : batch.put) {
      give_turn();
      orders ? bring_order(stream, put, book) : bring_finding(stream, put, book);
    }
    for (const RowGone& gone : batch.gone) {
      const std::string path = path_of(stream, gone.key, orders ? std::string_view(gone.row.status) : word(stream.name));
      if (orders || book.known_file(source_, path) != nullptr) book.file_removed(source_, path);
    }
  });
}

SyncSink::Face ServiceSink::face(const StreamDescriptor& stream, const Key& key, const LedgerRow& row) {
  if (stream.name != StreamName::orders) return {};
  const auto held = record_.candidate(source_, path_of(stream, key, row.status), 0);
  if (!held) return {};  // it was never readable: its key is all there is to show
  return {held->order->number.text, held->order->customer_name};
}

bool ServiceSink::holds(const StreamDescriptor& stream, const Key& key, const LedgerRow& row, const Mapped& mapped) {
  if (stream.name != StreamName::orders || mapped.document.orders.size() != 1) return false;
  const auto held = record_.candidate(source_, path_of(stream, key, row.status), 0);
  if (!held) return false;
  SalesOrder order = mapped.document.orders.front();
  order.updated = held->order->updated;  // its own stamp is no content, as in Mapped::hash
  if (!row.open)
    for (std::size_t i = 0; i < std::min(order.lines.size(), held->order->lines.size()); ++i)
      order.lines[i].manufacturer = held->order->lines[i].manufacturer;
  return equal_but_status(*held->order, order);
}

// ---- names that changed

Result<std::optional<ingest::ReadFile>> ServiceSink::with_new_names(const std::string& path) {
  const auto held = record_.candidate(source_, path, 0);
  if (!held && held.error().code() == ErrorCode::not_found) return std::nullopt;  // never readable: it names nothing
  if (!held) return pass_on(held);
  bool changed = false;
  SalesOrder order = *held->order;
  for (OrderLine& line : order.lines) {
    if (!renaming_.contains(line.item_code)) continue;
    std::string name = names_.manufacturer_of_item(line.item_code);
    if (name == line.manufacturer) continue;
    line.manufacturer = std::move(name);
    changed = true;
  }
  if (!changed) return std::nullopt;
  ingest::ReadFile file;
  file.path = path;
  file.hash = content_hash(encode(order));
  file.document.is_order_document = true;
  for (const std::string& flag : held->flags)
    file.document.findings.push_back({feed::Outcome::ingest_and_flag, "", flag, "", order.number.text});
  file.document.orders.push_back(std::move(order));
  return file;
}

Result<void> ServiceSink::rename_some(StreamSync* orders) {
  if (const auto here = still_here(); !here) return here;
  if (renaming_.empty()) renaming_ = renamed_, rename_cursor_.reset();
  std::size_t looked_at = 0;
  bool more = false;
  std::vector<std::pair<Key, LedgerRow>> rows;
  std::vector<ingest::ReadFile> files;
  Result<void> read;
  if (orders != nullptr)
    orders->ledger().each_alive(rename_cursor_, std::nullopt, [&](const Key& key, bool open) {
      if (!open) return true;
      more = looked_at++ == renamed_orders_in_step;
      if (more) return false;
      rename_cursor_ = key;
      LedgerRow row = *orders->ledger().find(key);
      auto file = with_new_names(path_of(orders->stream(), key, row.status));
      if (!file) read = pass_on(file);
      if (!file || !*file) return read.has_value();
      row.content = content_unknown;
      rows.emplace_back(key, std::move(row));
      files.push_back(std::move(**file));
      return true;
    });
  if (!read) return read;
  ingest::Intake::Kept kept;
  for (const auto& [key, row] : rows) kept.put.push_back({rows_space(source_, orders->stream()), key_text(key), stored_row(row, "")});
  if (!more)
    for (const auto& [item, name] : renaming_) kept.removed.push_back({renamed_space(source_), item});
  intake_.with_book([&](ingest::OrderBook& book) {
    for (ingest::ReadFile& file : files) {
      if (const auto* known = book.known_file(source_, file.path)) {
        file.stamp = {known->size, known->mtime_ns, known->inode};
        file.document.format = format_of(known->format);
      }
      book.file_read(source_, std::move(file), clock_.now());
    }
  });
  // Refused or not, it is on its way: the intake sends it with the next commit.
  for (const auto& [key, row] : rows) orders->take_renamed(key, row);
  if (const auto sent = intake_.commit(source_, std::move(kept)); !sent) return pass_on(sent);
  if (more) return {};
  for (const auto& [item, name] : renaming_) renamed_.erase(item);
  renaming_.clear();
  return {};
}

}  // namespace millrace::erp
