#include "ingest/order_book.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "ingest/internal/candidates.h"

namespace millrace::ingest {
namespace {

using Rejections = std::vector<feed::Rejection>;

// Browsers keep integers exactly below 2^53.
constexpr std::uint64_t id_mask = (std::uint64_t{1} << 53) - 1;

std::uint64_t rejection_id(const feed::Rejection& rejection) {
  std::string key = rejection.source;
  for (const std::string* part : {&rejection.path, &rejection.place, &rejection.reason}) key += '\0', key += *part;
  return hash64(key) & id_mask;
}

// "Open/2026/SO43659 - rev B.json" -> "43659": which order a file that cannot be read is probably about.
std::string number_in_name(std::string_view path, const LayoutProfile& profile) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto digits_from = [&](std::size_t at) {
    std::size_t end = at;
    while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
    return std::string(name.substr(at, end - at));
  };
  for (const std::string& prefix : profile.order_number_prefixes) {
    const std::size_t at = lower_ascii(name).find(lower_ascii(prefix));
    if (at == std::string::npos) continue;
    if (std::string digits = digits_from(at + prefix.size()); !digits.empty()) return digits;
  }
  const std::size_t at = name.find_first_of("0123456789");
  return at == std::string_view::npos ? "" : digits_from(at);
}

Instant mtime(const store::FileRecord& file) { return Instant{std::chrono::milliseconds{file.mtime_ns / 1'000'000}}; }

}  // namespace

std::string status_of_path(std::string_view path, const LayoutProfile& profile) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return "Unfiled";
  const std::string folder = printable(path.substr(0, slash));
  const auto found = profile.status_words.find(folder);
  return found == profile.status_words.end() ? folder : found->second;
}

struct OrderBook::Impl {
  struct Source {
    std::map<std::string, BookFile> files;       // by path; nodes do not move
    std::map<std::string, Rejections> stated;    // by path: what the last reading said
    std::map<std::string, Rejections> announced; // by path: what the feed knows
    std::set<std::string> faults;                // paths of folders and files that could not be opened
    std::set<std::string> review;                // paths whose rejections must be worded anew
    store::Batch draft;
    std::uint64_t ignored = 0;
  };
  struct OrderState {
    std::vector<Claim> claims;
    std::uint64_t digest = 0;   // of what the feed knows; 0: the feed does not know the order
    std::string lost_because;   // the last document that went away
  };
  using ContentKey = std::tuple<const std::string*, std::string, std::uint32_t>;

  LayoutProfile profile;
  LoadContent load;
  std::map<std::string, Source> sources;
  std::unordered_map<std::string, OrderState> orders;
  std::set<std::string> touched;  // order numbers to decide
  std::vector<feed::Change> decided;  // by a `finish` that failed half-way: the next one hands them out
  std::map<ContentKey, std::shared_ptr<const SalesOrder>> fresh;  // contents of this batch
  std::unordered_map<std::string, std::set<std::pair<std::string, std::string>>> refused;  // number -> (source, path)

  const std::string& name_of(const std::string& source) { return sources.try_emplace(source).first->first; }

  void claim(const std::string& source, const BookFile& file) {
    for (const CandidateSummary& candidate : file.candidates) {
      orders[candidate.number].claims.push_back(Claim{&name_of(source), &file, candidate.ordinal});
      touched.insert(candidate.number);
    }
  }

  void unclaim(const BookFile& file, std::string_view because) {
    for (const CandidateSummary& candidate : file.candidates) {
      OrderState& order = orders[candidate.number];
      std::erase_if(order.claims, [&](const Claim& claim) { return claim.file == &file; });
      order.lost_because = because;
      touched.insert(candidate.number);
    }
  }

  void count_ignored(Source& source, store::FileRecord::State before, store::FileRecord::State after) {
    if (before == store::FileRecord::State::ignored) --source.ignored;
    if (after == store::FileRecord::State::ignored) ++source.ignored;
  }

  void state(const std::string& source_name, const std::string& path, Rejections rejections) {
    Source& source = sources[source_name];
    forget_statement(source_name, path);
    for (feed::Rejection& rejection : rejections) {
      if (rejection.order_number.empty()) rejection.order_number = number_in_name(path, profile);
      if (rejection.outcome == feed::Outcome::reject && !rejection.order_number.empty())
        refused[rejection.order_number].emplace(source_name, path);
    }
    if (!rejections.empty()) source.stated[path] = std::move(rejections);
    source.review.insert(path);
  }

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
  // last good content.
  std::vector<store::Candidate> candidates_of(const std::string& source, const ReadFile& read, const BookFile& before);
  void put_candidates(const std::string& source, BookFile& file, std::vector<store::Candidate> candidates);
  Rejections rejections_of(const std::string& source, const ReadFile& read, Instant now) const;

