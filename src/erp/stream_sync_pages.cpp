// The questions of a sync and what is made of their answers.
#include <algorithm>
#include <cmath>

#include "base/turns.h"
#include "domain/order_rules.h"
#include "erp/internal/stream_sync_run.h"
#include "erp/stream_sync.h"

namespace millrace::erp {
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t day_seconds = 86'400;
// Clocks of the world are at most so far from UTC: 12 hours behind, 14 ahead.
constexpr std::int64_t zone_behind_max = 12 * 3600, zone_ahead_max = 14 * 3600;
// Every time zone is a multiple of this away from UTC.
constexpr std::int64_t zone_grain = 15 * 60;
constexpr std::int64_t hot_seconds = 2;
constexpr std::int64_t minute_seconds = 60;
// The watermark stays so far behind what was seen: a row that was read while hot is listed by the next scan again,
// and read again, for its ledger row has no stamp. Longer than anything stays hot, and more than enough for a `Date` cut to seconds.
constexpr std::int64_t watermark_behind_min = 2 * minute_seconds;
static_assert(watermark_behind_min > hot_seconds + minute_seconds + 1);
constexpr auto open_rows_read_within = 1h;

std::int64_t seconds_of(const RemoteStamp& stamp) { return stamp.day * day_seconds + stamp.seconds; }
RemoteStamp stamp_of(std::int64_t seconds) {
  const std::int64_t day = seconds >= 0 ? seconds / day_seconds : -((-seconds + day_seconds - 1) / day_seconds);
  return {static_cast<std::int32_t>(day), static_cast<std::int32_t>(seconds - day * day_seconds)};
}
std::int64_t utc_seconds_of(Instant instant) { return std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()).count(); }

// Stamped so shortly before it was read that the row may change once more under the same stamp. The stamp's zone is not
// known, but it is whole quarters of an hour away; a stamp without seconds stands for its whole minute; the row was read
// at `page.server_time` or up to its span later.
bool is_hot(const RemoteStamp& stamp, const Page& page) {
  const std::int64_t grain = stamp.seconds % minute_seconds == 0 ? minute_seconds : 1;
  std::int64_t age = (utc_seconds_of(*page.server_time) - seconds_of(stamp)) % zone_grain;
  if (age < 0) age += zone_grain;
  return age <= hot_seconds + grain || age >= zone_grain - hot_seconds - page.server_time_span.count();
}

RemoteError corrupt(const StreamDescriptor& stream, std::string_view what) {
  return {RemoteErrorKind::corrupt_page, "an answer about " + std::string(word(stream.name)) + " " + std::string(what) +
                                             "; nothing of it was used, the next sync asks again"};
}

}  // namespace

// ---- questions

// Slices are read whole where keys would prove nothing: no version and no stamp to compare.
bool StreamSync::slice_by_documents() const {
  return stream_.version == Version::hash || refused("slice") || (stream_.stamp == StampKind::none && !scans_have_versions_ && live_.epoch > 0);
}

PageQuestion StreamSync::documents_question(const Run& run) const {
  PageQuestion question;
  question.kind = PageQuestion::Kind::documents;
  question.after_key = run.cursor;
  question.rows_max = documents_page_.now();
  if (windowed() && !refused("window") && run.stage() == Stage::backfill)
    question.documents_since = RemoteStamp{day_number(utc_day(clock_.now())) - options_.first_sync_days, 0};
  return question;
}

PageQuestion StreamSync::fetch_question(Run& run) const {
  PageQuestion question;
  question.kind = PageQuestion::Kind::fetch;
  std::size_t room = fetch_page_.now();
  if (run.stage() == Stage::confirm) {
    // Rows that are surely there stand beside those in doubt: an answer without any of them proves nothing.
    std::vector<Key> witnesses(run.witnesses.begin(), run.witnesses.end());
    std::erase_if(witnesses, [&](const Key& key) { return run.suspects.contains(key) || run.gone.contains(key); });
    if (witnesses.empty())
      ledger_.each_alive(std::nullopt, std::nullopt, [&](const Key& key, bool) {
        if (!run.suspects.contains(key) && !run.gone.contains(key)) witnesses.push_back(key);
        return witnesses.size() < Run::witnesses_max;
      });
    run.witnesses.assign(witnesses.begin(), witnesses.end());
    room = std::max<std::size_t>(1, room - std::min(room, witnesses.size()));
    for (const Key& key : run.suspects) {
      if (room-- == 0) break;
      question.keys.push_back(key);
    }
    for (const Key& key : witnesses)
      if (std::ranges::find(question.keys, key) == question.keys.end()) question.keys.push_back(key);
    std::ranges::sort(question.keys);
  } else {
    for (const auto& [key, dirty] : run.dirty) {
      if (room-- == 0) break;
      question.keys.push_back(key);
    }
  }
  question.rows_max = question.keys.size();
  return question;
}

