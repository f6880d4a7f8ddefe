// The memory of the order book: known files and what they say of orders, packed.
//
//   rows         one per file: stamp, hash, state, where its path and its candidates lie   72 bytes
//   paths        bytes of the paths, append-only                                            path bytes
//   candidates   one record per statement about an order, those of a file side by side     about 35 bytes
//   indexes      path -> row, order number -> candidates, customer reference -> candidates  5 to 9 bytes each
//
// Invariants
//   * Arena bytes never change once written and rows are copied before they change after an image was taken: an image
//     shares them with the book and may be read on any thread while the book goes on.
//   * Every candidate is in the index of its number, and in that of its reference when it has one; the candidates of one file are in the order they were put.
//   * Bytes of replaced candidates and removed files are given back by `tidy`, once they are a third.
//   * One thread at a time; images apart.
#pragma once
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "domain/order.h"
#include "store/record.h"

namespace millrace::ingest {

struct CandidateSummary {
  std::string number;
  std::uint32_t ordinal = 0;
  std::uint32_t line_count = 0;
  std::optional<Instant> updated;
  std::int64_t total = 0;
  std::int64_t open = 0;
  std::uint64_t digest = 0;  // of the whole content, status excepted
  std::vector<std::string> flags;
  std::string reference;       // the customer's own number; only of documents of services, which others are found by
  std::uint32_t customer = 0;  // hash of the customer code, `no_customer` when the document does not say; 0: not kept
  bool operator==(const CandidateSummary&) const = default;
};

inline constexpr std::uint32_t no_customer = 1;

using FileId = std::uint32_t;
using CandidateId = std::uint32_t;

// Append-only bytes in blocks that copies share.
class BookArena {
 public:
  static constexpr std::uint32_t block_size = 1u << 16;

  // Where `bytes` now lie: together, in one block.
  std::uint32_t put(std::string_view bytes);
  // Everything from `address` to the end of its block.
  std::string_view from(std::uint32_t address) const;
  // The address of what was put right after `size` bytes at `address`.
  std::uint32_t after(std::uint32_t address, std::size_t size) const;
  std::size_t bytes() const { return bytes_; }

 private:
  struct Block {
    std::shared_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = block_size;  // of the last block
  std::size_t bytes_ = 0;
};

struct FileRow {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  std::int64_t read_at_ms = 0;
  ContentHash hash;
  std::uint32_t path_at = 0, path_size = 0;
  CandidateId candidates_at = 0;
  std::uint32_t candidate_count = 0;
  std::uint16_t source = 0;
  store::FileRecord::State state{};
  std::uint8_t format = 0;
  bool used = false;
};

// Rows in chunks; a chunk that an image shares is copied before it changes.
class FileRows {
 public:
  const FileRow& operator[](FileId id) const { return (*chunks_[id / chunk_rows])[id % chunk_rows]; }
  FileRow& own(FileId id);
  FileId add();  // a row at the end
  std::size_t size() const { return size_; }
  // The rows as they are now; from here on changes go to copies.
  FileRows share();

 private:
  static constexpr std::size_t chunk_rows = 256;
  using Chunk = std::array<FileRow, chunk_rows>;
  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::vector<bool> shared_;  // by chunk
  std::size_t size_ = 0;
};

// One candidate where it lies. Views hold until the table changes.
struct CandidateView {
  CandidateId id = 0;
  FileId file = 0;
  std::uint32_t ordinal = 0;
  std::string_view number;
  std::optional<Instant> updated;
  std::int64_t total = 0, open = 0;
  std::uint32_t line_count = 0;
  std::uint64_t digest = 0;
  std::string_view flag_bytes;
  std::string_view reference;
  std::uint32_t customer = 0;
  std::size_t size = 0;  // bytes of the record

  std::vector<std::string> flags() const;
  CandidateSummary summary() const;
};

std::string encode_candidate(const CandidateSummary& candidate, FileId file);
// Nothing when the bytes are no candidate.
std::optional<CandidateView> decode_candidate(std::string_view bytes);

class BookTable {
 public:
  BookTable();
  BookTable(BookTable&&) = delete;

  // ---- sources, by small numbers
  std::uint16_t source(std::string_view name);
  std::optional<std::uint16_t> find_source(std::string_view name) const;
  const std::string& source_name(std::uint16_t source) const { return sources_[source].name; }
  std::uint16_t source_count() const { return static_cast<std::uint16_t>(sources_.size()); }

  // ---- files
  std::optional<FileId> find(std::uint16_t source, std::string_view path) const;
  // A file that is not known yet.
  FileId add(std::uint16_t source, std::string_view path);
  void erase(FileId file);  // with its candidates
  const FileRow& row(FileId file) const { return rows_[file]; }
  std::string_view path(FileId file) const;
  std::string_view format(FileId file) const { return formats_[rows_[file].format]; }
  void set(FileId file, const store::FileRecord& record);
  void set_stamp(FileId file, std::uint64_t size, std::int64_t mtime_ns, std::uint64_t inode);
  void set_state(FileId file, store::FileRecord::State state);
  store::FileRecord record(FileId file) const;
  std::size_t file_count(std::uint16_t source) const { return sources_[source].file_count; }
  // All files of the source by path.
  const std::vector<FileId>& sorted(std::uint16_t source);

