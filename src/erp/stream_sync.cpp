#include "erp/stream_sync.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "erp/internal/stream_sync_run.h"

namespace millrace::erp {
using namespace std::chrono_literals;

namespace {

constexpr std::size_t examples_max = 50;
constexpr std::size_t runs_max = 24;
constexpr unsigned slow_answers_max = 8;  // in a row, before the sync is put off

std::string_view refusable(PageQuestion::Kind kind) {
  switch (kind) {
    case PageQuestion::Kind::open: return "open";
    case PageQuestion::Kind::changed: return "changed";
    case PageQuestion::Kind::moving: return "moving";
    case PageQuestion::Kind::slice: return "slice";
    case PageQuestion::Kind::documents: return "documents";
    case PageQuestion::Kind::fetch: break;
  }
  return "fetch";
}

}  // namespace

StreamSync::StreamSync(const StreamDescriptor& stream, Remote& remote, Mapper mapper, SyncSink& sink, Ledger ledger, SyncState state,
                       StreamSyncOptions options, const Clock& clock, SyncRules rules)
    : stream_(stream),
      remote_(remote),
      map_(std::move(mapper)),
      sink_(sink),
      options_(options),
      clock_(clock),
      rules_(rules),
      ledger_(std::move(ledger)),
      live_(std::move(state)),
      persisted_(live_),
      documents_page_(stream.page_of_documents, 20, live_.page_of_documents),
      keys_page_(stream.page_of_keys, 100),
      fetch_page_(stream.keys_in_one_fetch, 1) {}
StreamSync::~StreamSync() = default;

bool StreamSync::refused(std::string_view question) const {
  return std::ranges::find(live_.refused, question) != live_.refused.end();
}

const ingest::HeldSync* StreamSync::held() const { return held_ ? &held_->shown : nullptr; }

// ---- runs

std::vector<StreamSync::Stage> StreamSync::plan(bool everything) const {
  std::vector<Stage> stages;
  const bool first = live_.phase == SyncState::Phase::backfill && !stream_.read_whole;
  if (first) stages.push_back(Stage::backfill);
  if (stream_.read_whole || (everything && !first)) {
    stages.push_back(Stage::whole);
  } else if (!first) {
    const bool has_open = guarded() && !refused("open"), has_changed = stream_.stamp != StampKind::none && !refused("changed");
    if (has_open && has_changed && !refused("moving")) {
      stages.push_back(Stage::moving);
    } else {
      if (has_open) stages.push_back(Stage::open);
      if (has_changed) stages.push_back(Stage::changed);
    }
    if (stream_.version == Version::hash && stream_.key_is_number) stages.push_back(Stage::tail);
    if (options_.slice_keys > 0) stages.push_back(Stage::slice);
  }
  // Nothing is scanned right behind a first sync: what changed while its pages came is stamped later than the first
  // watermark, which was taken before the first page, or differs in the version that was read; the next sync finds it.
  stages.insert(stages.end(), {Stage::fetch, Stage::confirm, Stage::judge});
  return stages;
}

void StreamSync::begin(bool everything, std::chrono::seconds interval) {
  if (main_) return;
  main_ = std::make_unique<Run>();
  main_->permit = std::exchange(permit_, std::nullopt);
  main_->everything = everything || (main_->permit && main_->permit->everything);
  main_->stages = plan(main_->everything);
  main_->interval = interval;
  main_->next = live_;
  main_->began = clock_.now();
  main_->report.started = main_->began;
}

void StreamSync::hint(const std::vector<Key>& keys, bool anyway) {
  if (!hint_) {
    hint_ = std::make_unique<Run>();
    hint_->stages = {Stage::fetch, Stage::confirm, Stage::judge};
    hint_->is_hint = true;
    hint_->open_slice_added = true;
    hint_->next = live_;
    hint_->began = clock_.now();
    hint_->report.started = hint_->began;
  }
  hint_->at = 0;
  for (const Key& key : keys) hint_->dirty[key].anyway |= anyway;
}

void StreamSync::abandon() {
  check(!applying_, "a sync is not abandoned while its commit waits");
  if (main_) remote_.forget_ahead();
  main_.reset();
}

bool StreamSync::accept() {
  if (!held_) return false;
  permit_ = std::move(held_->permit);
  held_.reset();
  return true;
}

void StreamSync::reject() { held_.reset(); }

SyncStep StreamSync::step() { return step_of(main_); }
SyncStep StreamSync::hint_step() { return step_of(hint_); }

SyncStep StreamSync::step_of(std::unique_ptr<Run>& run) {
  if (applying_) {
    if (const auto sent = sink_.commit_again(); !sent) return {SyncStep::Kind::blocked, std::nullopt, sent.error().text()};
    apply();
    return {};
  }
  if (!run) return {SyncStep::Kind::finished, std::nullopt, ""};
  return turn(run);
}

// One question, or one commit.
SyncStep StreamSync::turn(std::unique_ptr<Run>& run) {
  if (run->stage() == Stage::fetch && !run->open_slice_added) add_open_slice(*run);
  if (run->stage() == Stage::fetch) {
    const bool holds_back = guarded() && !(run->permit && run->permit->many);
    if (run->put.size() >= (holds_back ? options_.documents_max : options_.documents_in_portion)) {
      if (!holds_back) return commit(*run, std::nullopt);
      return hold(run, "the sync would change more than " + std::to_string(options_.documents_max) + " " + std::string(word(stream_.name)) +
                           "; nothing of it was taken over. If the ERP was changed on purpose accept, else reject",
                  true);
    }
    if (run->dirty.empty()) run->next_stage();
  }
  if (run->stage() == Stage::confirm && run->suspects.empty()) run->next_stage();
  if (run->stage() == Stage::judge) return judge(run);

  const PageQuestion question = question_of(*run);
  Remotely<Page> answer = remote_.ask(stream_, question);
  const outbound::CallCount cost = remote_.cost();
  run->report.calls += cost.calls;
  run->report.bytes += cost.bytes;
  run->answer_bytes = cost.bytes;

  if (auto* error = std::get_if<RemoteError>(&answer)) {
    if (error->kind == RemoteErrorKind::refused) return refuse_question(run, question, std::move(*error));
    if (error->kind == RemoteErrorKind::too_slow) return slow_down(run, question, std::move(*error));
    return fail_run(run, std::move(*error));
  }
  run->slow_in_a_row = 0;
  if (auto wrong = take_page(*run, question, std::move(std::get<Page>(answer)))) return fail_run(run, std::move(*wrong));
  // A page of the first sync is committed at once, with the cursor behind it.
  if (run->stages[0] == Stage::backfill && run->at <= 1 && question.kind == PageQuestion::Kind::documents &&
      persisted_.phase == SyncState::Phase::backfill)
    return commit(*run, run->next);
  return {};
}

// The other side does not understand: that question is not asked again.
SyncStep StreamSync::refuse_question(std::unique_ptr<Run>& run, const PageQuestion& question, RemoteError error) {
  using Kind = PageQuestion::Kind;
  const auto remember = [&](std::string_view what) {
    if (!refused(what)) live_.refused.emplace_back(what);
    run->next.refused = live_.refused;
  };
  switch (question.kind) {
    case Kind::moving:
      scan_in_two(*run);
      return {};
    case Kind::open:
    case Kind::changed:
      remember(refusable(question.kind));
      run->next_stage();
      return {};
    case Kind::slice:
      remember("slice");  // then by whole rows
      run->scanning = false;
      return {};
    case Kind::documents:
      if (!question.documents_since || refused("window")) break;
      remember("window");  // then all of them
      return {};
    case Kind::fetch:
      if (fetch_page_.is_least()) break;
      fetch_page_.slow();
      return {};
  }
  error.text = std::string(word(stream_.name)) + " cannot be read: " + error.text;
  return fail_run(run, std::move(error));
}

// The other side has no words for both at once, or does not say of each row whether it is open.
void StreamSync::scan_in_two(Run& run) {
  if (!refused("moving")) live_.refused.emplace_back(refusable(PageQuestion::Kind::moving));
  run.next.refused = live_.refused;
  const auto here = run.stages.begin() + static_cast<std::ptrdiff_t>(run.at);
  *here = Stage::open;
  run.stages.insert(here + 1, Stage::changed);
  run.begin_stage();
}

SyncStep StreamSync::slow_down(std::unique_ptr<Run>& run, const PageQuestion& question, RemoteError error) {
  using Kind = PageQuestion::Kind;
  PageSize& page = question.kind == Kind::documents ? documents_page_ : question.kind == Kind::fetch ? fetch_page_ : keys_page_;
  const bool was_least = page.is_least();
  page.slow();
  if (was_least || ++run->slow_in_a_row >= slow_answers_max) return fail_run(run, std::move(error));
  return {};
}

SyncStep StreamSync::fail_run(std::unique_ptr<Run>& run, RemoteError error) {
  note_run(*run, "failed", error.text);
  run.reset();
  SyncStep step;
  step.kind = SyncStep::Kind::failed;
  step.text = error.text;
  step.error = std::move(error);
  return step;
}

void StreamSync::note_run(Run& run, std::string outcome, std::string message) {
  run.report.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - run.report.started);
  run.report.outcome = std::move(outcome);
  run.report.message = std::move(message);
  runs_.push_front(run.report);
  const Instant hour_ago = clock_.now() - 1h;
  while (runs_.size() > runs_max || (runs_.size() > 1 && runs_.back().started < hour_ago)) runs_.pop_back();
}