RemoteStamp StreamSync::scan_since() const {
  const RemoteStamp since = live_.watermark.value_or(RemoteStamp{});
  if (rules_.exclusive_watermark) return stamp_of(seconds_of(since) + (stream_.stamp == StampKind::day_and_time ? 60 : 1));
  if (options_.recent_days > 0 && guarded()) return std::min(since, RemoteStamp{since.day - options_.recent_days, 0});
  return since;
}

PageQuestion StreamSync::question_of(Run& run) {
  if (run.stage() == Stage::fetch || run.stage() == Stage::confirm) return fetch_question(run);
  if (!run.scanning) {
    run.scanning = true;
    run.scan_started = clock_.now();
    if (run.stage() == Stage::backfill) run.cursor = live_.cursor;
    if (run.stage() == Stage::tail) run.cursor = ledger_.greatest();
    if (run.stage() == Stage::slice) {
      run.cursor = live_.slice_cursor;
      if (!run.cursor) round_is_whole_ = true, round_keys_ = 0, round_seen_.clear();
      run.round_began = run.cursor && round_started_ ? round_started_ : run.scan_started;
      const double share = std::min(1.0, static_cast<double>(run.interval.count()) / static_cast<double>(std::chrono::seconds(1h).count()));
      run.slice_left = slice_by_documents()
                           ? std::max(documents_page_.now(), static_cast<std::size_t>(std::ceil(share * static_cast<double>(ledger_.rows()))))
                           : options_.slice_keys;
    }
  }
  PageQuestion question = documents_question(run);
  question.rows_max = keys_page_.now();
  switch (run.stage()) {
    case Stage::open: question.kind = PageQuestion::Kind::open; break;
    case Stage::changed:
    case Stage::moving:
      question.kind = run.stage() == Stage::moving ? PageQuestion::Kind::moving : PageQuestion::Kind::changed;
      question.since = scan_since();
      break;
    case Stage::slice:
      if (!slice_by_documents()) question.kind = PageQuestion::Kind::slice;
      question.rows_max = std::min(run.slice_left, slice_by_documents() ? documents_page_.now() : keys_page_.now());
      break;
    default: question.rows_max = documents_page_.now(); break;
  }
  if (rules_.page_by_position && run.stage() != Stage::slice) {
    question.after_key.reset();
    question.skip = run.position;
  }
  return question;
}

// ---- answers

std::optional<RemoteError> StreamSync::check_page(Run& run, const PageQuestion& question, const Page& page) {
  if (!page.complete && page.rows.empty()) return corrupt(stream_, "says that more follows but brings nothing");
  const bool is_fetch = question.kind == PageQuestion::Kind::fetch;
  const Key* last = question.after_key ? &*question.after_key : nullptr;
  for (const RemoteRow& row : page.rows) {
    const bool seen = run.seen.contains(row.key) && !rules_.page_by_position;  // who counts rows sees some twice
    const bool again = own_order() && !is_fetch ? seen : last != nullptr && row.key <= *last;
    if (again || (last != nullptr && row.key == *last)) return corrupt(stream_, "is not in the order of its keys, or names one twice");
    if (is_fetch && !std::ranges::binary_search(question.keys, row.key)) return corrupt(stream_, "brings a record that was not asked for");
    last = &row.key;
  }
  return std::nullopt;
}