  Result<std::shared_ptr<const SalesOrder>> content(const Claim& claim) {
    const std::string& path = claim.file->record.path;
    if (const auto found = fresh.find({claim.source, path, claim.ordinal}); found != fresh.end()) return found->second;
    return load(*claim.source, path, claim.ordinal);
  }

  feed::OrderDocument document_of(const Claim& claim) const;
  std::uint64_t digest_of(const OrderState& order, const std::vector<std::string>& flags) const;
  std::vector<std::string> flags_of(const OrderState& order) const;
  Result<void> decide(const std::string& number, std::vector<feed::Change>& changes);
  void word_rejections(const std::string& source_name, const std::string& path, std::vector<feed::Change>& changes);
};

OrderBook::OrderBook(LayoutProfile profile, LoadContent load) : impl_(std::make_unique<Impl>()) {
  impl_->profile = std::move(profile);
  impl_->load = std::move(load);
}
OrderBook::~OrderBook() = default;
OrderBook::OrderBook(OrderBook&&) noexcept = default;
OrderBook& OrderBook::operator=(OrderBook&&) noexcept = default;

// ---- restoring

void OrderBook::restore_file(const std::string& source, store::FileRecord file) {
  Impl::Source& own = impl_->sources[source];
  if (file.state == store::FileRecord::State::ignored) ++own.ignored;
  std::string path = file.path;
  own.files[std::move(path)].record = std::move(file);
}

void OrderBook::restore_candidate(const std::string& source, const store::Candidate& candidate) {
  BookFile& file = impl_->sources[source].files[candidate.path];
  file.candidates.push_back(summarise(*candidate.order, candidate.ordinal, candidate.flags));
}

void OrderBook::restore_rejection(feed::Rejection rejection) {
  Impl::Source& own = impl_->sources[rejection.source];
  own.announced[rejection.path].push_back(rejection);
  Rejections stated = std::move(own.stated[rejection.path]);
  const std::string source = rejection.source, path = rejection.path;
  if (!own.files.contains(path)) own.faults.insert(path);
  if (rejection.outcome == feed::Outcome::keep_previous) rejection.outcome = feed::Outcome::reject;
  stated.push_back(std::move(rejection));
  impl_->state(source, path, std::move(stated));
}

void OrderBook::finish_restore() {
  for (auto& [source, own] : impl_->sources) {
    for (const auto& [path, file] : own.files) impl_->claim(source, file);
    own.review.clear();
  }
  for (auto& [number, order] : impl_->orders) {
    std::sort(order.claims.begin(), order.claims.end(), counts_before);
    order.digest = impl_->digest_of(order, impl_->flags_of(order));
  }
  impl_->touched.clear();
}

// ---- what happened

std::vector<store::Candidate> OrderBook::Impl::candidates_of(const std::string& source, const ReadFile& read, const BookFile& before) {
  std::vector<store::Candidate> found;
  const std::string status = status_of_path(read.path, profile);
  const auto flags_for = [&](const std::string& number) {
    std::vector<std::string> flags;
    for (const Finding& finding : read.document.findings)
      if (finding.outcome == feed::Outcome::ingest_and_flag && (finding.order_number == number || finding.order_number.empty()))
        flags.push_back(finding.place.empty() ? finding.reason : finding.place + ": " + finding.reason);
    return flags;
  };
  for (const SalesOrder& order : read.document.orders) {
    SalesOrder filed = order;
    filed.status = status;
    found.push_back({read.path, static_cast<std::uint32_t>(found.size()), std::make_shared<const SalesOrder>(std::move(filed)), flags_for(order.number.text)});
  }
  const auto named = [&](const std::string& number) {
    const auto is_it = [&](const auto& thing) { return thing.order_number == number && thing.outcome == feed::Outcome::reject; };
    return std::any_of(read.document.findings.begin(), read.document.findings.end(), is_it);
  };
  for (const CandidateSummary& old : before.candidates) {
    const bool read_again = std::any_of(found.begin(), found.end(), [&](const store::Candidate& c) { return c.order->number.text == old.number; });
    if (read_again || !named(old.number)) continue;
    if (auto kept = content(Claim{&name_of(source), &before, old.ordinal}); kept)
      found.push_back({read.path, static_cast<std::uint32_t>(found.size()), std::move(*kept), old.flags});
  }
  return found;
}

