#include "jobs/schedules.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "jobs/internal/spaces.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t version = 1;
constexpr std::size_t name_bytes_max = 60;
constexpr auto clock_set_back = 24h;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::string encode(const Schedule& schedule) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(version);
  for (const std::string* text : {&schedule.name, &schedule.kind, &schedule.payload, &schedule.timing, &schedule.created_by, &schedule.last_job}) out.text(*text);
  out.signed_varint(schedule.priority);
  out.u8(schedule.enabled ? 1 : 0);
  out.signed_varint(schedule.since.time_since_epoch().count());
  out.u8(schedule.last_due ? 1 : 0);
  out.signed_varint(schedule.last_due.value_or(Instant{}).time_since_epoch().count());
  out.varint(schedule.turns);
  out.varint(schedule.skipped);
  return bytes;
}

Result<Schedule> decode_schedule(std::string_view bytes) {
  ByteReader in(bytes);
  Schedule schedule;
  if (in.varint() != version) return fail(ErrorCode::corrupt, "a schedule of the record was written by another version; use the version that wrote it");
  for (std::string* text : {&schedule.name, &schedule.kind, &schedule.payload, &schedule.timing, &schedule.created_by, &schedule.last_job}) *text = in.text();
  schedule.priority = static_cast<std::int32_t>(in.signed_varint());
  schedule.enabled = in.u8() != 0;
  schedule.since = Instant(std::chrono::milliseconds(in.signed_varint()));
  const bool had_turn = in.u8() != 0;
  const Instant last(std::chrono::milliseconds(in.signed_varint()));
  if (had_turn) schedule.last_due = last;
  schedule.turns = in.varint();
  schedule.skipped = in.varint();
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "a schedule of the record is damaged; restore the last backup");
  return schedule;
}

Result<std::unique_ptr<Schedules>> Schedules::open(store::Record& record, Queue& queue, const Clock& clock, Zone zone) {
  std::unique_ptr<Schedules> schedules(new Schedules(record, queue, clock, zone));
  Result<void> readable;
  const auto read = record.kept(std::string(schedule_space), [&](const store::KeptRow& row) {
    auto schedule = decode_schedule(row.content);
    auto entry = schedule ? schedules->entry_of(std::move(*schedule)) : Result<Entry>(pass_on(schedule));
    if (entry) schedules->entries_.insert_or_assign(row.key, std::move(*entry));
    else readable = pass_on(entry, "schedule " + row.key);
    return readable.has_value();
  });
  if (read && readable) return schedules;
  if (record.condition().state != store::RecordCondition::State::damaged) return read ? pass_on(readable) : pass_on(read);
  schedules->entries_.clear();  // nothing could be written at their turn
  return schedules;
}

Result<Schedules::Entry> Schedules::entry_of(Schedule schedule) const {
  auto timing = Timing::parse(schedule.timing);
  if (!timing) return pass_on(timing);
  Entry entry{std::move(schedule), std::move(*timing), {}, ""};
  if (entry.schedule.enabled) entry.next = entry.timing.next_after(entry.schedule.last_due.value_or(entry.schedule.since), zone_);
  return entry;
}

ScheduleStatus Schedules::status_of(const Entry& entry) const { return {entry.schedule, zone_.name(), entry.next}; }

std::vector<ScheduleStatus> Schedules::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ScheduleStatus> found;
  for (const auto& [name, entry] : entries_) found.push_back(status_of(entry));
  return found;
}

std::vector<Schedules::Entry> Schedules::due(Instant now) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> found;
  for (auto& [name, entry] : entries_) {
    const Instant from = entry.schedule.last_due.value_or(entry.schedule.since);
    if (entry.schedule.enabled && from > now + clock_set_back) {
      entry.schedule.last_due = now;
      entry.next = entry.timing.next_after(now, zone_);
    }
    if (entry.next && *entry.next <= now) found.push_back(entry);
  }
  return found;
}