std::optional<RemoteError> StreamSync::take_page(Run& run, const PageQuestion& question, Page page) {
  if (auto wrong = check_page(run, question, page)) return wrong;
  run.report.rows_read += page.rows.size();
  using Kind = PageQuestion::Kind;
  if (question.kind == Kind::fetch) {
    fetch_page_.good();
  } else {
    const bool full = page.rows.size() == question.rows_max;
    (question.kind == Kind::documents ? documents_page_ : keys_page_).good(full ? run.answer_bytes : 0);
  }
  if (rules_.watermark_at_end)
    for (const RemoteRow& row : page.rows) run.stamp_anywhere = std::max(run.stamp_anywhere, row.stamp);
  if (run.stage() == Stage::confirm) return take_confirmed(run, question, page);
  if (question.kind == Kind::fetch) {
    take_fetched(run, question, page);
    return std::nullopt;
  }
  if (run.stage() == Stage::moving && std::ranges::any_of(page.rows, [](const RemoteRow& row) { return !row.open; })) {
    scan_in_two(run);
    return std::nullopt;
  }
  take_scan(run, question, page);
  return std::nullopt;
}

// The scan stands behind this page. Answers whether it goes on; then its next page is on its way while this one is
// worked on.
bool StreamSync::move_on(Run& run, const Page& page) {
  if (!page.rows.empty()) run.cursor = page.rows.back().key;
  run.position += page.rows.size();
  if (run.stage() == Stage::slice) run.slice_left -= std::min(run.slice_left, page.rows.size());
  const bool more = !page.complete && (run.stage() != Stage::slice || run.slice_left > 0);
  if (more) remote_.ask_ahead(stream_, question_of(run));
  return more;
}

void StreamSync::take_scan(Run& run, const PageQuestion& question, const Page& page) {
  const Stage stage = run.stage();
  const bool whole = question.kind == PageQuestion::Kind::documents;
  if (stage == Stage::backfill) note_first_watermark(run, page);
  const std::optional<Key> before = run.cursor;
  const bool more = move_on(run, page);
  for (const RemoteRow& row : page.rows) {
    run.answered(row.key);
    if (whole) {
      take_document(run, row, page);
    } else {
      compare_key(run, row, stage);
    }
  }
  if (own_order()) note_seen(run, page);
  const bool open_only = stage == Stage::open || stage == Stage::moving;
  if (open_only || stage == Stage::slice || stage == Stage::whole) mark_absent(run, before, page, open_only);
  if (stage == Stage::slice) {
    run.keys_proven += page.rows.size();
    if (!whole && run.rows_without_version) run.unproven = true;
    run.next.slice_cursor = page.complete ? std::nullopt : run.cursor;
    if (page.complete) run.round_finished = true, ++run.next.epoch;
    if (!more) run.next_stage();
    return;
  }
  if (stage == Stage::backfill) {
    run.next.cursor = page.complete ? std::nullopt : run.cursor;
    if (page.complete) run.next.phase = SyncState::Phase::following;
  }
  if ((stage == Stage::changed || stage == Stage::moving) && page.complete) note_watermark(run, page);
  if (page.complete) finish_stage(run);
}

void StreamSync::finish_stage(Run& run) {
  if (run.stage() == Stage::whole) run.proves = "whole read", run.next.phase = SyncState::Phase::following;
  if (run.stage() == Stage::backfill && run.report.rows_read >= ledger_.rows()) run.proves = "first sync";
  run.next_stage();
}

// Before the first page there is nothing to lose; what changes while the pages come is found from here on.
void StreamSync::note_first_watermark(Run& run, const Page& page) {
  if (run.next.watermark || stream_.stamp == StampKind::none) return;
  const std::int64_t zone = stream_.stamp == StampKind::instant ? 0 : zone_behind_max;
  const std::int64_t overlap = std::chrono::seconds(options_.overlap).count();
  run.next.watermark = stamp_of(utc_seconds_of(page.server_time.value_or(run.scan_started - 24h)) - zone - overlap);
}

