// Keeps the finance documents of an ERP's papers in step with its rows, in the commit that writes the rows.
//
//   kept rows "erp/<source>/papers/<stream>"   key of the row -> its documents, one a line: "invoice 9001"
//             "erp/<source>/papers/awaited"    "invoices 4711" -> rows that settle it and came first: "payments 5"
//             "erp/<source>/papers"            "made" -> by which rules; nothing: there are none
//
// Invariants
//   * A row's documents are those its row of papers names; what it names no more is removed with it.
//   * Two papers with one number (series) are two documents: the later is "9001/4711", by its key.
//   * What a row says that cannot be a document is a finding of the row; what stood before stays.
//   * One thread uses it.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "erp/finance_mapping.h"
#include "erp/stream_sync.h"
#include "ingest/finance_writer.h"
#include "ingest/intake.h"
#include "store/record.h"

namespace millrace::erp {

class FinanceSync {
 public:
  // `streams` are those that are synced; empty: all the dialect has.
  FinanceSync(std::string source, store::Record& record, Dialect dialect, const std::vector<std::string>& streams, bool wanted);

  // What has to be committed with the rows of the batch; refusals become findings of its rows.
  // Errors   those of the record; corrupt
  Result<ingest::Intake::Kept> kept_of(const StreamDescriptor& stream, SyncBatch& batch);

  // Rows that were synced by other rules, or when no documents were wanted: what has to be committed so that the record
  // says what these rules say, in portions; nothing when all is said. Errors  those of the record; corrupt
  static constexpr std::size_t rows_in_portion = 2'000;
  Result<std::optional<ingest::Intake::Kept>> next_portion();

 private:
  struct Work;
  struct Names;
  struct Remaking {
    const StreamDescriptor* stream;
    std::string key;
  };
  std::string papers_space() const;
  std::string papers_space(StreamName stream) const;
  std::string awaited_space() const;
  std::string rules() const;
  Result<void> put(const StreamDescriptor& stream, const std::string& key, std::string_view kept, const std::optional<RemoteStamp>& stamp, Work& work,
                   std::string* refusal);
  Result<void> gone(const StreamDescriptor& stream, const std::string& key, Work& work);
  Result<void> take_awaited(const StreamDescriptor& stream, const std::string& key, Work& work);
  Result<void> note_awaited(const std::string& paper, const std::string& row, Work& work);
  Result<void> keep_paid_days(std::vector<FinanceDocument>& documents) const;
  Result<std::string> papers_of(const StreamDescriptor& stream, const std::string& key, const Work& work) const;
  Result<void> remake(const Remaking& row, Work& work);
  Result<std::vector<std::string>> keys_in(const std::string& space) const;
  Result<bool> list_remaking();
  Result<ingest::Intake::Kept> kept_of(Work work) const;

  const std::string source_;
  store::Record& record_;
  const ingest::FinanceWriter writer_;
  const Dialect dialect_;
  const bool wanted_;
  bool payments_come_ = false;
  bool looked_ = false;
  std::vector<Remaking> remaking_;  // last first
  bool rules_changed_ = false;
  bool unmarked_ = false;  // nothing to make again: the rules are noted with the first rows
};

}  // namespace millrace::erp