void OrderBook::Impl::put_candidates(const std::string& source, BookFile& file, std::vector<store::Candidate> candidates) {
  store::Batch& draft = sources[source].draft;
  file.candidates.clear();
  for (store::Candidate& candidate : candidates) {
    file.candidates.push_back(summarise(*candidate.order, candidate.ordinal, candidate.flags));
    fresh[{&name_of(source), candidate.path, candidate.ordinal}] = candidate.order;
    draft.candidates_put.push_back(std::move(candidate));
  }
}

Rejections OrderBook::Impl::rejections_of(const std::string& source, const ReadFile& read, Instant now) const {
  Rejections rejections;
  for (const Finding& finding : read.document.findings) {
    feed::Rejection rejection;
    rejection.source = source;
    rejection.path = read.path;
    rejection.place = finding.place;
    rejection.reason = finding.reason;
    rejection.value = finding.value;
    rejection.outcome = finding.outcome;
    rejection.order_number = finding.order_number;
    rejection.since = now;
    rejections.push_back(std::move(rejection));
  }
  return rejections;
}

void OrderBook::file_read(const std::string& source, ReadFile read, Instant now) {
  Impl::Source& own = impl_->sources[source];
  BookFile& file = own.files[read.path];
  using State = store::FileRecord::State;
  const bool had_content = !file.candidates.empty();
  const State before = file.record.state;
  const bool known = !file.record.path.empty();
  Rejections rejections = impl_->rejections_of(source, read, now);
  State state = State::counts;
  if (!read.document.orders.empty()) {
    auto candidates = impl_->candidates_of(source, read, file);
    impl_->unclaim(file, "the document no longer names it: " + printable(read.path));
    impl_->put_candidates(source, file, std::move(candidates));
  } else if (!rejections.empty() || had_content) {
    // What was good stays until the file is gone or whole again.
    state = had_content ? State::damaged : State::refused;
    for (const CandidateSummary& candidate : file.candidates) impl_->touched.insert(candidate.number);
    if (rejections.empty()) {
      feed::Rejection changed;
      changed.source = source;
      changed.path = read.path;
      changed.reason = "held an order before and is no order document now (" + read.document.ignored_because +
                       "); its last good content still counts. Put the order back or delete the file";
      changed.since = now;
      rejections.push_back(std::move(changed));
    }
  } else {
    state = State::ignored;
  }
  impl_->count_ignored(own, known ? before : State::counts, state);
  const std::string format = state == State::damaged ? file.record.format : std::string(word(read.document.format));
  file.record = {read.path, read.stamp.size, read.stamp.mtime_ns, read.stamp.inode, read.hash, state, format, now};
  if (state == State::counts) impl_->claim(source, file);
  own.draft.files_put.push_back(file.record);
  own.faults.erase(read.path);
  impl_->state(source, read.path, std::move(rejections));
}

void OrderBook::file_touched(const std::string& source, const std::string& path, const FileStamp& stamp) {
  Impl::Source& own = impl_->sources[source];
  const auto found = own.files.find(path);
  if (found == own.files.end()) return;
  store::FileRecord& record = found->second.record;
  record.size = stamp.size;
  record.mtime_ns = stamp.mtime_ns;
  record.inode = stamp.inode;
  own.draft.files_put.push_back(record);
  if (own.faults.erase(path) > 0) impl_->forget_statement(source, path);
  for (const CandidateSummary& candidate : found->second.candidates) impl_->touched.insert(candidate.number);
}

Result<void> OrderBook::file_moved(const std::string& source, const std::string& from, const std::string& to, const FileStamp& stamp) {
  Impl::Source& own = impl_->sources[source];
  const auto found = own.files.find(from);
  if (found == own.files.end()) return fail(ErrorCode::not_found, "the file " + printable(from) + " is not known");
  if (own.files.contains(to)) file_removed(source, to);
  std::vector<store::Candidate> contents;
  for (const CandidateSummary& candidate : found->second.candidates) {
    auto content = impl_->content(Claim{&impl_->name_of(source), &found->second, candidate.ordinal});
    if (!content) return pass_on(content);
    SalesOrder filed = **content;
    filed.status = status_of_path(to, impl_->profile);
    contents.push_back({to, candidate.ordinal, std::make_shared<const SalesOrder>(std::move(filed)), candidate.flags});
  }
  store::FileRecord record = found->second.record;
  Rejections stated;
  if (const auto rejections = own.stated.find(from); rejections != own.stated.end()) stated = rejections->second;
  file_removed(source, from);
  for (feed::Rejection& rejection : stated) rejection.path = to, rejection.order_number.clear();
  record.path = to;
  record.size = stamp.size;
  record.mtime_ns = stamp.mtime_ns;
  record.inode = stamp.inode;
  BookFile& file = own.files[to];
  file.record = record;
  impl_->count_ignored(own, store::FileRecord::State::counts, record.state);
  impl_->put_candidates(source, file, std::move(contents));
  impl_->claim(source, file);
  own.draft.files_put.push_back(record);
  impl_->state(source, to, std::move(stated));
  return {};
}

