#include "erp/ledger.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace millrace::erp {
namespace {

constexpr std::uint8_t row_version = 1;
constexpr std::uint8_t state_version = 1;

constexpr std::uint8_t has_stamp = 1, is_open = 2, is_gone = 4;

void write_key(ByteWriter& writer, const std::optional<Key>& key) {
  writer.u8(!key ? 0 : key->is_number ? 1 : 2);
  if (!key) return;
  if (key->is_number) {
    writer.signed_varint(key->number);
  } else {
    writer.text(key->text);
  }
}

std::optional<Key> read_key(ByteReader& reader) {
  Key key;
  switch (reader.u8()) {
    case 0: return std::nullopt;
    case 1: key.number = reader.signed_varint(); return key;
    case 2:
      key.is_number = false;
      key.text = reader.text();
      return key;
    default: reader.fail(); return std::nullopt;
  }
}

void write_stamp(ByteWriter& writer, const RemoteStamp& stamp) {
  writer.signed_varint(stamp.day);
  writer.varint(static_cast<std::uint64_t>(stamp.seconds));
}

RemoteStamp read_stamp(ByteReader& reader) {
  const std::int64_t day = reader.signed_varint();
  const std::uint64_t seconds = reader.varint();
  if (day < INT32_MIN || day > INT32_MAX || seconds > 86'400) reader.fail();
  return {static_cast<std::int32_t>(day), static_cast<std::int32_t>(seconds)};
}

bool read_row(ByteReader& reader, LedgerRow& row) {
  if (reader.u8() != row_version) return false;
  const std::uint8_t flags = reader.u8();
  row.version_hash = reader.varint();
  if (flags & has_stamp) row.stamp = read_stamp(reader);
  const std::string_view hash = reader.text();
  if (hash.size() != row.content.bytes.size()) return false;
  std::ranges::copy(hash, row.content.bytes.begin());
  row.open = (flags & is_open) != 0;
  row.status = reader.text();
  if (flags & is_gone) row.gone_at = Instant(std::chrono::milliseconds(reader.signed_varint()));
  const std::uint64_t currency = reader.varint();
  if (currency > UINT32_MAX) return false;
  row.open_amount.currency = Currency::from_packed(static_cast<std::uint32_t>(currency));
  row.open_amount.minor = reader.signed_varint();
  return reader.ok();
}

Failure damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, std::string(what) + " in the record is not what this program writes; restore the record from a backup");
}

}  // namespace

std::uint64_t version_hash(std::string_view version) {
  if (version.empty()) return 0;
  const std::uint64_t hash = hash64(version);
  return hash == 0 ? 1 : hash;
}

//   format flags version_hash [day seconds] hash status [gone_at] currency open_minor
std::string encode(const LedgerRow& row) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(row_version);
  writer.u8(static_cast<std::uint8_t>((row.stamp ? has_stamp : 0) | (row.open ? is_open : 0) | (row.gone_at ? is_gone : 0)));
  writer.varint(row.version_hash);
  if (row.stamp) write_stamp(writer, *row.stamp);
  writer.text(std::string(row.content.bytes.begin(), row.content.bytes.end()));
  writer.text(row.status);
  if (row.gone_at) writer.signed_varint(row.gone_at->time_since_epoch().count());
  writer.varint(row.open_amount.currency.packed());
  writer.signed_varint(row.open_amount.minor);
  return out;
}

Result<LedgerRow> decode_ledger_row(std::string_view bytes) {
  ByteReader reader(bytes);
  LedgerRow row;
  if (!read_row(reader, row) || !reader.at_end()) return damaged("a row of an ERP stream");
  return row;
}

//   length row | content to the end
std::string stored_row(const LedgerRow& row, std::string_view content) {
  std::string out;
  ByteWriter writer(out);
  writer.text(encode(row));
  out += content;
  return out;
}

Result<StoredRow> decode_stored_row(std::string_view bytes) {
  ByteReader reader(bytes);
  auto row = decode_ledger_row(reader.text());
  if (!row) return pass_on(row);
  return StoredRow{std::move(*row), bytes.substr(bytes.size() - reader.left())};
}

//   format phase cursor (0 | 1 day seconds) slice_cursor epoch page_of_documents count (refused)*
std::string encode(const SyncState& state) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(state_version);
  writer.u8(static_cast<std::uint8_t>(state.phase));
  write_key(writer, state.cursor);
  writer.u8(state.watermark ? 1 : 0);
  if (state.watermark) write_stamp(writer, *state.watermark);
  write_key(writer, state.slice_cursor);
  writer.varint(state.epoch);
  writer.varint(state.page_of_documents);
  writer.varint(state.refused.size());
  for (const std::string& question : state.refused) writer.text(question);
  return out;
}

