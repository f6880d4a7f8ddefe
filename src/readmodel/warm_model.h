// A Snapshot as sections of the warm-start file, and the parts of a read model back from them.
//
//   1 head         Sequence, time, counts, number of chunks, size of each dictionary
//   2 words        texts of one vocabulary from one code on
//   3 chunk        512 orders: columns as they are packed, heaps, counters
//   4 kept sums    entries and names of one group
//   5 rejections   as the feed writes them
//   6 articles     what the article codes of lines mean
//   7 finance      version, number of documents, the parties in the order of their codes
//   8 documents    finance documents as they are encoded, each with its row
//
// Invariants
//   * write_warm -> WarmReader -> ReadModel::restore answers every question as the Snapshot did (property test).
//   * Codes, rows and ranges are checked against what they point into (`chunk_check.h`): bytes that make no sense are
//     refused. Records inside a chunk are what this very program wrote; the file's checksums and its program mark
//     stand for that.
//   * Pure: knows no file. Memory beside the model is one section, and the finance documents while they are restored.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "readmodel/snapshot.h"

namespace millrace::readmodel {

// What a read model is made of when it does not come from changes.
struct WarmParts {
  struct Name {
    std::uint32_t slot = 0;
    Code name = 0;
  };
  feed::Sequence as_of;
  Instant as_of_time{};
  std::uint64_t order_count = 0, line_count = 0;
  Dictionaries words;
  std::vector<std::shared_ptr<OrderChunk>> chunks;
  std::array<std::vector<KeptEntry>, kept_group_count> kept;
  std::array<std::vector<Name>, kept_group_count> names;
  RejectionList rejections;  // sorted by id
  struct Party {
    LedgerSide side = LedgerSide::receivables;
    std::string code, name;
  };
  std::uint64_t finance_version = 0;
  std::vector<Party> finance_parties;
  std::vector<std::pair<std::uint32_t, std::string>> finance_documents;  // row and bytes, ascending
};

using WarmSection = std::function<void(std::uint32_t number, std::string_view bytes)>;
void write_warm(const Snapshot& snapshot, const WarmSection& section);

class WarmReader {
 public:
  // True for the numbers of this module's sections.
  static bool owns(std::uint32_t number) { return number >= 1 && number <= 8; }
  // Errors   corrupt  the bytes make no sense, alone or beside those before
  Result<void> add(std::uint32_t number, std::string_view bytes);
  // Everything is there.
  // Errors   corrupt  something is missing
  Result<WarmParts> finish();

 private:
  bool add_head(std::string_view bytes);
  bool add_words(std::string_view bytes);
  bool add_articles(std::string_view bytes);
  bool add_chunk(std::string_view bytes);
  bool add_kept(std::string_view bytes);
  bool add_rejections(std::string_view bytes);
  bool add_finance(std::string_view bytes);
  bool add_documents(std::string_view bytes);

  WarmParts parts_;
  bool has_head_ = false;
  std::array<std::uint64_t, vocabulary_count> word_counts_{};
  std::array<std::uint32_t, vocabulary_count> words_read_{};
  std::uint32_t articles_read_ = 0;
  WordLists lists_;  // once all words are there
  std::uint64_t rejection_count_ = 0;
  std::optional<std::uint64_t> document_count_;  // once the section of finance is there
};

}  // namespace millrace::readmodel
