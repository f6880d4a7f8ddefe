#include "ingest/order_book.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "ingest/internal/order_book_state.h"

namespace millrace::ingest {
namespace {

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

}  // namespace

std::string status_of_path(std::string_view path, const LayoutProfile& profile) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return "Unfiled";
  const std::string folder = printable(path.substr(0, slash));
  const auto found = profile.status_words.find(folder);
  return found == profile.status_words.end() ? folder : found->second;
}

void OrderBook::Impl::state(const std::string& source_name, const std::string& path, Rejections rejections) {
  Source& source = sources[source_name];
  forget_statement(source_name, path);
  for (feed::Rejection& rejection : rejections) {
    if (rejection.order_number.empty()) rejection.order_number = number_in_name(path, profile);
    if (rejection.outcome == feed::Outcome::reject && !rejection.order_number.empty())
      refused[rejection.order_number].emplace(source_name, path);
  }
  // Nothing to say and nothing said before: nothing to word.
  if (rejections.empty() && !source.announced.contains(path)) return;
  if (!rejections.empty()) source.stated[path] = std::move(rejections);
  source.review.insert(path);
}

OrderBook::OrderBook(LayoutProfile profile, LoadContent load, JoinRules rules, OverlayFields overlay_fields, OverlayBook::LoadEdit load_edit)
    : impl_(std::make_unique<Impl>(std::move(overlay_fields), std::move(load_edit))) {
  impl_->profile = std::move(profile);
  impl_->load = std::move(load);
  impl_->rules = std::move(rules);
}
OrderBook::~OrderBook() = default;
OrderBook::OrderBook(OrderBook&&) noexcept = default;
OrderBook& OrderBook::operator=(OrderBook&&) noexcept = default;

// ---- restoring

void OrderBook::restore_file(const std::string& source, store::FileRecord file) {
  if (file.state == store::FileRecord::State::ignored) ++impl_->sources[source].ignored;
  const std::uint16_t code = impl_->table.source(source);
  const auto known = impl_->table.find(code, file.path);
  impl_->table.set(known ? *known : impl_->table.add(code, file.path), file);
}

void OrderBook::restore_candidate(const std::string& source, const store::Candidate& candidate) {
  const std::uint16_t code = impl_->table.source(source);
  Impl::Restoring& restoring = impl_->restoring;
  if (restoring.source != code || restoring.path != candidate.path) {
    impl_->restore_pending();
    restoring = {code, candidate.path, {}};
  }
  restoring.candidates.push_back(impl_->summary_of(candidate, impl_->is_service(source)));
}

void OrderBook::Impl::restore_pending() {
  if (restoring.candidates.empty()) return;
  const auto known = table.find(restoring.source, restoring.path);
  const FileId file = known ? *known : table.add(restoring.source, restoring.path);
  std::vector<CandidateSummary> all = table.candidates(file);
  all.insert(all.end(), std::make_move_iterator(restoring.candidates.begin()), std::make_move_iterator(restoring.candidates.end()));
  table.put_candidates(file, all);
  restoring = {};
}

void OrderBook::restore_rejection(feed::Rejection rejection) {
  Impl::Source& own = impl_->sources[rejection.source];
  own.announced[rejection.path].push_back(rejection);
  Rejections stated = std::move(own.stated[rejection.path]);
  const std::string source = rejection.source, path = rejection.path;
  if (!impl_->find(source, path)) own.faults.insert(path);
  if (rejection.outcome == feed::Outcome::keep_previous) rejection.outcome = feed::Outcome::reject;
  stated.push_back(std::move(rejection));
  impl_->state(source, path, std::move(stated));
}

void OrderBook::finish_restore() {
  impl_->restore_pending();
  impl_->table.each_reference([&](std::string_view reference) { impl_->note_joined_away(reference); });
  for (auto& [source, own] : impl_->sources) own.review.clear();
}

void OrderBook::restore_now(const store::FileNow& now) {
  impl_->restore_pending();
  if (const auto known = impl_->find(now.source, now.path)) {
    impl_->count_ignored(impl_->sources[now.source], impl_->table.row(*known).state, store::FileRecord::State::counts);
    impl_->table.erase(*known);
  }
  if (!now.file) return;
  restore_file(now.source, *now.file);
  for (const store::Candidate& candidate : now.candidates) restore_candidate(now.source, candidate);
  impl_->restore_pending();
}