void OrderBook::file_removed(const std::string& source, const std::string& path) {
  Impl::Source& own = impl_->sources[source];
  impl_->forget_statement(source, path);
  own.faults.erase(path);
  const auto found = own.files.find(path);
  if (found == own.files.end()) return;
  impl_->unclaim(found->second, "file deleted: " + printable(path));
  impl_->count_ignored(own, found->second.record.state, store::FileRecord::State::counts);
  own.files.erase(found);
  // A file may come and go within one batch; the last word is that it is gone.
  std::erase_if(own.draft.files_put, [&](const store::FileRecord& file) { return file.path == path; });
  std::erase_if(own.draft.candidates_put, [&](const store::Candidate& candidate) { return candidate.path == path; });
  own.draft.files_removed.push_back(path);
  own.draft.candidates_removed.push_back(path);
}

void OrderBook::fault(const std::string& source, const FolderFault& fault, Instant now) {
  Impl::Source& own = impl_->sources[source];
  feed::Rejection rejection;
  rejection.source = source;
  rejection.path = fault.path;
  rejection.reason = fault.reason;
  const bool known_below = own.files.contains(fault.path) || !files_below(source, fault.path).empty();
  rejection.outcome = known_below ? feed::Outcome::held : feed::Outcome::reject;
  rejection.since = now;
  own.faults.insert(fault.path);
  impl_->state(source, fault.path, {std::move(rejection)});
}

void OrderBook::fault_solved(const std::string& source, const std::string& path) {
  impl_->sources[source].faults.erase(path);
  impl_->forget_statement(source, path);
}

// ---- deciding

feed::OrderDocument OrderBook::Impl::document_of(const Claim& claim) const {
  const CandidateSummary& summary = claim.summary();
  const store::FileRecord& record = claim.file->record;
  feed::OrderDocument document;
  document.source = *claim.source;
  document.path = record.path;
  document.format = record.format;
  document.hash = record.hash;
  document.modified = mtime(record);
  document.updated = summary.updated;
  document.status = status_of_path(record.path, profile);
  document.total = summary.total;
  document.open = summary.open;
  document.line_count = summary.line_count;
  document.damaged_since = record.state == store::FileRecord::State::damaged;
  return document;
}

std::vector<std::string> OrderBook::Impl::flags_of(const OrderState& order) const {
  std::vector<std::string> flags = order.claims.front().summary().flags;
  if (order.claims.front().file->record.state == store::FileRecord::State::damaged)
    flags.push_back(printable(order.claims.front().file->record.path) + " cannot be read now; this is its last good content");
  return flags;
}

// Everything a person would see of the order except mtimes: touching a file is not a change of the order.
std::uint64_t OrderBook::Impl::digest_of(const OrderState& order, const std::vector<std::string>& flags) const {
  std::string seen;
  for (const Claim& claim : order.claims) {
    seen += *claim.source + '\0' + claim.file->record.path + '\0' + status_of_path(claim.file->record.path, profile) + '\0' +
            std::to_string(claim.summary().digest) + (claim.file->record.state == store::FileRecord::State::damaged ? 'd' : 'g');
  }
  for (const std::string& flag : flags) seen += '\0' + flag;
  return std::max<std::uint64_t>(1, hash64(seen));
}

Result<void> OrderBook::Impl::decide(const std::string& number, std::vector<feed::Change>& changes) {
  const auto found = orders.find(number);
  if (found == orders.end()) return {};
  OrderState& order = found->second;
  if (order.claims.empty()) {
    if (order.digest != 0) changes.push_back(feed::order_removed(OrderNumber{number}, order.lost_because));
    orders.erase(found);
    return {};
  }
  std::sort(order.claims.begin(), order.claims.end(), counts_before);
  std::vector<std::string> flags = flags_of(order);
  const std::uint64_t digest = digest_of(order, flags);
  if (digest == order.digest) return {};
  const Claim& winner = order.claims.front();
  auto content_of_winner = content(winner);
  if (!content_of_winner) return pass_on(content_of_winner, "order " + number);
  SalesOrder filed = **content_of_winner;
  filed.status = status_of_path(winner.file->record.path, profile);
  feed::OrderPut put;
  for (const Claim& claim : order.claims) {
    put.documents.push_back(document_of(claim));
    if (&claim == &winner) continue;
    if (auto differs = disagreement(winner, claim, filed.currency)) flags.push_back(std::move(*differs));
  }
  put.flags = std::move(flags);
  put.order = std::make_shared<const SalesOrder>(std::move(filed));
  changes.push_back(feed::order_put(std::move(put)));
  order.digest = digest;
  return {};
}

