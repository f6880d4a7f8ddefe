#include "people/audit.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"

namespace millrace::people {
namespace {

constexpr std::string_view space_of_head = "people/audit";
constexpr std::string_view key_of_head = "head";
constexpr std::uint8_t row_format = 1;
constexpr std::size_t word_bytes_max = 400;  // of who, via, address, verb and object

std::string padded(std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
}
std::string space_of_block(std::uint64_t block) { return std::string(space_of_head) + "/" + padded(block, 8); }
std::uint64_t block_of(std::uint64_t number) { return number / Audit::block_rows; }
std::string key_of(std::uint64_t number) { return padded(number, 16); }

std::string_view bytes_of(const Digest& digest) { return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()}; }

// What the hash covers: everything but itself.
std::string encode_covered(const AuditRow& row) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(row_format);
  out.varint(row.number);
  out.signed_varint(row.at.time_since_epoch().count());
  const Actor& actor = row.entry.actor;
  out.varint(actor.user.value);
  for (const std::string* text : {&actor.who, &actor.via, &actor.address, &row.entry.verb, &row.entry.object, &row.entry.before, &row.entry.after})
    out.text(*text);
  bytes += bytes_of(row.previous);
  return bytes;
}

bool take_digest(std::string_view bytes, Digest& digest) {
  if (bytes.size() != digest.bytes.size()) return false;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.bytes.data()));
  return true;
}

Result<AuditRow> decode_row(std::string_view content) {
  constexpr std::size_t hash_bytes = sizeof(Digest::bytes);
  const auto damaged = [] { return fail(ErrorCode::corrupt, "it cannot be read"); };
  if (content.size() < 2 * hash_bytes) return damaged();
  AuditRow row;
  if (!take_digest(content.substr(content.size() - hash_bytes), row.hash)) return damaged();
  content.remove_suffix(hash_bytes);
  if (!take_digest(content.substr(content.size() - hash_bytes), row.previous)) return damaged();
  content.remove_suffix(hash_bytes);
  ByteReader in(content);
  if (in.u8() != row_format) return damaged();
  row.number = in.varint();
  row.at = Instant{std::chrono::milliseconds{in.signed_varint()}};
  Actor& actor = row.entry.actor;
  actor.user.value = static_cast<std::uint32_t>(in.varint());
  for (std::string* text : {&actor.who, &actor.via, &actor.address, &row.entry.verb, &row.entry.object, &row.entry.before, &row.entry.after})
    *text = in.text();
  if (!in.ok() || !in.at_end()) return damaged();
  return row;
}

std::string encode_head(const AuditHead& head) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(row_format);
  out.varint(head.count);
  bytes += bytes_of(head.hash);
  return bytes;
}