// ---- the warm start

namespace {

class SharedImage final : public BookImage {
 public:
  explicit SharedImage(std::shared_ptr<const BookTable::Image> table) : table_(std::move(table)) {}
  std::size_t file_count() const override { return table_->file_count; }
  std::size_t order_count() const override { return table_->order_count; }
  void write(const std::function<void(std::string_view section)>& section) const override {
    table_->write([&](const std::string& bytes) { section(bytes); });
  }

 private:
  std::shared_ptr<const BookTable::Image> table_;
};

}  // namespace

bool OrderBook::settled() const {
  const auto drafts = [](const auto& source) { return !source.second.draft.empty(); };
  return impl_->touched.empty() && impl_->decided.empty() && impl_->fresh.empty() && impl_->kept_put.empty() && impl_->kept_removed.empty() && std::ranges::none_of(impl_->sources, drafts);
}

std::shared_ptr<const BookImage> OrderBook::image() {
  check(settled(), "an image of the book is taken between two batches");
  return std::make_shared<SharedImage>(impl_->table.image());
}

bool OrderBook::restore_section(std::string_view section) { return impl_->table.add_section(section); }

void OrderBook::restored_sections() {
  for (std::uint16_t code = 0; code < impl_->table.source_count(); ++code) {
    std::uint64_t& ignored = impl_->sources[impl_->table.source_name(code)].ignored;
    ignored = 0;
    for (const FileId file : impl_->table.sorted(code)) ignored += impl_->table.row(file).state == store::FileRecord::State::ignored;
  }
}

void OrderBook::restore_expects(std::size_t files, std::size_t orders) { impl_->table.reserve(files, orders); }

void OrderBook::forget_restored() {
  impl_->table.clear();
  impl_->sources.clear();
  impl_->refused.clear();
  impl_->joined_away.clear();
  impl_->restoring = {};
}

// ---- what happened

std::vector<store::Candidate> OrderBook::Impl::candidates_of(ReadFile& read, FileId before) {
  std::vector<store::Candidate> found;
  const std::string status = status_of_path(read.path, profile);
  const auto flags_for = [&](const std::string& number) {
    std::vector<std::string> flags;
    for (const Finding& finding : read.document.findings)
      if (finding.outcome == feed::Outcome::ingest_and_flag && (finding.order_number == number || finding.order_number.empty()))
        flags.push_back(finding.place.empty() ? finding.reason : finding.place + ": " + finding.reason);
    return flags;
  };
  for (SalesOrder& filed : read.document.orders) {
    filed.status = status;
    auto flags = flags_for(filed.number.text);
    found.push_back({read.path, static_cast<std::uint32_t>(found.size()), std::make_shared<const SalesOrder>(std::move(filed)), std::move(flags)});
  }
  const auto named = [&](std::string_view number) {
    const auto is_it = [&](const auto& thing) { return thing.order_number == number && thing.outcome == feed::Outcome::reject; };
    return std::any_of(read.document.findings.begin(), read.document.findings.end(), is_it);
  };
  for (const CandidateView& old : table.candidate_views(before)) {
    const bool read_again = std::any_of(found.begin(), found.end(), [&](const store::Candidate& c) { return c.order->number.text == old.number; });
    if (read_again || !named(old.number)) continue;
    if (auto kept = content(claim_of(old)); kept)
      found.push_back({read.path, static_cast<std::uint32_t>(found.size()), std::move(*kept), old.flags()});
  }
  return found;
}

