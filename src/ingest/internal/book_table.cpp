#include "ingest/internal/book_table.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t tidy_least = 1u << 20;  // bytes of waste that are not worth a copy

// The first byte of a candidate; a zero byte means that the block holds no further one.
constexpr std::uint8_t is_candidate = 0x80, has_updated = 1, whole_seconds = 2, has_flags = 4, has_reference = 8, has_customer = 16;
constexpr std::size_t fixed_bytes = 1 + sizeof(FileId) + sizeof(std::uint64_t);

template <class T>
void put_raw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <class T>
T get_raw(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace

// ---- arena and rows

std::uint32_t BookArena::put(std::string_view bytes) {
  if (bytes.size() > block_size - used_ || blocks_.empty()) {
    check(blocks_.size() < std::numeric_limits<std::uint32_t>::max() / block_size, "summaries of documents stay below 4 GiB");
    const std::size_t size = std::max<std::size_t>(block_size, bytes.size());
    blocks_.push_back({std::make_shared<char[]>(size), size});
    used_ = 0;
  }
  const auto address = static_cast<std::uint32_t>((blocks_.size() - 1) * block_size + used_);
  if (!bytes.empty()) std::memcpy(blocks_.back().bytes.get() + used_, bytes.data(), bytes.size());
  used_ = std::min<std::size_t>(block_size, used_ + bytes.size());
  bytes_ += bytes.size();
  return address;
}

std::string_view BookArena::from(std::uint32_t address) const {
  const std::size_t block = address / block_size, at = address % block_size;
  if (block >= blocks_.size()) return {};
  return {blocks_[block].bytes.get() + at, blocks_[block].size - at};
}

std::uint32_t BookArena::after(std::uint32_t address, std::size_t size) const {
  const std::string_view rest = from(address);
  const bool next_block = address % block_size + size >= block_size || rest[size] == '\0';
  return next_block ? (address / block_size + 1) * block_size : address + static_cast<std::uint32_t>(size);
}

FileRow& FileRows::own(FileId id) {
  const std::size_t chunk = id / chunk_rows;
  if (shared_[chunk]) {
    chunks_[chunk] = std::make_shared<Chunk>(*chunks_[chunk]);
    shared_[chunk] = false;
  }
  return (*chunks_[chunk])[id % chunk_rows];
}

FileId FileRows::add() {
  if (size_ % chunk_rows == 0) {
    chunks_.push_back(std::make_shared<Chunk>());
    shared_.push_back(false);
  }
  return static_cast<FileId>(size_++);
}

FileRows FileRows::share() {
  shared_.assign(shared_.size(), true);
  return *this;
}

// ---- one candidate as bytes

std::string encode_candidate(const CandidateSummary& candidate, FileId file) {
  std::string bytes;
  ByteWriter out(bytes);
  const bool seconds = candidate.updated && candidate.updated->time_since_epoch().count() % 1000 == 0;
  out.u8(static_cast<std::uint8_t>(is_candidate | (candidate.updated ? has_updated : 0) | (seconds ? whole_seconds : 0) |
                                   (candidate.flags.empty() ? 0 : has_flags) | (candidate.reference.empty() ? 0 : has_reference) |
                                   (candidate.customer == 0 ? 0 : has_customer)));
  put_raw(bytes, file);
  put_raw(bytes, candidate.digest);
  out.varint(candidate.ordinal);
  out.text(candidate.number);
  if (candidate.updated) out.signed_varint(candidate.updated->time_since_epoch().count() / (seconds ? 1000 : 1));
  out.signed_varint(candidate.total);
  out.signed_varint(candidate.open);
  out.varint(candidate.line_count);
  if (!candidate.flags.empty()) {
    std::string flags;
    ByteWriter flags_out(flags);
    flags_out.varint(candidate.flags.size());
    for (const std::string& flag : candidate.flags) flags_out.text(flag);
    out.text(flags);
  }
  if (!candidate.reference.empty()) out.text(candidate.reference);
  if (candidate.customer != 0) put_raw(bytes, candidate.customer);
  return bytes;
}

std::optional<CandidateView> decode_candidate(std::string_view bytes) {
  if (bytes.size() < fixed_bytes) return std::nullopt;
  const auto bits = static_cast<std::uint8_t>(bytes[0]);
  if ((bits & is_candidate) == 0) return std::nullopt;
  CandidateView view;
  view.file = get_raw<FileId>(bytes, 1);
  view.digest = get_raw<std::uint64_t>(bytes, 1 + sizeof(FileId));
  ByteReader in(bytes.substr(fixed_bytes));
  view.ordinal = static_cast<std::uint32_t>(in.varint());
  view.number = in.text();
  if ((bits & has_updated) != 0) {
    std::int64_t stamp = in.signed_varint();
    if ((bits & whole_seconds) != 0 && __builtin_mul_overflow(stamp, 1000, &stamp)) return std::nullopt;
    view.updated = Instant{std::chrono::milliseconds{stamp}};
  }
  view.total = in.signed_varint();
  view.open = in.signed_varint();
  view.line_count = static_cast<std::uint32_t>(in.varint());
  if ((bits & has_flags) != 0) {
    view.flag_bytes = in.text();
    ByteReader flags(view.flag_bytes);
    for (std::size_t left = flags.count(); left > 0 && flags.ok(); --left) flags.text();
    if (!flags.ok() || !flags.at_end()) return std::nullopt;
  }
  if ((bits & has_reference) != 0) view.reference = in.text();
  if (!in.ok()) return std::nullopt;
  view.size = bytes.size() - in.left();
  if ((bits & has_customer) != 0) {
    if (in.left() < sizeof(view.customer)) return std::nullopt;
    view.customer = get_raw<std::uint32_t>(bytes, view.size);
    view.size += sizeof(view.customer);
  }
  return view;
}

std::vector<std::string> CandidateView::flags() const {
  std::vector<std::string> texts;
  if (flag_bytes.empty()) return texts;
  ByteReader in(flag_bytes);
  for (std::size_t left = in.count(); left > 0; --left) texts.emplace_back(in.text());
  return texts;
}

CandidateSummary CandidateView::summary() const {
  return {std::string(number), ordinal, line_count, updated, total, open, digest, flags(), std::string(reference), customer};
}

// ---- sources and files

BookTable::BookTable() : by_path_(0, PathHash{this}, PathEqual{this}), numbers_(this), references_(this) { formats_.emplace_back(); }

std::uint16_t BookTable::source(std::string_view name) {
  if (const auto known = find_source(name)) return *known;
  check(sources_.size() < std::numeric_limits<std::uint16_t>::max(), "sources are configured by people");
  sources_.push_back({});
  sources_.back().name = name;
  return static_cast<std::uint16_t>(sources_.size() - 1);
}

std::optional<std::uint16_t> BookTable::find_source(std::string_view name) const {
  for (std::size_t i = 0; i < sources_.size(); ++i)
    if (sources_[i].name == name) return static_cast<std::uint16_t>(i);
  return std::nullopt;
}

std::optional<FileId> BookTable::find(std::uint16_t source, std::string_view path) const {
  const auto found = by_path_.find(PathKey{source, path});
  return found == by_path_.end() ? std::nullopt : std::optional(*found);
}

FileId BookTable::add(std::uint16_t source, std::string_view path) {
  FileId file = 0;
  if (free_rows_.empty()) {
    file = rows_.add();
  } else {
    file = free_rows_.back();
    free_rows_.pop_back();
  }
  FileRow& row = rows_.own(file);
  row = {};
  row.source = source;
  row.path_at = paths_.put(path);
  row.path_size = static_cast<std::uint32_t>(path.size());
  row.used = true;
  by_path_.insert(file);
  Source& own = sources_[source];
  ++own.file_count;
  const bool in_order = own.appended.empty() && (own.sorted.empty() || this->path(own.sorted.back()) < path);
  (in_order ? own.sorted : own.appended).push_back(file);
  return file;
}

void BookTable::erase(FileId file) {
  drop_candidates(file);
  by_path_.erase(file);
  FileRow& row = rows_.own(file);
  row.used = false;
  path_waste_ += row.path_size;
  Source& own = sources_[row.source];
  --own.file_count;
  ++own.gone;
  if (own.gone > 1024 + own.file_count / 8) purge(own);
}

// Rows are used again only after every list forgot them.
void BookTable::purge(Source& source) {
  if (source.gone == 0) return;
  const auto is_gone = [&](FileId file) {
    if (rows_[file].used) return false;
    free_rows_.push_back(file);
    return true;
  };
  std::erase_if(source.sorted, is_gone);
  std::erase_if(source.appended, is_gone);
  source.gone = 0;
}

std::string_view BookTable::path(FileId file) const { return paths_.from(rows_[file].path_at).substr(0, rows_[file].path_size); }

std::uint8_t BookTable::format_code(std::string_view format) {
  const auto found = std::find(formats_.begin(), formats_.end(), format);
  if (found != formats_.end()) return static_cast<std::uint8_t>(found - formats_.begin());
  if (formats_.size() > std::numeric_limits<std::uint8_t>::max()) return 0;  // we name five formats
  formats_.emplace_back(format);
  return static_cast<std::uint8_t>(formats_.size() - 1);
}

void BookTable::set(FileId file, const store::FileRecord& record) {
  FileRow& row = rows_.own(file);
  row.size = record.size;
  row.mtime_ns = record.mtime_ns;
  row.inode = record.inode;
  row.read_at_ms = record.read_at.time_since_epoch().count();
  row.hash = record.hash;
  row.state = record.state;
  row.format = format_code(record.format);
}

void BookTable::set_stamp(FileId file, std::uint64_t size, std::int64_t mtime_ns, std::uint64_t inode) {
  FileRow& row = rows_.own(file);
  row.size = size, row.mtime_ns = mtime_ns, row.inode = inode;
}

void BookTable::set_state(FileId file, store::FileRecord::State state) { rows_.own(file).state = state; }

store::FileRecord BookTable::record(FileId file) const {
  const FileRow& row = rows_[file];
  return {std::string(path(file)), row.size, row.mtime_ns, row.inode, row.hash, row.state, formats_[row.format],
          Instant{std::chrono::milliseconds{row.read_at_ms}}};
}

const std::vector<FileId>& BookTable::sorted(std::uint16_t source) {
  Source& own = sources_[source];
  purge(own);
  if (!own.appended.empty()) {
    const auto by_path = [&](FileId left, FileId right) { return path(left) < path(right); };
    std::sort(own.appended.begin(), own.appended.end(), by_path);
    const auto middle = static_cast<std::ptrdiff_t>(own.sorted.size());
    own.sorted.insert(own.sorted.end(), own.appended.begin(), own.appended.end());
    std::inplace_merge(own.sorted.begin(), own.sorted.begin() + middle, own.sorted.end(), by_path);
    own.appended.clear();
  }
  return own.sorted;
}

// ---- candidates

std::string_view BookTable::number_of(CandidateId id) const {
  ByteReader in(candidates_.from(id).substr(fixed_bytes));
  in.varint();
  return in.text();
}

std::string_view BookTable::reference_of(CandidateId id) const { return candidate(id).reference; }

CandidateView BookTable::candidate(CandidateId id) const {
  auto view = decode_candidate(candidates_.from(id));
  check(view.has_value(), "a candidate's id leads to a candidate");
  view->id = id;
  return *view;
}

std::vector<CandidateView> BookTable::candidate_views(FileId file) const {
  std::vector<CandidateView> views;
  CandidateId at = rows_[file].candidates_at;
  views.reserve(rows_[file].candidate_count);
  for (std::uint32_t i = 0; i < rows_[file].candidate_count; ++i) {
    if (i > 0) at = candidates_.after(at, views.back().size);
    views.push_back(candidate(at));
  }
  return views;
}

std::vector<CandidateSummary> BookTable::candidates(FileId file) const {
  std::vector<CandidateSummary> summaries;
  for (const CandidateView& view : candidate_views(file)) summaries.push_back(view.summary());
  return summaries;
}

std::vector<CandidateView> BookTable::views(const std::vector<CandidateId>& ids) const {
  std::vector<CandidateView> found;
  found.reserve(ids.size());
  for (const CandidateId id : ids) found.push_back(candidate(id));
  return found;
}

std::vector<CandidateView> BookTable::claims(std::string_view number) const { return views(numbers_.find(number)); }
std::vector<CandidateView> BookTable::claims_by_reference(std::string_view reference) const { return views(references_.find(reference)); }

template <std::string_view (BookTable::*text_of)(CandidateId) const>
std::vector<CandidateId> BookTable::TextIndex<text_of>::find(std::string_view text) const {
  std::vector<CandidateId> ids;
  const auto found = first.find(text);
  if (found == first.end()) return ids;
  ids.push_back(*found);
  if (const auto rest = others.find(*found); rest != others.end()) ids.insert(ids.end(), rest->second.begin(), rest->second.end());
  return ids;
}

template <std::string_view (BookTable::*text_of)(CandidateId) const>
std::size_t BookTable::TextIndex<text_of>::count(std::string_view text) const {
  const auto found = first.find(text);
  if (found == first.end()) return 0;
  const auto rest = others.find(*found);
  return 1 + (rest == others.end() ? 0 : rest->second.size());
}

// The header asks it inline: it has to be here for everybody, inlined or not.
template std::size_t BookTable::TextIndex<&BookTable::reference_of>::count(std::string_view text) const;

template <std::string_view (BookTable::*text_of)(CandidateId) const>
void BookTable::TextIndex<text_of>::link(CandidateId id) {
  const auto [known, is_new] = first.insert(id);
  if (!is_new) others[*known].push_back(id);
}

template <std::string_view (BookTable::*text_of)(CandidateId) const>
void BookTable::TextIndex<text_of>::unlink(CandidateId id) {
  const auto found = first.find((table->*text_of)(id));
  check(found != first.end(), "every candidate is in the index of its text");
  const CandidateId leader = *found;
  const auto rest = others.find(leader);
  if (leader == id) {
    first.erase(found);
    if (rest == others.end()) return;
    std::vector<CandidateId> left = std::move(rest->second);
    others.erase(rest);
    const CandidateId next = left.front();
    left.erase(left.begin());
    first.insert(next);
    if (!left.empty()) others.emplace(next, std::move(left));
    return;
  }
  std::erase(rest->second, id);
  if (rest->second.empty()) others.erase(rest);
}

// Other files call these; without a place of their own an optimising compiler leaves none behind.
template struct BookTable::TextIndex<&BookTable::number_of>;
template struct BookTable::TextIndex<&BookTable::reference_of>;

void BookTable::drop_candidates(FileId file) {
  for (const CandidateView& view : candidate_views(file)) {
    candidate_waste_ += view.size;
    numbers_.unlink(view.id);
    if (!view.reference.empty()) references_.unlink(view.id);
  }
  rows_.own(file).candidate_count = 0;
}

void BookTable::append_candidates(FileId file, std::span<const std::string_view> records) {
  FileRow& row = rows_.own(file);
  row.candidate_count = static_cast<std::uint32_t>(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const CandidateId id = candidates_.put(records[i]);
    if (i == 0) row.candidates_at = id;
    numbers_.link(id);
    if ((static_cast<std::uint8_t>(records[i].front()) & has_reference) != 0) references_.link(id);
  }
}

void BookTable::put_candidates(FileId file, std::span<const CandidateSummary> candidates) {
  drop_candidates(file);
  std::vector<std::string> encoded;
  for (const CandidateSummary& candidate : candidates) encoded.push_back(encode_candidate(candidate, file));
  append_candidates(file, std::vector<std::string_view>(encoded.begin(), encoded.end()));
}

void BookTable::tidy() {
  const auto many = [](std::size_t waste, const BookArena& arena) { return waste > tidy_least && waste > arena.bytes() / 3; };
  if (many(path_waste_, paths_)) {
    const BookArena old = std::exchange(paths_, BookArena());
    for (FileId file = 0; file < rows_.size(); ++file) {
      if (!rows_[file].used) continue;
      FileRow& row = rows_.own(file);
      row.path_at = paths_.put(old.from(row.path_at).substr(0, row.path_size));
    }
    path_waste_ = 0;
  }
  if (!many(candidate_waste_, candidates_)) return;
  const BookArena old = std::exchange(candidates_, BookArena());
  numbers_.clear(), references_.clear();
  for (FileId file = 0; file < rows_.size(); ++file) {
    if (!rows_[file].used || rows_[file].candidate_count == 0) continue;
    std::vector<std::string_view> records;
    CandidateId at = rows_[file].candidates_at;
    for (std::uint32_t i = 0; i < rows_[file].candidate_count; ++i) {
      const std::size_t size = decode_candidate(old.from(at))->size;
      records.push_back(old.from(at).substr(0, size));
      at = old.after(at, size);
    }
    append_candidates(file, records);
  }
  candidate_waste_ = 0;
}

void BookTable::reserve(std::size_t files, std::size_t orders) {
  by_path_.reserve(files);
  numbers_.first.reserve(orders);
}

void BookTable::clear() {
  by_path_.clear(), numbers_.clear(), references_.clear();
  rows_ = {}, paths_ = {}, candidates_ = {};
  free_rows_.clear();
  path_waste_ = candidate_waste_ = 0;
  for (Source& source : sources_) source = Source{std::move(source.name), 0, {}, {}, 0};
}

// ---- the warm start
//
//   section   source name, then per file: path, size, mtime, inode, hash, state, format, read at, number of
//             candidates and their records (the file's id in them is set again when read)

std::shared_ptr<const BookTable::Image> BookTable::image() {
  auto image = std::make_shared<Image>();
  for (std::uint16_t source = 0; source < source_count(); ++source) {
    image->sources.push_back({sources_[source].name, sorted(source)});
    image->file_count += sources_[source].file_count;
  }
  image->formats = formats_;
  image->rows = rows_.share();
  image->paths = paths_;
  image->candidates = candidates_;
  image->order_count = order_count();
  return image;
}

std::string BookTable::Image::encode(const Files& files, std::size_t& at) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(files.source);
  for (; at < files.sorted.size() && bytes.size() < section_bytes; ++at) {
    const FileRow& row = rows[files.sorted[at]];
    out.text(paths.from(row.path_at).substr(0, row.path_size));
    out.varint(row.size);
    out.signed_varint(row.mtime_ns);
    out.varint(row.inode);
    bytes.append(reinterpret_cast<const char*>(row.hash.bytes.data()), row.hash.bytes.size());
    out.u8(static_cast<std::uint8_t>(row.state));
    out.text(formats[row.format]);
    out.signed_varint(row.read_at_ms);
    out.varint(row.candidate_count);
    CandidateId candidate = row.candidates_at;
    std::size_t size = 0;
    for (std::uint32_t i = 0; i < row.candidate_count; ++i) {
      // Behind the last one the book may be writing.
      if (i > 0) candidate = candidates.after(candidate, size);
      const std::string_view rest = candidates.from(candidate);
      size = decode_candidate(rest)->size;
      out.text(rest.substr(0, size));
    }
  }
  return bytes;
}