  // ---- candidates
  void put_candidates(FileId file, std::span<const CandidateSummary> candidates);  // in place of those before
  std::vector<CandidateSummary> candidates(FileId file) const;
  std::vector<CandidateView> candidate_views(FileId file) const;
  CandidateView candidate(CandidateId id) const;
  // Every candidate for the number, in no order.
  std::vector<CandidateView> claims(std::string_view number) const;
  std::size_t order_count() const { return numbers_.size(); }
  bool knows_order(std::string_view number) const { return numbers_.contains(number); }
  // Every candidate of a service whose order has this customer reference, in no order.
  std::vector<CandidateView> claims_by_reference(std::string_view reference) const;
  std::size_t count_by_reference(std::string_view reference) const { return references_.count(reference); }
  bool has_references() const { return references_.size() > 0; }
  // Calls `visit(reference)` once for each that there is.
  template <class Visit>
  void each_reference(Visit visit) const {
    for (const CandidateId id : references_.first) visit(reference_of(id));
  }

  // ---- the warm start
  struct Image;
  // A frozen copy that shares memory with the table.
  std::shared_ptr<const Image> image();
  // Adds the files of one section of an image. False when its bytes make no sense; the table is then to be cleared.
  bool add_section(std::string_view section);
  void reserve(std::size_t files, std::size_t orders);
  void clear();

  // Gives the bytes of what was replaced back. Ids of candidates change.
  void tidy();

 private:
  struct Source {
    std::string name;
    std::size_t file_count = 0;
    std::vector<FileId> sorted;    // by path; may hold rows that are gone
    std::vector<FileId> appended;  // since `sorted` was made
    std::size_t gone = 0;          // rows in both that are gone
  };
  struct PathKey {
    std::uint16_t source;
    std::string_view path;
  };
  struct PathHash {
    using is_transparent = void;
    using is_avalanching = void;
    const BookTable* table;
    std::size_t operator()(const PathKey& key) const { return hash64(key.path) + key.source; }
    std::size_t operator()(FileId file) const { return (*this)(table->key(file)); }
  };
  struct PathEqual {
    using is_transparent = void;
    const BookTable* table;
    bool operator()(const PathKey& left, const PathKey& right) const { return left.source == right.source && left.path == right.path; }
    bool operator()(FileId left, FileId right) const { return left == right; }
    bool operator()(const PathKey& left, FileId right) const { return (*this)(left, table->key(right)); }
    bool operator()(FileId left, const PathKey& right) const { return (*this)(table->key(left), right); }
  };
  // Candidates by one of their texts.
  template <std::string_view (BookTable::*text_of)(CandidateId) const>
  struct TextIndex {
    struct Hash {
      using is_transparent = void;
      using is_avalanching = void;
      const BookTable* table;
      std::size_t operator()(std::string_view text) const { return hash64(text); }
      std::size_t operator()(CandidateId id) const { return (*this)((table->*text_of)(id)); }
    };
    struct Equal {
      using is_transparent = void;
      const BookTable* table;
      bool operator()(std::string_view left, std::string_view right) const { return left == right; }
      bool operator()(CandidateId left, CandidateId right) const { return left == right || (*this)((table->*text_of)(left), (table->*text_of)(right)); }
      bool operator()(std::string_view left, CandidateId right) const { return (*this)(left, (table->*text_of)(right)); }
      bool operator()(CandidateId left, std::string_view right) const { return (*this)((table->*text_of)(left), right); }
    };

    explicit TextIndex(const BookTable* of) : table(of), first(0, Hash{of}, Equal{of}) {}
    void link(CandidateId id);
    void unlink(CandidateId id);
    std::vector<CandidateId> find(std::string_view text) const;
    std::size_t count(std::string_view text) const;
    bool contains(std::string_view text) const { return first.contains(text); }
    std::size_t size() const { return first.size(); }
    void clear() { first.clear(), others.clear(); }

    const BookTable* table;
    boost::unordered_flat_set<CandidateId, Hash, Equal> first;             // the first candidate of each text
    boost::unordered_flat_map<CandidateId, std::vector<CandidateId>> others;  // by the first one
  };

  PathKey key(FileId file) const { return {rows_[file].source, path(file)}; }
  std::string_view number_of(CandidateId id) const;
  std::string_view reference_of(CandidateId id) const;
  std::uint8_t format_code(std::string_view format);
  std::vector<CandidateView> views(const std::vector<CandidateId>& ids) const;
  void drop_candidates(FileId file);
  void purge(Source& source);
  void append_candidates(FileId file, std::span<const std::string_view> records);

  std::vector<Source> sources_;
  std::vector<std::string> formats_;
  FileRows rows_;
  std::vector<FileId> free_rows_;
  BookArena paths_, candidates_;
  std::size_t path_waste_ = 0, candidate_waste_ = 0;
  boost::unordered_flat_set<FileId, PathHash, PathEqual> by_path_;
  TextIndex<&BookTable::number_of> numbers_;
  TextIndex<&BookTable::reference_of> references_;
};

// What `image` froze. Writing it takes no lock.
struct BookTable::Image {
  struct Files {
    std::string source;
    std::vector<FileId> sorted;
  };
  std::vector<Files> sources;
  std::vector<std::string> formats;
  FileRows rows;
  BookArena paths, candidates;
  std::size_t file_count = 0, order_count = 0;

  // Calls `section` with pieces of about `section_bytes`, each to be given to `add_section`.
  template <class Section>
  void write(Section section) const {
    for (const Files& files : sources)
      for (std::size_t at = 0; at < files.sorted.size();) section(encode(files, at));
  }

 private:
  static constexpr std::size_t section_bytes = 1u << 20;
  std::string encode(const Files& files, std::size_t& at) const;
};

}  // namespace millrace::ingest