// Everything stamped before the scan began was either shown or is found by the next one. A stamp from the future (a
// wrong clock at a desk) must not hide what comes until then.
void StreamSync::note_watermark(Run& run, const Page& page) {
  if (!run.stamp_seen) return;
  const auto took = std::chrono::ceil<std::chrono::seconds>(clock_.now() - run.scan_started);
  std::int64_t mark = seconds_of(*run.stamp_seen);
  const std::int64_t behind = std::max<std::int64_t>(std::chrono::seconds(options_.overlap).count(), watermark_behind_min);
  if (!rules_.exclusive_watermark) mark -= took.count() + behind;
  const std::int64_t ahead = stream_.stamp == StampKind::instant ? 0 : zone_ahead_max;
  mark = std::min(mark, utc_seconds_of(page.server_time.value_or(clock_.now())) + ahead);
  const RemoteStamp stamp = stamp_of(mark);
  if (!run.next.watermark || *run.next.watermark < stamp) run.next.watermark = stamp;
}

bool StreamSync::differs(const LedgerRow& held, const RemoteRow& row) const {
  if (held.gone_at) return true;
  if (row.open && *row.open != held.open) return true;
  if (!row.version.empty()) return version_hash(row.version) != held.version_hash;
  return row.stamp && held.stamp != row.stamp;
}

void StreamSync::compare_key(Run& run, const RemoteRow& row, Stage stage) {
  if (stage == Stage::changed || stage == Stage::moving) run.stamp_seen = std::max(run.stamp_seen, row.stamp);
  if (row.version.empty()) {
    run.rows_without_version = true;
  } else {
    scans_have_versions_ = true;
  }
  const auto held = ledger_.find(row.key);
  if (!held && windowed() && stage == Stage::slice) {
    // Closed before the first sync's window: not ours to hold, until it changes.
    const bool recent = row.stamp && live_.watermark && *row.stamp >= *live_.watermark;
    if (!row.open.value_or(!row.stamp) && !recent) return;
  }
  RemoteRow seen{row.key, row.version, row.stamp, row.open, ""};
  if (stage == Stage::open) seen.open = true;
  if (!held || differs(*held, seen)) run.dirty[row.key].version = version_hash(row.version);
}

// Of the round while it is whole: a slice that is cut off by a failed sync is shown again.
std::set<Key>& StreamSync::seen_by(Run& run) { return run.stage() == Stage::slice ? round_seen_ : run.seen; }

void StreamSync::note_seen(Run& run, const Page& page) {
  for (const RemoteRow& row : page.rows) {
    run.seen.insert(row.key);
    if (run.stage() == Stage::slice && round_is_whole_) round_seen_.insert(row.key);
  }
}

void StreamSync::mark_absent_one(Run& run, const Key& key) {
  if (rules_.tombstone_on_absence) {
    mark_gone(run, key);
  } else {
    run.dirty.try_emplace(key);
  }
}

// What we hold of the range of a page and the page does not show. Where the other side has an order of its own there
// are no ranges: then of the whole scan, at its end.
void StreamSync::mark_absent(Run& run, const std::optional<Key>& after, const Page& page, bool open_only) {
  if (own_order()) {
    if (!page.complete || (run.stage() == Stage::slice && !round_is_whole_)) return;
    const std::set<Key>& seen = seen_by(run);
    ledger_.each_alive(std::nullopt, std::nullopt, [&](const Key& key, bool open) {
      if ((open || !open_only) && !seen.contains(key)) mark_absent_one(run, key);
      return true;
    });
    return;
  }
  const auto upto = page.complete ? std::nullopt : std::optional(page.rows.back().key);
  auto row = page.rows.begin();
  ledger_.each_alive(after, upto, [&](const Key& key, bool open) {
    if (open_only && !open) return true;
    while (row != page.rows.end() && row->key < key) ++row;
    if (row == page.rows.end() || row->key != key) mark_absent_one(run, key);
    return true;
  });
}

void StreamSync::mark_gone(Run& run, const Key& key) {
  auto row = ledger_.find(key);
  if (!row || row->gone_at) return;
  row->gone_at = clock_.now();
  run.put.erase(key);
  run.gone[key] = std::move(*row);
}

// Where no version tells, open rows are read whole in turn, all of them within an hour.
void StreamSync::add_open_slice(Run& run) {
  run.open_slice_added = true;
  if (!guarded() || scans_have_versions_ || !run.rows_without_version || ledger_.rows_open() == 0) return;
  const double share = static_cast<double>(run.interval.count()) / static_cast<double>(std::chrono::seconds(open_rows_read_within).count());
  std::size_t left = std::max(stream_.keys_in_one_fetch, static_cast<std::size_t>(std::ceil(share * static_cast<double>(ledger_.rows_open()))));
  std::optional<Key> last;
  ledger_.each_alive(open_slice_cursor_, std::nullopt, [&](const Key& key, bool open) {
    if (!open) return true;
    run.dirty.try_emplace(key);
    last = key;
    return --left > 0;
  });
  open_slice_cursor_ = left == 0 ? last : std::nullopt;
}