Result<void> Schedules::take_turn(Entry entry, Instant now) {
  Schedule& schedule = entry.schedule;
  NewJob wish;
  wish.kind = schedule.kind;
  wish.payload = schedule.payload;
  wish.priority = schedule.priority;
  wish.created_by = schedule.created_by;
  wish.schedule = schedule.name;
  store::Batch batch;
  batch.source = "jobs";
  auto pending = queue_.enqueue(batch, std::move(wish));
  if (!pending) return pass_on(pending);
  schedule.last_due = entry.timing.taken(*entry.next, now);
  schedule.last_job = pending->enqueued().id;
  ++(pending->enqueued().existing ? schedule.skipped : schedule.turns);
  batch.kept_put.push_back({std::string(schedule_space), schedule.name, encode(schedule)});
  if (const auto committed = record_.commit(std::move(batch)); !committed) return pass_on(committed);
  pending->committed();
  entry.next = entry.timing.next_after(*schedule.last_due, zone_);
  entry.told.clear();
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(schedule.name, entry);
  return {};
}

std::size_t Schedules::step() {
  const std::lock_guard writer(writing_);
  const Instant now = clock_.now();
  std::size_t made = 0;
  for (Entry& entry : due(now)) {
    const std::string name = entry.schedule.name;
    const auto done = take_turn(std::move(entry), now);
    if (done) {
      ++made;
      continue;
    }
    // It stays due and is tried again; the log hears of each reason once.
    const std::lock_guard lock(mutex_);
    std::string& told = entries_.at(name).told;
    if (told != done.error().text()) log_warning("schedule_not_taken", {{"schedule", name}, {"reason", done.error().text()}});
    told = done.error().text();
  }
  return made;
}

Result<ScheduleStatus> Schedules::put(Schedule schedule) {
  if (!is_name(schedule.name))
    return fail(ErrorCode::invalid_input, "the name of a schedule has 1 to 60 letters, digits, - and _; \"" + printable(schedule.name.substr(0, 80)) + "\" is no such name");
  const auto kind = queue_.kind_of(schedule.kind);
  if (!kind) return pass_on(kind);
  if (schedule.payload.size() > payload_bytes_max) return fail(ErrorCode::invalid_input, "the payload of a schedule has at most " + std::to_string(payload_bytes_max) + " bytes");
  if (const auto payload = (*kind)->check(schedule.payload); !payload) return pass_on(payload);
  const std::lock_guard writer(writing_);
  schedule.since = clock_.now();
  schedule.last_due.reset();
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = entries_.find(schedule.name); known != entries_.end()) {
      schedule.turns = known->second.schedule.turns;
      schedule.skipped = known->second.schedule.skipped;
      schedule.last_job = known->second.schedule.last_job;
    } else if (entries_.size() >= schedules_max) {
      return fail(ErrorCode::limit_reached, "there are " + std::to_string(schedules_max) + " schedules, more are not kept; remove one first");
    }
  }
  auto entry = entry_of(std::move(schedule));
  if (!entry) return pass_on(entry);
  store::Batch batch;
  batch.source = "jobs";
  batch.kept_put.push_back({std::string(schedule_space), entry->schedule.name, encode(entry->schedule)});
  if (const auto committed = record_.commit(std::move(batch)); !committed) return pass_on(committed);
  const std::lock_guard lock(mutex_);
  return status_of(entries_.insert_or_assign(entry->schedule.name, *entry).first->second);
}

Result<void> Schedules::remove(const std::string& name) {
  const std::lock_guard writer(writing_);
  {
    const std::lock_guard lock(mutex_);
    if (!entries_.contains(name)) return fail(ErrorCode::not_found, "there is no schedule \"" + printable(name.substr(0, 80)) + "\"");
  }
  store::Batch batch;
  batch.source = "jobs";
  batch.kept_removed.push_back({std::string(schedule_space), name});
  if (const auto committed = record_.commit(std::move(batch)); !committed) return pass_on(committed);
  const std::lock_guard lock(mutex_);
  entries_.erase(name);
  return {};
}

}  // namespace millrace::jobs