bool BookTable::add_section(std::string_view section) {
  using State = store::FileRecord::State;
  ByteReader in(section);
  const std::uint16_t source = this->source(in.text());
  std::vector<std::string> records;
  while (in.ok() && !in.at_end()) {
    store::FileRecord read;
    const std::string_view path = in.text();
    read.size = in.varint();
    read.mtime_ns = in.signed_varint();
    read.inode = in.varint();
    for (std::uint8_t& byte : read.hash.bytes) byte = in.u8();
    read.state = static_cast<State>(in.u8());
    read.format = in.text();
    read.read_at = Instant{std::chrono::milliseconds{in.signed_varint()}};
    const std::size_t count = in.count(fixed_bytes);
    if (!in.ok() || read.state < State::counts || read.state > State::damaged || find(source, path)) return false;
    const FileId file = add(source, path);
    set(file, read);
    records.clear();
    for (std::size_t i = 0; i < count; ++i) {
      std::string record(in.text());
      const auto view = decode_candidate(record);
      if (!view || view->size != record.size()) return false;
      std::memcpy(record.data() + 1, &file, sizeof(file));
      records.push_back(std::move(record));
    }
    append_candidates(file, std::vector<std::string_view>(records.begin(), records.end()));
  }
  return in.ok();
}

}  // namespace millrace::ingest
