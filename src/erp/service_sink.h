// Brings what a sync found into the record: orders by the order book, all rows as kept rows, one commit.
//
//   orders         "<Status>/Orders(4711)" in the order book + the ledger's row
//   other streams  the ledger's row with the mapped content behind it
//   papers         besides, the finance documents they say (finance_sync.h)
//   names          "erp/<source>/renamed": items whose manufacturer's name changed, until their open orders say so too
//
// Invariants
//   * An order's document lives in the order book only; an order that changes its status changes its path in one commit.
//   * What is on the list of renamed items is committed with the change of the name and leaves it with the last order:
//     a kill in between repeats, and repeating changes nothing.
//   * A commit that was refused goes first with the next one.
//   * One thread uses it.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "erp/finance_sync.h"
#include "erp/names.h"
#include "erp/stream_sync.h"
#include "ingest/intake.h"
#include "store/record.h"

namespace millrace::erp {

// "Open/Orders(4711)": where the order book files a record.
std::string path_of(const StreamDescriptor& stream, const Key& key, std::string_view status);
// The key in such a path; nothing when it is of another stream.
std::optional<Key> key_in_path(const StreamDescriptor& stream, std::string_view path);

class ServiceSink final : public SyncSink {
 public:
  static constexpr std::size_t renamed_orders_in_step = 200;

  // `stopped`: after that nothing is touched any more, whatever a late answer says. `zone` is that of the other side's clock.
  ServiceSink(std::unique_ptr<FinanceSync> finance, std::string source, ingest::Intake& intake, store::Record& record, NameBook& names, const Clock& clock,
              const std::atomic<bool>& stopped, TimeZone zone = {});

  // Documents that older rules made, or that nobody wants any more, are put right here. Errors   those of the record
  Result<void> load();

  Result<void> commit(const StreamDescriptor& stream, SyncBatch batch) override;
  Result<void> commit_again() override;
  Face face(const StreamDescriptor& stream, const Key& key, const LedgerRow& row) override;
  bool holds(const StreamDescriptor& stream, const Key& key, const LedgerRow& row, const Mapped& mapped) override;

  bool renames_wait() const { return !renamed_.empty(); }
  // Some open orders take the new names, from the record's content, without a call. Without a stream of orders the
  // list is only cleared.
  Result<void> rename_some(StreamSync* orders);

 private:
  void bring_order(const StreamDescriptor& stream, RowPut& put, ingest::OrderBook& book);
  void bring_finding(const StreamDescriptor& stream, RowPut& put, ingest::OrderBook& book);
  Result<std::string> content_of(const StreamDescriptor& stream, const RowPut& put);
  std::vector<NameBook::Entry> entries_of(const StreamDescriptor& stream, const SyncBatch& batch) const;
  Result<std::vector<store::KeptRow>> kept_rows(const StreamDescriptor& stream, const SyncBatch& batch);
  void bring(const StreamDescriptor& stream, SyncBatch& batch);
  Result<std::optional<ingest::ReadFile>> with_new_names(const std::string& path);
  ingest::FileStamp file_stamp(const StreamDescriptor& stream, const RowPut& put, Instant now) const;
  Result<void> still_here() const;

  const std::unique_ptr<FinanceSync> finance_;
  const std::string source_;
  ingest::Intake& intake_;
  store::Record& record_;
  NameBook& names_;
  const Clock& clock_;
  const std::atomic<bool>& stopped_;
  const TimeZone zone_;

  // item -> a name that open orders may still carry; renamed again before they were told, they carry several
  std::map<std::string, std::string> renamed_;
  std::map<std::string, std::string> renaming_;  // of the pass over the orders that runs
  std::optional<Key> rename_cursor_;
  struct Waiting {
    const StreamDescriptor* stream;
    SyncBatch batch;
  };
  std::optional<Waiting> waiting_;  // not brought yet
  std::vector<NameBook::Entry> uncommitted_names_;
  std::map<std::string, std::string> uncommitted_renames_;
};

}  // namespace millrace::erp
