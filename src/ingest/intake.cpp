#include "ingest/intake.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "base/bytes.h"
#include "base/text.h"

namespace millrace::ingest {
namespace {

// Of one key the newer word stands; a batch removes before it puts.
void append(Intake::Kept& waiting, Intake::Kept newer) {
  if (!waiting.put.empty() && !newer.removed.empty()) {
    std::set<std::pair<std::string_view, std::string_view>> removed;
    for (const store::KeptKey& key : newer.removed) removed.emplace(key.space, key.key);
    std::erase_if(waiting.put, [&](const store::KeptRow& row) { return removed.contains({row.space, row.key}); });
  }
  std::ranges::move(newer.put, std::back_inserter(waiting.put));
  std::ranges::move(newer.removed, std::back_inserter(waiting.removed));
  std::ranges::move(newer.changes, std::back_inserter(waiting.changes));
}

}  // namespace

Intake::Intake(store::Record& record, LayoutProfile profile, JoinRules rules, OverlayFields overlay_fields)
    : record_(record),
      overlay_fields_(overlay_fields),
      next_end_(std::numeric_limits<std::int64_t>::max()),
      book_(std::move(profile), [this](const std::string& source, const std::string& path,
                                       std::uint32_t ordinal) -> Result<std::shared_ptr<const SalesOrder>> {
        auto candidate = record_.candidate(source, path, ordinal);
        if (!candidate) return pass_on(candidate);
        return std::move(candidate->order);
      }, std::move(rules), std::move(overlay_fields), [this](std::uint64_t id) -> Result<OverlayEdit> {
        const auto row = record_.kept_one(std::string(overlay_edits_space), overlay_edit_key(id));
        if (!row) return pass_on(row);
        if (!*row) return fail(ErrorCode::unavailable, "edit " + std::to_string(id) + " is not in the record yet; try again");
        return decode_overlay_edit(**row);
      }) {}

Result<void> Intake::restore_from_record(const std::string& source) {
  auto files = record_.files(source);
  if (!files) return pass_on(files);
  for (store::FileRecord& file : *files) book_.restore_file(source, std::move(file));
  const auto read = record_.candidates(source, [&](const store::Candidate& candidate) {
    book_.restore_candidate(source, candidate);
    return true;
  });
  if (!read) return pass_on(read);
  return {};
}

// What people decided; answers the rules that were in force.
Result<std::optional<std::string>> Intake::restore_decisions() {
  Result<void> restored;
  const auto read = record_.kept(std::string(OrderBook::decisions_space), [&](const store::KeptRow& row) {
    restored = book_.restore_decision(row);
    return restored.has_value();
  });
  if (!read) return pass_on(read);
  if (!restored) return pass_on(restored);
  return record_.kept_one(std::string(OrderBook::rules_space), std::string(OrderBook::rules_key));
}

// The sections of the sources we still have, then every file that the record touched since.
Result<void> Intake::restore_warm(const std::vector<std::string>& sources, const WarmBook& warm) {
  const auto wanted = [&](std::string_view source) { return std::ranges::find(sources, source) != sources.end(); };
  const auto changed = record_.files_changed_after(warm.revision);
  if (!changed) return pass_on(changed);
  book_.restore_expects(warm.file_count, warm.order_count);
  const auto taken = warm.sections([&](std::string_view section) -> Result<void> {
    if (!wanted(ByteReader(section).text()) || book_.restore_section(section)) return {};
    return fail(ErrorCode::corrupt, "the order book in the file makes no sense");
  });
  if (!taken) return pass_on(taken);
  book_.restored_sections();
  for (const store::FileNow& file : *changed)
    if (wanted(file.source)) book_.restore_now(file);
  return {};
}

Result<void> Intake::restore(const std::vector<std::string>& sources, const WarmBook* warm,
                             const std::function<void(const Error&)>& warm_refused) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> cold = sources;
  // Without sources nothing is decided: a damaged record is then only looked at.
  const auto rules_before = sources.empty() ? Result<std::optional<std::string>>(std::nullopt) : restore_decisions();
  if (!rules_before) return pass_on(rules_before);
  if (const auto written = sources.empty() ? Result<void>() : restore_overlays(); !written) return pass_on(written);
  if (warm != nullptr && book_.rules_are(*rules_before)) {
    if (const auto restored = restore_warm(sources, *warm); restored) {
      std::erase_if(cold, [&](const std::string& source) { return std::ranges::find(warm->sources, source) != warm->sources.end(); });
    } else {
      book_.forget_restored();
      warm_refused(restored.error());
    }
  }
  for (const std::string& source : cold)
    if (const auto read = restore_from_record(source); !read) return pass_on(read);
  auto rejections = record_.rejections();
  if (!rejections) return pass_on(rejections);
  for (feed::Rejection& rejection : *rejections) book_.restore_rejection(std::move(rejection));
  book_.finish_restore();
  book_.restore_rules(*rules_before);
  sources_ = sources;
  return {};
}