// ---- the guard and the commit

SyncStep StreamSync::judge(std::unique_ptr<Run>& run) {
  if (rules_.watermark_at_end && run->stamp_anywhere) run->next.watermark = run->stamp_anywhere;
  const bool phase_moves = !run->is_hint && run->next.phase != persisted_.phase;
  if (run->put.empty() && run->gone.empty() && !phase_moves) return finish(run);
  const Consequence consequence = consequence_of(*run);
  if (auto why = why_held(options_.guard, word(stream_.name), consequence); why && !(run->permit && permitted(*run->permit, consequence)))
    return hold(run, std::move(*why), false);
  return commit(*run, run->is_hint ? std::nullopt : std::optional(run->next));
}

// Not much more than what was shown: the ERP goes on while a person thinks.
bool StreamSync::permitted(const Permit& permit, const Consequence& consequence) const {
  const Consequence& shown = permit.consequence;
  const std::uint64_t room = std::max<std::uint64_t>(options_.guard.gone_always, 20);
  if (permit.many) return true;
  if (consequence.gone > shown.gone + room || consequence.closed > shown.closed + room) return false;
  return std::ranges::all_of(consequence.totals, [&](const auto& total) {
    const auto seen = shown.totals.find(total.first);
    Consequence::Total since = total.second;
    if (seen != shown.totals.end()) since.before = seen->second.after;
    return !moves_too_far(options_.guard, since);
  });
}