// ---- whole rows

void StreamSync::take_fetched(Run& run, const PageQuestion& question, const Page& page) {
  for (const RemoteRow& row : page.rows) {
    take_document(run, row, page);
    run.answered(row.key);
    run.dirty.erase(row.key);
    ++run.fetched;
  }
  if (!page.complete) return;  // the rest is asked for again
  for (const Key& key : question.keys) {
    if (run.dirty.erase(key) == 0) continue;
    if (ledger_.alive(key)) run.suspects.insert(key);
    ++run.fetched;
  }
}

std::optional<RemoteError> StreamSync::take_confirmed(Run& run, const PageQuestion& question, const Page& page) {
  const auto is_witness = [&](const Key& key) { return std::ranges::find(run.witnesses, key) != run.witnesses.end(); };
  const bool asked_any = std::ranges::any_of(question.keys, is_witness);
  const bool saw_any = std::ranges::any_of(page.rows, [&](const RemoteRow& row) { return is_witness(row.key); });
  if (page.complete && asked_any && !saw_any)
    return corrupt(stream_, "leaves out records that were there a moment ago, so it does not prove that others are gone");
  for (const RemoteRow& row : page.rows)
    if (run.suspects.erase(row.key) > 0) take_document(run, row, page);
  if (!page.complete) return std::nullopt;
  for (const Key& key : question.keys)
    if (run.suspects.erase(key) > 0) mark_gone(run, key);
  return std::nullopt;
}

LedgerRow StreamSync::row_of(const Run& run, const RemoteRow& row, const Mapped& mapped, const std::optional<LedgerRow>& before,
                             const Page& page) const {
  LedgerRow now;
  // The version that made it dirty is the older one: if the row changed since, the next scan sees it.
  const auto dirty = run.dirty.find(row.key);
  now.version_hash = dirty != run.dirty.end() && dirty->second.version != 0 ? dirty->second.version : version_hash(row.version);
  now.stamp = row.stamp;
  if (now.version_hash == 0 && row.stamp && page.server_time && is_hot(*row.stamp, page)) now.stamp.reset();
  now.content = mapped.hash;
  now.open = row.open.value_or(mapped.open);
  now.status = mapped.status;
  if (!mapped.document.orders.empty()) {
    const SalesOrder& order = mapped.document.orders.front();
    if (now.open) now.open_amount = {amounts(order).open, order.currency};
  } else if (before && !mapped.document.findings.empty()) {
    // It cannot be read now: its last good content keeps its place.
    now.status = before->status;
    now.open_amount = before->open_amount;
  }
  return now;
}

void StreamSync::take_document(Run& run, const RemoteRow& row, const Page& page) {
  give_turn();
  ++run.report.documents_read;
  if (run.is_hint) run.looked_at.insert(row.key);
  Mapped mapped = map_(stream_, row.document);
  auto before = ledger_.find(row.key);
  LedgerRow now = row_of(run, row, mapped, before, page);
  run.gone.erase(row.key);
  run.put.erase(row.key);
  const auto dirty = run.dirty.find(row.key);
  const bool anyway = dirty != run.dirty.end() && dirty->second.anyway;
  const bool as_held = before && !before->gone_at && before->open == now.open && before->status == now.status;
  // The hash has the names of manufacturers in it, and names change without the order: a closed one keeps those of its time.
  const bool names_only = as_held && before->content != now.content && (before->content == content_unknown || !now.open) &&
                          sink_.holds(stream_, row.key, *before, mapped);
  const bool equal = names_only || (as_held && before->content == now.content);
  if (equal && !anyway) {
    now.open_amount = before->open_amount;
    ledger_.put(row.key, now);
    return;
  }
  run.put.emplace(row.key, RowPut{row.key, std::move(now), std::move(before), std::move(mapped), row.stamp, row.document.size()});
}

}  // namespace millrace::erp
