// What a sync of one stream carries from step to step; gone with the process, found again by comparing.
#pragma once
#include <deque>
#include <map>
#include <set>

#include "erp/stream_sync.h"

namespace millrace::erp {

struct StreamSync::Run {
  static constexpr std::size_t witnesses_max = 3;

  std::vector<Stage> stages;
  std::size_t at = 0;
  bool is_hint = false;
  bool everything = false;
  std::optional<Permit> permit;  // what a person said is right
  std::chrono::seconds interval{300};

  // of the scan that runs
  bool scanning = false;               // its first question was made
  std::optional<Key> cursor;           // rows up to here are compared
  std::set<Key> seen;                  // by this scan, where the other side has an order of its own
  std::size_t position = 0;            // only SyncRules::page_by_position
  std::size_t slice_left = 0;
  Instant scan_started;
  std::optional<RemoteStamp> stamp_seen;      // greatest of the scan of what changed
  std::optional<RemoteStamp> stamp_anywhere;  // only SyncRules::watermark_at_end
  bool rows_without_version = false;

  // By key: the version a scan saw, 0 when none; `anyway` writes also what is equal.
  struct Dirty {
    std::uint64_t version = 0;
    bool anyway = false;
  };
  std::map<Key, Dirty> dirty;
  bool open_slice_added = false;
  std::uint64_t fetched = 0;
  std::set<Key> suspects;      // asked for by key once and not answered
  std::deque<Key> witnesses;   // answered a moment ago
  std::set<Key> looked_at;     // of a hint: everything it read
  std::map<Key, RowPut> put;
  std::map<Key, LedgerRow> gone;

  SyncState next;  // what the state is when this ends well
  Instant began;
  std::optional<Instant> round_began;  // when the slice stage ran
  bool round_finished = false, unproven = false;
  std::uint64_t keys_proven = 0;
  std::string proves;  // "first sync", "whole read": every row was read
  std::uint64_t answer_bytes = 0;  // of the last answer
  unsigned slow_in_a_row = 0;
  ingest::SyncRun report;

  Stage stage() const { return stages[at]; }
  void next_stage() {
    ++at;
    begin_stage();
  }
  void begin_stage() {
    scanning = false;
    cursor.reset();
    seen.clear();
    position = 0;
  }
  void answered(const Key& key) {
    witnesses.push_front(key);
    if (witnesses.size() > witnesses_max) witnesses.pop_back();
  }
};

// What waits for a person. The rows are not kept: who accepts gets them as they are then.
struct StreamSync::Held {
  ingest::HeldSync shown;
  Permit permit;
};

// Rows handed to the sink: the ledger takes them when they are committed.
struct StreamSync::Applying {
  std::vector<std::pair<Key, LedgerRow>> rows;
  std::optional<SyncState> state;
  std::uint64_t put = 0, gone = 0;
  Run* run = nullptr;
};

}  // namespace millrace::erp