void OrderBook::Impl::word_rejections(const std::string& source_name, const std::string& path, std::vector<feed::Change>& changes) {
  Source& source = sources[source_name];
  Rejections now;
  if (const auto stated = source.stated.find(path); stated != source.stated.end()) now = stated->second;
  const auto file = source.files.find(path);
  const bool damaged = file != source.files.end() && file->second.record.state == store::FileRecord::State::damaged;
  const auto is_current = [&](const std::string& number) {
    const auto order = orders.find(number);
    return order != orders.end() && !order->second.claims.empty();
  };
  for (feed::Rejection& rejection : now) {
    rejection.id = rejection_id(rejection);
    if (rejection.outcome == feed::Outcome::reject && (damaged || is_current(rejection.order_number)))
      rejection.outcome = feed::Outcome::keep_previous;
  }
  Rejections before = std::move(source.announced[path]);
  for (feed::Rejection& rejection : now) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const feed::Rejection& b) { return b.id == rejection.id; });
    if (same != before.end()) rejection.since = same->since;
    if (same == before.end() || !(*same == rejection)) changes.push_back(feed::rejection_put(rejection));
    if (same != before.end()) before.erase(same);
  }
  for (const feed::Rejection& gone : before) changes.push_back(feed::rejection_removed(gone.id));
  if (now.empty()) {
    source.announced.erase(path);
  } else {
    source.announced[path] = std::move(now);
  }
}

Result<store::Batch> OrderBook::finish(const std::string& source) {
  std::vector<feed::Change>& changes = impl_->decided;
  while (!impl_->touched.empty()) {
    const std::string number = *impl_->touched.begin();
    if (const auto decided = impl_->decide(number, changes); !decided) return pass_on(decided);
    if (const auto waiting = impl_->refused.find(number); waiting != impl_->refused.end())
      for (const auto& [owner, path] : waiting->second) impl_->sources[owner].review.insert(path);
    impl_->touched.erase(number);
  }
  for (auto& [name, own] : impl_->sources) {
    for (const std::string& path : own.review) impl_->word_rejections(name, path, changes);
    own.review.clear();
  }
  store::Batch batch = std::exchange(impl_->sources[source].draft, {});
  batch.source = source;
  batch.changes = std::exchange(changes, {});
  impl_->fresh.clear();
  return batch;
}

// ---- questions

const store::FileRecord* OrderBook::known_file(const std::string& source, const std::string& path) const {
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return nullptr;
  const auto file = own->second.files.find(path);
  return file == own->second.files.end() ? nullptr : &file->second.record;
}

void OrderBook::each_file(const std::string& source, const std::function<void(const store::FileRecord&)>& file) const {
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return;
  for (const auto& [path, known] : own->second.files) file(known.record);
}

std::vector<std::string> OrderBook::faulty_paths(const std::string& source) const {
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return {};
  return {own->second.faults.begin(), own->second.faults.end()};
}

std::vector<std::string> OrderBook::files_below(const std::string& source, std::string_view folder) const {
  std::vector<std::string> found;
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return found;
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  for (auto file = own->second.files.lower_bound(prefix); file != own->second.files.end() && file->first.starts_with(prefix); ++file)
    found.push_back(file->first);
  return found;
}

std::uint64_t OrderBook::file_count(const std::string& source) const {
  const auto own = impl_->sources.find(source);
  return own == impl_->sources.end() ? 0 : own->second.files.size();
}

OrderBook::Counts OrderBook::counts(const std::string& source) const {
  Counts counts;
  counts.orders = impl_->orders.size();
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return counts;
  counts.ignored = own->second.ignored;
  for (const auto& [path, rejections] : own->second.announced) counts.rejections += rejections.size();
  return counts;
}

const feed::Rejection* OrderBook::find_rejection(std::uint64_t id) const {
  for (const auto& [name, own] : impl_->sources)
    for (const auto& [path, rejections] : own.announced)
      for (const feed::Rejection& rejection : rejections)
        if (rejection.id == id) return &rejection;
  return nullptr;
}

}  // namespace millrace::ingest