Result<bool> Intake::commit(const std::string& source, Kept kept) {
  const std::lock_guard lock(mutex_);
  append(kept_waiting_[source], std::move(kept));
  auto wrote = decide_and_commit(source);
  give_image();
  return wrote;
}

Result<void> Intake::send_unsent() {
  if (!unsent_) return {};
  if (const auto sent = record_.commit(*unsent_); !sent) return pass_on(sent);
  unsent_.reset();
  return {};
}

Result<bool> Intake::decide_and_commit(const std::string& source, std::vector<feed::Change>* committed) {
  const bool wrote = unsent_.has_value();
  if (const auto sent = send_unsent(); !sent) return pass_on(sent);
  auto batch = book_.finish(source);
  if (!batch) return pass_on(batch);
  Kept& kept = kept_waiting_[source];
  std::ranges::move(std::exchange(kept.put, {}), std::back_inserter(batch->kept_put));
  std::ranges::move(std::exchange(kept.removed, {}), std::back_inserter(batch->kept_removed));
  std::ranges::move(std::exchange(kept.changes, {}), std::back_inserter(batch->changes));
  if (batch->empty()) return wrote;
  unsent_ = std::move(*batch);
  auto sent = record_.commit(*unsent_);
  if (!sent) return pass_on(sent);
  unsent_.reset();
  if (committed != nullptr) *committed = std::move(sent->changes);
  return true;
}

Result<feed::Change> Intake::decide(const DifferenceChoice& choice, const std::string& source, const std::string& by, Instant now) {
  const std::lock_guard lock(mutex_);
  return commit_choice(choice, book_.decide(choice, source, by, now));
}

Result<feed::Change> Intake::undecide(const DifferenceChoice& choice) {
  const std::lock_guard lock(mutex_);
  return commit_choice(choice, book_.undecide(choice));
}

Result<feed::Change> Intake::commit_choice(const DifferenceChoice& choice, const Result<std::string>& source) {
  if (!source) return pass_on(source);
  std::vector<feed::Change> committed;
  const auto wrote = decide_and_commit(*source, &committed);
  give_image();
  if (!wrote) return pass_on(wrote);
  for (feed::Change& change : committed)
    if (change.kind == feed::ChangeKind::order_put && feed::subject(change) == choice.order) return std::move(change);
  return fail(ErrorCode::not_found, "there is no order " + printable(choice.order) + " any more; its choice is taken back");
}

void Intake::want_image(std::function<void(Result<Image>)> take) {
  const std::lock_guard lock(mutex_);
  image_wanted_ = std::move(take);
  give_image();
}

void Intake::give_image() {
  if (!image_wanted_ || unsent_ || sources_.empty() || !book_.settled()) return;
  const auto take = std::exchange(image_wanted_, nullptr);
  const auto position = record_.position();
  if (!position) return take(pass_on(position));
  take(Image{book_.image(), position->revision, sources_});
}

}  // namespace millrace::ingest