Consequence StreamSync::consequence_of(const Run& run) const {
  Consequence answer;
  answer.rows_before = ledger_.rows();
  answer.open_before = ledger_.rows_open();
  for (const auto& [currency, total] : ledger_.open_totals()) answer.totals[currency] = {total, total, 0};
  const auto move = [&](const LedgerRow& row, std::int64_t sign, std::map<Currency, std::int64_t>& moved) {
    if (row.open && !row.gone_at && !row.open_amount.currency.empty()) moved[row.open_amount.currency] += sign * row.open_amount.minor;
  };
  const auto count = [&](const std::optional<LedgerRow>& before, const LedgerRow& after) {
    std::map<Currency, std::int64_t> moved;
    if (before) move(*before, -1, moved);
    move(after, 1, moved);
    for (const auto& [currency, difference] : moved) {
      if (difference == 0) continue;
      answer.totals[currency].after += difference;
      ++answer.totals[currency].changed;
    }
  };
  for (const auto& [key, put] : run.put) {
    count(put.before, put.row);
    if (put.before && !put.before->gone_at && put.before->open && !put.row.open) ++answer.closed;
  }
  for (const auto& [key, row] : run.gone) {
    count(ledger_.find(key), row);
    ++answer.gone;
  }
  return answer;
}

SyncStep StreamSync::hold(std::unique_ptr<Run>& run, std::string why, bool many) {
  ingest::HeldSync shown;
  const Consequence consequence = consequence_of(*run);
  shown.stream = word(stream_.name);
  shown.since = held_ ? held_->shown.since : clock_.now();
  shown.why = why;
  shown.rows_before = consequence.rows_before;
  shown.rows_gone = consequence.gone;
  shown.rows_closed = consequence.closed;
  for (const auto& [currency, total] : consequence.totals) shown.totals.push_back({currency.code(), total.before, total.after});
  const auto example = [&](const Key& key, const LedgerRow& row, std::string what) {
    SyncSink::Face face = sink_.face(stream_, key, row);
    shown.examples.push_back({key_text(key), std::move(face.number), std::move(face.customer), std::move(what)});
  };
  for (const auto& [key, row] : run->gone)
    if (shown.examples.size() < examples_max) example(key, *ledger_.find(key), "gone");
  for (const auto& [key, put] : run->put) {
    if (shown.examples.size() >= examples_max) break;
    if (!put.before || put.before->gone_at || !put.before->open) continue;
    if (!put.row.open) {
      example(key, *put.before, "closed");
    } else if (put.before->open_amount != put.row.open_amount) {
      example(key, *put.before, "open amount " + decimal_text(put.before->open_amount) + " -> " + decimal_text(put.row.open_amount));
    }
  }
  note_run(*run, "held", why);
  held_ = std::make_unique<Held>();
  held_->shown = std::move(shown);
  held_->permit = {consequence, many, run->everything};
  run.reset();
  return {SyncStep::Kind::held, std::nullopt, std::move(why)};
}