Result<SyncState> decode_sync_state(std::string_view bytes) {
  const auto refuse = [] { return damaged("the state of an ERP stream"); };
  ByteReader reader(bytes);
  SyncState state;
  if (reader.u8() != state_version) return refuse();
  const std::uint8_t phase = reader.u8();
  if (phase > static_cast<std::uint8_t>(SyncState::Phase::following)) return refuse();
  state.phase = static_cast<SyncState::Phase>(phase);
  state.cursor = read_key(reader);
  if (reader.u8() == 1) state.watermark = read_stamp(reader);
  state.slice_cursor = read_key(reader);
  state.epoch = reader.varint();
  const std::uint64_t page = reader.varint();
  if (page > UINT32_MAX) return refuse();
  state.page_of_documents = static_cast<std::uint32_t>(page);
  const std::size_t count = reader.count(1);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) state.refused.emplace_back(reader.text());
  if (!reader.ok() || !reader.at_end()) return refuse();
  return state;
}

std::string rows_space(std::string_view source, const StreamDescriptor& stream) {
  return states_space(source) + "/" + std::string(word(stream.name));
}
std::string states_space(std::string_view source) { return "erp/" + std::string(source); }

// ---- the ledger

LedgerRow Ledger::unpack(const Packed& packed) const {
  LedgerRow row;
  row.version_hash = packed.version_hash;
  if (packed.stamp_seconds >= 0) row.stamp = {packed.stamp_day, packed.stamp_seconds};
  row.content = packed.content;
  row.open = packed.open;
  row.status = statuses_[packed.status];
  if (packed.gone_at_ms != 0) row.gone_at = Instant(std::chrono::milliseconds(packed.gone_at_ms));
  row.open_amount = {packed.open_minor, Currency::from_packed(packed.currency)};
  return row;
}

std::optional<LedgerRow> Ledger::find(const Key& key) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  return unpack(found->second);
}

bool Ledger::alive(const Key& key) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() && found->second.gone_at_ms == 0;
}

std::uint16_t Ledger::status_code(const std::string& status) {
  const auto found = std::ranges::find(statuses_, status);
  if (found != statuses_.end()) return static_cast<std::uint16_t>(found - statuses_.begin());
  check(statuses_.size() < UINT16_MAX, "a stream has a handful of status words");
  statuses_.push_back(status);
  return static_cast<std::uint16_t>(statuses_.size() - 1);
}

void Ledger::count(const Packed& packed, int sign) {
  if (packed.gone_at_ms != 0) return;
  rows_ += static_cast<std::uint64_t>(sign);
  if (!packed.open) return;
  rows_open_ += static_cast<std::uint64_t>(sign);
  if (packed.currency != 0) open_totals_[Currency::from_packed(packed.currency)] += sign * packed.open_minor;
}

void Ledger::put(const Key& key, const LedgerRow& row) {
  Packed packed;
  packed.version_hash = row.version_hash;
  packed.content = row.content;
  if (row.gone_at) packed.gone_at_ms = row.gone_at->time_since_epoch().count();
  packed.open_minor = row.open_amount.minor;
  packed.currency = row.open_amount.currency.packed();
  if (row.stamp) packed.stamp_day = row.stamp->day, packed.stamp_seconds = row.stamp->seconds;
  packed.status = status_code(row.status);
  packed.open = row.open;
  const auto [place, is_new] = by_key_.try_emplace(key);
  if (!is_new) count(place->second, -1);
  place->second = packed;
  count(packed, 1);
}

void Ledger::each_alive(const std::optional<Key>& after, const std::optional<Key>& until,
                        const std::function<bool(const Key& key, bool open)>& row) const {
  auto at = after ? by_key_.upper_bound(*after) : by_key_.begin();
  for (; at != by_key_.end() && (!until || at->first <= *until); ++at)
    if (at->second.gone_at_ms == 0 && !row(at->first, at->second.open)) return;
}

std::optional<Key> Ledger::greatest() const {
  if (by_key_.empty()) return std::nullopt;
  return by_key_.rbegin()->first;
}

Result<Ledger> load_ledger(store::Record& record, std::string_view source, const StreamDescriptor& stream,
                           const std::function<void(const Key& key, std::string_view content)>& content) {
  Ledger ledger;
  std::optional<Error> wrong;
  const auto read = record.kept(rows_space(source, stream), [&](const store::KeptRow& kept) {
    const auto stored = decode_stored_row(kept.content);
    if (!stored) {
      wrong = stored.error().with_context(kept.space + " " + kept.key);
      return false;
    }
    const Key key = key_of(stream, kept.key);
    ledger.put(key, stored->row);
    if (content && !stored->row.gone_at) content(key, stored->content);
    return true;
  });
  if (!read) return pass_on(read);
  if (wrong) return Failure(*wrong);
  return ledger;
}

Result<SyncState> load_sync_state(store::Record& record, std::string_view source, const StreamDescriptor& stream) {
  const auto bytes = record.kept_one(states_space(source), std::string(word(stream.name)));
  if (!bytes) return pass_on(bytes);
  if (!*bytes) return SyncState{};
  return decode_sync_state(**bytes);
}

}  // namespace millrace::erp
