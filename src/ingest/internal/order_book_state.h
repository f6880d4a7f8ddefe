// The order book inside: what it knows and the steps that more than one of its files takes.
#pragma once
#include <algorithm>

#include "ingest/internal/candidates.h"
#include "ingest/order_book.h"

namespace millrace::ingest {

using Rejections = std::vector<feed::Rejection>;

struct OrderBook::Impl {
  struct Source {
    std::map<std::string, Rejections> stated;     // by path: what the last reading said
    std::map<std::string, Rejections> announced;  // by path: what the feed knows
    std::set<std::string> faults;                 // paths of folders and files that could not be opened
    std::set<std::string> review;                 // paths whose rejections must be worded anew
    store::Batch draft;
    boost::unordered_flat_set<std::string> drafted;  // paths in the draft
    std::uint64_t ignored = 0;
  };
  // An order to decide: what the feed knows of it follows from the documents as they were before the first change.
  struct Touched {
    std::uint64_t digest = 0;  // 0: the feed does not know the order
    std::string lost_because;  // the last document that went away
    std::string by;            // the person who wrote on it
  };
  // Candidates of one file as the record brings them: one after the other.
  struct Restoring {
    std::uint16_t source = 0;
    std::string path;
    std::vector<CandidateSummary> candidates;
  };

  Impl(OverlayFields overlay_fields, OverlayBook::LoadEdit load_edit) : overlays(std::move(overlay_fields), std::move(load_edit)) {}

  LayoutProfile profile;
  LoadContent load;
  JoinRules rules;
  BookTable table;
  std::map<std::string, Source> sources;
  std::map<std::string, Touched> touched;  // by order number
  std::map<std::string, std::vector<Decision>, std::less<>> decisions;  // by order number
  OverlayBook overlays;                        // what people wrote on orders
  std::vector<store::KeptRow> kept_put;        // for the next batch
  std::vector<store::KeptKey> kept_removed;
  boost::unordered_flat_set<std::string> joined_away;  // numbers of files that speak of an order with another number
  std::vector<feed::Change> decided;  // by a `finish` that failed half-way: the next one hands them out
  // Contents the record does not have yet: each stays until its own source's batch is handed out, whoever comes first.
  struct Fresh {
    std::uint16_t source = 0;
    std::shared_ptr<const SalesOrder> order;
  };
  boost::unordered_flat_map<CandidateId, Fresh> fresh;
  std::unordered_map<std::string, std::set<std::pair<std::string, std::string>>> refused;  // number -> (source, path)
  Restoring restoring;

  bool is_service(std::string_view source) const { return std::ranges::find(rules.services, source) != rules.services.end(); }
  CandidateSummary summary_of(const store::Candidate& candidate, bool service) const {
    return summarise(*candidate.order, candidate.ordinal, candidate.flags, service, service || !rules.services.empty());
  }

  std::optional<FileId> find(const std::string& source, std::string_view path) const {
    const auto code = table.find_source(source);
    return code ? table.find(*code, path) : std::nullopt;
  }
  std::string gone_text(FileId file) const;

  // ---- which documents speak of an order (internal/order_book_claims.cpp)
  // Those that count, best first: with its number, and with its customer reference where that names it alone.
  std::vector<Claim> claims_of(std::string_view number) const;
  Claim claim_of(const CandidateView& candidate) const;
  // The order that documents with this number speak of; mostly the number itself.
  std::string stands_for(std::string_view number) const;
  // Before anything about a document of this order changes; `reference` of a document of a service.
  void touch(std::string_view number, std::string_view reference = {}, std::string_view lost_because = {});
  void touch_one(std::string_view number, std::string_view lost_because = {});
  void touch_named_by(std::string_view reference);
  void touch_orders_of(FileId file, std::string_view lost_because = {});
  void note_joined_away(std::string_view number);

  void draft_file(const std::string& source, FileId file) {
    Source& own = sources[source];
    own.draft.files_put.push_back(table.record(file));
    own.drafted.insert(own.draft.files_put.back().path);
  }

  void count_ignored(Source& source, store::FileRecord::State before, store::FileRecord::State after) {
    if (before == store::FileRecord::State::ignored) --source.ignored;
    if (after == store::FileRecord::State::ignored) ++source.ignored;
  }

  void state(const std::string& source_name, const std::string& path, Rejections rejections);

  void forget_statement(const std::string& source_name, const std::string& path) {
    Source& source = sources[source_name];
    const auto found = source.stated.find(path);
    if (found == source.stated.end()) return;
    for (const feed::Rejection& rejection : found->second) {
      const auto number = refused.find(rejection.order_number);
      if (number == refused.end()) continue;
      number->second.erase({source_name, path});
      if (number->second.empty()) refused.erase(number);
    }
    source.stated.erase(found);
    source.review.insert(path);
  }

  // The orders of a new reading, and those of the reading before that it names but cannot read: these keep their
  // last good content. Takes the orders out of `read`.
  std::vector<store::Candidate> candidates_of(ReadFile& read, FileId before);
  void put_candidates(const std::string& source, FileId file, std::vector<store::Candidate> candidates);
  Rejections rejections_of(const std::string& source, const ReadFile& read, Instant now) const;

  Result<std::shared_ptr<const SalesOrder>> content(const Claim& claim) {
    if (const auto found = fresh.find(claim.candidate.id); found != fresh.end()) return found->second.order;
    return load(std::string(claim.source), std::string(claim.path), claim.candidate.ordinal);
  }

  // ---- what counts (internal/order_book_deciding.cpp)
  // A source that speaks of an order, by its best document.
  struct Voice {
    const Claim* claim = nullptr;
    JoinSide side;  // without the order
  };
  // The one whose document counts first.
  std::vector<Voice> voices_of(const std::vector<Claim>& claims) const;
  bool same_voice(const Claim& left, const Claim& right) const;
  feed::OrderDocument document_of(const Claim& claim) const;
  std::uint64_t digest_of(std::string_view number, const std::vector<Claim>& claims) const;
  static std::vector<std::string> flags_of(const std::vector<Voice>& voices);
  const std::vector<Decision>& decisions_of(std::string_view number) const;
  Result<std::shared_ptr<const SalesOrder>> filed_content(const Claim& claim);
  // What the sources say of it, joined; and the same with what people wrote above it.
  Result<feed::OrderPut> sources_put(const std::string& number, const std::vector<Claim>& claims);
  Result<feed::OrderPut> put_of(const std::string& number, const std::vector<Claim>& claims);
  Result<void> decide(const std::string& number, const Touched& order, std::vector<feed::Change>& changes);
  void word_rejections(const std::string& source_name, const std::string& path, std::vector<feed::Change>& changes);
  void restore_pending();
  void forget_kept(std::string_view space, const std::string& key);
};

}  // namespace millrace::ingest