bool names_a_secret(std::string_view key) {
  const std::string lower = lower_ascii(key);
  if (lower.ends_with("_file")) return false;  // where a secret lies is none
  return std::ranges::any_of(std::to_array<std::string_view>({"password", "passwort", "secret", "token", "csrf", "cookie", "authorization", "api_key", "private_key"}),
                             [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

void replace_secrets(boost::json::value& value) {
  if (auto* const object = value.if_object()) {
    for (auto& member : *object) {
      const bool tells = member.value().is_string() || member.value().is_structured();
      if (tells && names_a_secret(member.key())) member.value() = "***";
      else replace_secrets(member.value());
    }
  } else if (auto* const array = value.if_array()) {
    for (auto& item : *array) replace_secrets(item);
  }
}

std::string kept_text(std::string_view json) {
  if (json.empty()) return "";
  if (json.size() > Audit::text_bytes_max) return "{\"omitted_bytes\":" + std::to_string(json.size()) + "}";
  return without_secrets(json);
}

std::string kept_word(std::string_view text) {
  std::string word = printable(text.substr(0, word_bytes_max));
  return word;
}

bool fits(std::string_view value, std::string_view wanted) {
  if (wanted.empty()) return true;
  const bool kind = wanted.ends_with(':') || wanted.ends_with('.');
  return kind ? value.starts_with(wanted) : value == wanted;
}
bool fits(const AuditRow& row, const AuditFilter& filter) {
  return (filter.who.empty() || row.entry.actor.who == filter.who) && fits(row.entry.object, filter.object) && fits(row.entry.verb, filter.verb);
}

Failure unreadable(std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return fail(ErrorCode::corrupt, "audit row " + std::string(number) + " is damaged; verify the audit trail and restore a backup");
}

}  // namespace

std::string without_secrets(std::string_view json) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  if (error) return boost::json::serialize(boost::json::value(printable(json)));
  replace_secrets(value);
  return boost::json::serialize(value);
}

Result<std::unique_ptr<Audit>> Audit::open(store::Record& record, const Clock& clock) {
  prepare_crypto();
  std::unique_ptr<Audit> audit(new Audit(record, clock));
  auto head = audit->read_head();
  if (!head) return pass_on(head);
  audit->head_ = *head;
  audit->head_known_ = true;
  return audit;
}

Result<AuditHead> Audit::read_head() const {
  const auto content = record_.kept_one(std::string(space_of_head), std::string(key_of_head));
  if (!content) return pass_on(content);
  AuditHead head;
  if (!*content) return head;
  constexpr std::size_t hash_bytes = sizeof(Digest::bytes);
  const std::string_view bytes = **content;
  const auto damaged = [] { return fail(ErrorCode::corrupt, "the head of the audit trail cannot be read; restore a backup"); };
  if (bytes.size() < hash_bytes || !take_digest(bytes.substr(bytes.size() - hash_bytes), head.hash)) return damaged();
  ByteReader in(bytes.substr(0, bytes.size() - hash_bytes));
  const bool known = in.u8() == row_format;
  head.count = in.varint();
  if (!known || !in.ok() || !in.at_end()) return damaged();
  return head;
}

Audit::Turn::Turn(Turn&& other) noexcept : audit_(std::exchange(other.audit_, nullptr)), lock_(std::move(other.lock_)), head_(other.head_) {}

Audit::Turn::~Turn() {
  // Without `committed` nobody knows what the record holds: the next turn asks it.
  if (audit_ != nullptr && head_.count != audit_->head_.count) audit_->head_known_ = false;
}

void Audit::Turn::add(store::Batch& batch, AuditEntry entry) {
  AuditRow row;
  row.number = head_.count + 1;
  row.at = audit_->clock_.now();
  row.previous = head_.hash;
  for (std::string* word : {&entry.actor.who, &entry.actor.via, &entry.actor.address, &entry.verb, &entry.object}) *word = kept_word(*word);
  entry.before = kept_text(entry.before);
  entry.after = kept_text(entry.after);
  row.entry = std::move(entry);
  std::string content = encode_covered(row);
  row.hash = digest_of(content);
  content += bytes_of(row.hash);
  head_ = {row.number, row.hash};
  batch.kept_put.push_back({space_of_block(block_of(row.number)), key_of(row.number), std::move(content)});
  const auto is_head = [](const store::KeptRow& kept) { return kept.space == space_of_head && kept.key == key_of_head; };
  std::erase_if(batch.kept_put, is_head);
  batch.kept_put.push_back({std::string(space_of_head), std::string(key_of_head), encode_head(head_)});
}

void Audit::Turn::committed() { audit_->head_ = head_; }

Result<Audit::Turn> Audit::turn() {
  std::unique_lock lock(mutex_);
  if (!head_known_) {
    auto head = read_head();
    if (!head) return pass_on(head);
    head_ = *head;
    head_known_ = true;
  }
  return Turn(*this, std::move(lock));
}

Result<store::Committed> Audit::commit(store::Batch batch, std::vector<AuditEntry> entries) {
  auto mine = turn();
  if (!mine) return pass_on(mine);
  for (AuditEntry& entry : entries) mine->add(batch, std::move(entry));
  auto stored = record_.commit(std::move(batch));
  if (stored) mine->committed();
  return stored;
}

AuditHead Audit::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

Result<AuditPage> Audit::page(std::uint64_t before, std::size_t limit, const AuditFilter& filter) const {
  AuditPage page;
  page.count = head().count;
  limit = std::clamp<std::size_t>(limit, 1, page_rows_max);
  std::uint64_t next = before == 0 ? page.count : std::min(before - 1, page.count);  // the row to look at
  for (std::uint64_t looked = 0; next > 0 && page.rows.size() < limit && looked < looked_max;) {
    std::vector<AuditRow> block;
    Result<void> readable;
    const auto read = record_.kept(space_of_block(block_of(next)), [&](store::KeptRow kept) {
      auto row = decode_row(kept.content);
      if (!row) readable = unreadable(kept.key);
      else block.push_back(std::move(*row));
      return readable.has_value();
    });
    if (!read) return pass_on(read);
    if (!readable) return pass_on(readable);
    const std::uint64_t first = std::max<std::uint64_t>(1, block_of(next) * block_rows);
    for (auto row = block.rbegin(); row != block.rend() && page.rows.size() < limit; ++row) {
      if (row->number > next) continue;
      next = row->number - 1;
      ++looked;
      if (fits(*row, filter)) page.rows.push_back(std::move(*row));
    }
    if (page.rows.size() < limit) next = std::min(next, first - 1);
  }
  if (next > 0) page.next = next + 1;
  return page;
}

Result<AuditRow> Audit::row(std::uint64_t number) const {
  const auto content = record_.kept_one(space_of_block(block_of(number)), key_of(number));
  if (!content) return pass_on(content);
  if (!*content) return fail(ErrorCode::not_found, "there is no audit row " + std::to_string(number));
  auto row = decode_row(**content);
  if (!row || row->number != number) return unreadable(key_of(number));
  return row;
}

Result<AuditProof> Audit::verify(const std::function<bool(std::uint64_t done, std::uint64_t total)>& go_on) const {
  const auto head = read_head();
  if (!head) return pass_on(head);
  AuditProof proof;
  proof.head = *head;
  Digest previous;
  const auto name = [](std::uint64_t number) { return "audit row " + std::to_string(number); };
  // One row after the other must be the next number, follow the row before it and hash to what it says.
  const auto problem_of = [&](const store::KeptRow& kept) -> std::string {
    const std::uint64_t number = proof.rows + 1;
    if (kept.key != key_of(number)) return kept.key > key_of(number) ? name(number) + " is missing" : "an audit row stands where none belongs, before number " + std::to_string(number);
    const auto row = decode_row(kept.content);
    if (!row) return name(number) + " cannot be read";
    if (row->number != number) return name(number) + " was swapped with row " + std::to_string(row->number);
    if (digest_of(encode_covered(*row)) != row->hash) return name(number) + " was changed";
    if (row->previous != previous) return name(number) + " does not follow the row before it: one of the two was replaced";
    previous = row->hash;
    return "";
  };
  const std::uint64_t last_block = block_of(head->count);
  bool more = false;  // rows behind the head: written meanwhile, or by somebody else
  for (std::uint64_t block = 0; block <= last_block + 1 && proof.whole(); ++block) {
    const auto read = record_.kept(space_of_block(block), [&](store::KeptRow kept) {
      more = proof.rows == head->count;
      if (more) return false;
      proof.problem = problem_of(kept);
      if (proof.whole()) ++proof.rows;
      return proof.whole();
    });
    if (!read) return pass_on(read);
    if (!go_on(proof.rows, head->count)) return fail(ErrorCode::cancelled, "stopped before the whole audit trail was verified");
    // A row that is missing at the end of its block shows when the next one begins, or at the head.
    const std::uint64_t wanted = std::min(head->count, (block + 1) * block_rows - 1);
    if (proof.whole() && proof.rows < wanted) proof.problem = name(proof.rows + 1) + " is missing";
  }
  if (more) {
    const auto now = read_head();
    if (!now) return pass_on(now);
    if (now->count == head->count) proof.problem = name(head->count + 1) + " stands behind the newest one that was written";
  }
  if (proof.whole() && previous != head->hash) proof.problem = "the newest audit row is not the one that was written last";
  return proof;
}

}  // namespace millrace::people