void OrderBook::Impl::put_candidates(const std::string& source, FileId file, std::vector<store::Candidate> candidates) {
  std::vector<CandidateSummary> summaries;
  for (const store::Candidate& candidate : candidates) {
    summaries.push_back(summary_of(candidate, is_service(source)));
    touch(summaries.back().number, summaries.back().reference);
  }
  table.put_candidates(file, summaries);
  const std::vector<CandidateView> put = table.candidate_views(file);
  for (std::size_t i = 0; i < put.size(); ++i) fresh[put[i].id] = {table.row(file).source, candidates[i].order};
  store::Batch& draft = sources[source].draft;
  draft.candidates_put.insert(draft.candidates_put.end(), std::make_move_iterator(candidates.begin()), std::make_move_iterator(candidates.end()));
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
  BookTable& table = impl_->table;
  using State = store::FileRecord::State;
  const std::uint16_t code = table.source(source);
  const auto known = table.find(code, read.path);
  const FileId file = known ? *known : table.add(code, read.path);
  const bool had_content = table.row(file).candidate_count > 0;
  const State before = known ? table.row(file).state : State::counts;
  Rejections rejections = impl_->rejections_of(source, read, now);
  State state = State::counts;
  if (!read.document.orders.empty()) {
    impl_->touch_orders_of(file, "the document no longer names it: " + printable(read.path));
    impl_->put_candidates(source, file, impl_->candidates_of(read, file));
  } else if (!rejections.empty() || had_content) {
    // What was good stays until the file is gone or whole again.
    state = had_content ? State::damaged : State::refused;
    impl_->touch_orders_of(file);
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
  impl_->count_ignored(own, before, state);
  const std::string format = state == State::damaged ? std::string(table.format(file)) : std::string(word(read.document.format));
  table.set(file, {read.path, read.stamp.size, read.stamp.mtime_ns, read.stamp.inode, read.hash, state, format, now});
  impl_->draft_file(source, file);
  own.faults.erase(read.path);
  impl_->state(source, read.path, std::move(rejections));
}

void OrderBook::file_touched(const std::string& source, const std::string& path, const FileStamp& stamp) {
  const auto file = impl_->find(source, path);
  if (!file) return;
  impl_->touch_orders_of(*file);
  impl_->table.set_stamp(*file, stamp.size, stamp.mtime_ns, stamp.inode);
  impl_->draft_file(source, *file);
  if (impl_->sources[source].faults.erase(path) > 0) impl_->forget_statement(source, path);
}

Result<void> OrderBook::file_moved(const std::string& source, const std::string& from, const std::string& to, const FileStamp& stamp) {
  Impl::Source& own = impl_->sources[source];
  const auto found = impl_->find(source, from);
  if (!found) return fail(ErrorCode::not_found, "the file " + printable(from) + " is not known");
  std::vector<store::Candidate> contents;
  for (const CandidateView& candidate : impl_->table.candidate_views(*found)) {
    auto content = impl_->content(impl_->claim_of(candidate));
    if (!content) return pass_on(content);
    SalesOrder filed = **content;
    filed.status = status_of_path(to, impl_->profile);
    contents.push_back({to, candidate.ordinal, std::make_shared<const SalesOrder>(std::move(filed)), candidate.flags()});
  }
  if (impl_->find(source, to)) file_removed(source, to);
  store::FileRecord record = impl_->table.record(*found);
  Rejections stated;
  if (const auto rejections = own.stated.find(from); rejections != own.stated.end()) stated = rejections->second;
  file_removed(source, from);
  for (feed::Rejection& rejection : stated) rejection.path = to, rejection.order_number.clear();
  record.size = stamp.size;
  record.mtime_ns = stamp.mtime_ns;
  record.inode = stamp.inode;
  const FileId file = impl_->table.add(impl_->table.source(source), to);
  impl_->count_ignored(own, store::FileRecord::State::counts, record.state);
  impl_->put_candidates(source, file, std::move(contents));
  impl_->table.set(file, record);
  impl_->draft_file(source, file);
  impl_->state(source, to, std::move(stated));
  return {};
}

void OrderBook::file_removed(const std::string& source, const std::string& path) {
  Impl::Source& own = impl_->sources[source];
  impl_->forget_statement(source, path);
  own.faults.erase(path);
  const auto file = impl_->find(source, path);
  if (!file) return;
  impl_->touch_orders_of(*file, impl_->gone_text(*file));
  impl_->count_ignored(own, impl_->table.row(*file).state, store::FileRecord::State::counts);
  impl_->table.erase(*file);
  // A file may come and go within one batch; the last word is that it is gone.
  if (own.drafted.erase(path) > 0) {
    std::erase_if(own.draft.files_put, [&](const store::FileRecord& put) { return put.path == path; });
    std::erase_if(own.draft.candidates_put, [&](const store::Candidate& candidate) { return candidate.path == path; });
  }
  own.draft.files_removed.push_back(path);
  own.draft.candidates_removed.push_back(path);
}

void OrderBook::fault(const std::string& source, const FolderFault& fault, Instant now) {
  Impl::Source& own = impl_->sources[source];
  feed::Rejection rejection;
  rejection.source = source;
  rejection.path = fault.path;
  rejection.reason = fault.reason;
  const bool known_below = impl_->find(source, fault.path) || !files_below(source, fault.path).empty();
  rejection.outcome = known_below ? feed::Outcome::held : feed::Outcome::reject;
  rejection.since = now;
  own.faults.insert(fault.path);
  impl_->state(source, fault.path, {std::move(rejection)});
}

void OrderBook::fault_solved(const std::string& source, const std::string& path) {
  impl_->sources[source].faults.erase(path);
  impl_->forget_statement(source, path);
}

// ---- the next batch

void OrderBook::Impl::word_rejections(const std::string& source_name, const std::string& path, std::vector<feed::Change>& changes) {
  Source& source = sources[source_name];
  Rejections now;
  if (const auto stated = source.stated.find(path); stated != source.stated.end()) now = stated->second;
  const auto file = find(source_name, path);
  const bool damaged = file && table.row(*file).state == store::FileRecord::State::damaged;
  for (feed::Rejection& rejection : now) {
    rejection.id = rejection_id(rejection);
    if (rejection.outcome == feed::Outcome::reject && (damaged || table.knows_order(rejection.order_number)))
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
    const auto order = impl_->touched.begin();
    if (const auto decided = impl_->decide(order->first, order->second, changes); !decided) return pass_on(decided);
    if (const auto waiting = impl_->refused.find(order->first); waiting != impl_->refused.end())
      for (const auto& [owner, path] : waiting->second) impl_->sources[owner].review.insert(path);
    impl_->touched.erase(order);
  }
  for (auto& [name, own] : impl_->sources) {
    for (const std::string& path : own.review) impl_->word_rejections(name, path, changes);
    own.review.clear();
  }
  store::Batch batch = std::exchange(impl_->sources[source].draft, {});
  batch.source = source;
  batch.changes = std::exchange(changes, {});
  batch.kept_put = std::exchange(impl_->kept_put, {});
  batch.kept_removed = std::exchange(impl_->kept_removed, {});
  impl_->sources[source].drafted.clear();
  const auto code = impl_->table.find_source(source);
  boost::unordered::erase_if(impl_->fresh, [&](const auto& content) { return content.second.source == code; });
  if (impl_->fresh.empty()) impl_->table.tidy();  // which gives candidates other ids
  return batch;
}

// ---- questions

const store::FileRecord* OrderBook::known_file(const std::string& source, const std::string& path) const {
  const auto file = impl_->find(source, path);
  if (!file) return nullptr;
  asked_ = impl_->table.record(*file);
  return &asked_;
}

void OrderBook::each_file(const std::string& source, const std::function<void(const store::FileRecord&)>& file) const {
  const auto code = impl_->table.find_source(source);
  if (!code) return;
  for (const FileId known : impl_->table.sorted(*code)) file(impl_->table.record(known));
}

void OrderBook::each_stamp(const std::string& source, const std::function<void(std::string_view path, const FileStamp& stamp)>& file) const {
  const auto code = impl_->table.find_source(source);
  if (!code) return;
  for (const FileId known : impl_->table.sorted(*code)) {
    const FileRow& row = impl_->table.row(known);
    file(impl_->table.path(known), {row.size, row.mtime_ns, row.inode});
  }
}

std::vector<std::string> OrderBook::faulty_paths(const std::string& source) const {
  const auto own = impl_->sources.find(source);
  if (own == impl_->sources.end()) return {};
  return {own->second.faults.begin(), own->second.faults.end()};
}

std::vector<std::string> OrderBook::files_below(const std::string& source, std::string_view folder) const {
  std::vector<std::string> found;
  const auto code = impl_->table.find_source(source);
  if (!code) return found;
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  const std::vector<FileId>& files = impl_->table.sorted(*code);
  const auto first = std::lower_bound(files.begin(), files.end(), prefix,
                                      [&](FileId file, const std::string& wanted) { return impl_->table.path(file) < wanted; });
  for (auto file = first; file != files.end() && impl_->table.path(*file).starts_with(prefix); ++file)
    found.emplace_back(impl_->table.path(*file));
  return found;
}

std::uint64_t OrderBook::file_count(const std::string& source) const {
  const auto code = impl_->table.find_source(source);
  return code ? impl_->table.file_count(*code) : 0;
}

OrderBook::Counts OrderBook::counts(const std::string& source) const {
  Counts counts;
  counts.orders = impl_->table.order_count() - impl_->joined_away.size();
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