SyncStep StreamSync::commit(Run& run, std::optional<SyncState> state) {
  Applying applying;
  applying.run = &run;
  applying.put = run.put.size();
  applying.gone = run.gone.size();
  SyncBatch batch;
  for (auto& [key, put] : run.put) {
    applying.rows.emplace_back(key, put.row);
    batch.put.push_back(std::move(put));
  }
  for (const auto& [key, row] : run.gone) {
    applying.rows.emplace_back(key, row);
    batch.gone.push_back({key, row});
  }
  run.put.clear();
  run.gone.clear();
  if (state && documents_page_.now() != stream_.page_of_documents)
    state->page_of_documents = static_cast<std::uint32_t>(documents_page_.now());
  if (state) applying.state = state;
  if (state && *state != persisted_) batch.state = std::move(state);
  applying_ = std::make_unique<Applying>(std::move(applying));
  if (const auto sent = sink_.commit(stream_, std::move(batch)); !sent) return {SyncStep::Kind::blocked, std::nullopt, sent.error().text()};
  apply();
  return {};
}

void StreamSync::apply() {
  std::set<Key> keys;
  for (const auto& [key, row] : applying_->rows) {
    ledger_.put(key, row);
    keys.insert(key);
  }
  Run& run = *applying_->run;
  run.report.rows_written += applying_->put;
  run.report.rows_gone += applying_->gone;
  if (applying_->state) {
    live_ = persisted_ = *applying_->state;
    run.next = live_;
  }
  if (run.is_hint) forget_in(main_.get(), keys);
  applying_.reset();
}

// What a hint just read is newer than what a sync that runs beside it collected.
void StreamSync::forget_in(Run* run, const std::set<Key>& keys) {
  if (run == nullptr) return;
  for (const Key& key : keys) {
    run->put.erase(key);
    run->gone.erase(key);
    run->suspects.erase(key);
    run->dirty.erase(key);
  }
}

SyncStep StreamSync::finish(std::unique_ptr<Run>& run) {
  const Instant now = clock_.now();
  note_run(*run, "good", "");
  if (run->is_hint) {
    forget_in(main_.get(), run->looked_at);
  } else {
    last_good_ = now;
    as_of_ = run->began;
    run->next.refused = live_.refused;
    live_ = run->next;
    if (!run->proves.empty()) verified_as_of_ = run->began, verified_by_ = run->proves;
    if (run->round_began) {
      if (run->unproven) round_is_whole_ = false;
      round_keys_ += run->keys_proven;
      round_started_ = run->round_began;
    }
    if (run->round_finished) {
      if (round_is_whole_) verified_as_of_ = round_started_, verified_by_ = "full round";
      round_started_.reset();
      round_keys_ = 0;
    }
    held_.reset();
  }
  run.reset();
  return {SyncStep::Kind::finished, std::nullopt, ""};
}

ingest::StreamStatus StreamSync::status() const {
  ingest::StreamStatus answer;
  answer.name = word(stream_.name);
  answer.phase = live_.phase == SyncState::Phase::backfill && !stream_.read_whole ? "first sync" : "following";
  answer.rows = ledger_.rows();
  answer.rows_open = ledger_.rows_open();
  answer.last_good = last_good_;
  answer.verified_as_of = verified_as_of_;
  answer.verified_by = verified_by_;
  if (round_keys_ > 0 && ledger_.rows() > 0)
    answer.verified_share = std::min(1.0, static_cast<double>(round_keys_) / static_cast<double>(ledger_.rows()));
  if (main_) {
    const bool first = answer.phase == "first sync";
    answer.progress_done = first ? ledger_.rows() : main_->fetched;
    answer.progress_total = first ? 0 : main_->fetched + main_->dirty.size();
  }
  answer.runs.assign(runs_.begin(), runs_.end());
  return answer;
}

}  // namespace millrace::erp
