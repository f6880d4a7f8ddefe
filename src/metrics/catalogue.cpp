#include "metrics/catalogue.h"

#include <algorithm>

namespace millrace::metrics {
namespace {

using enum MetricType;

// clang-format off
constexpr MetricRow rows[] = {
    {"millrace_apply_seconds", timing, "seconds", "Time to apply one batch of changes to the read model and publish it.", {}},
    {"millrace_build_info", gauge, "", "Always 1; the version of this program is its label.", {"version"}},
    {"millrace_cache_bytes", gauge, "bytes", "Memory held by kept results.", {}},
    {"millrace_cache_hits_total", counter, "requests", "Answers found among the kept results.", {}},
    {"millrace_cache_misses_total", counter, "requests", "Answers that had to be computed.", {}},
    {"millrace_changes_total", counter, "changes", "Changes committed to the record, by kind.", {"kind"}},
    {"millrace_commit_batches_total", counter, "batches", "Batches committed to the record.", {}},
    {"millrace_commit_seconds", timing, "seconds", "Time of one commit to the record, flush to disk included.", {}},
    {"millrace_erp_last_sync_milliseconds", gauge, "milliseconds", "How long the last sync of all streams of an ERP took.", {"source"}},
    {"millrace_erp_last_sync_timestamp_seconds", gauge, "seconds", "When the last sync of an ERP ended, since the epoch.", {"source"}},
    {"millrace_erp_rows_read_total", counter, "rows", "Keys and documents that an ERP answered.", {"source", "stream"}},
    {"millrace_erp_rows_written_total", counter, "rows", "Rows of an ERP that were new, different or gone.", {"source", "stream"}},
    {"millrace_erp_sync_seconds", timing, "seconds", "Time of one sync of one stream of an ERP.", {"source", "stream"}},
    {"millrace_erp_syncs_total", counter, "syncs", "Syncs of a stream of an ERP by how they ended: good, held or failed.", {"outcome", "stream"}},
    {"millrace_erp_verified_age_seconds", gauge, "seconds", "Age of the proof that every order equals the ERP's.", {"source"}},
    {"millrace_file_event_overflows_total", counter, "events", "Times the kernel lost file events, each followed by a full listing.", {"source"}},
    {"millrace_file_events_total", counter, "events", "File events of the watched folders.", {"source"}},
    {"millrace_files_read_total", counter, "files", "Files opened and parsed.", {"source"}},
    {"millrace_files_refused_total", counter, "files", "Files that were read and refused with a reason.", {"source"}},
    {"millrace_files_unchanged_total", counter, "files", "Files found unchanged and not opened again.", {"source"}},
    {"millrace_http_request_duration_seconds", timing, "seconds", "Time from the whole request to the last byte handed to the network.", {"route", "code"}},
    {"millrace_http_requests_total", counter, "requests", "HTTP requests answered.", {"route", "code"}},
    {"millrace_job_deaths_total", counter, "tries", "Tries of jobs that ended with their worker or with the server.", {"kind"}},
    {"millrace_job_seconds", timing, "seconds", "Time of the last try of jobs that ended, by how they ended.", {"kind", "state"}},
    {"millrace_job_tries_total", counter, "tries", "Tries of jobs that began.", {"kind"}},
    {"millrace_job_wait_seconds", timing, "seconds", "Time from the moment a job may run until it does.", {"kind"}},
    {"millrace_live_clients", gauge, "clients", "Connected live clients (WebSocket and server-sent events).", {}},
    {"millrace_live_queue_dropped_total", counter, "messages", "Live messages replaced by a resync because a client was too slow.", {}},
    {"millrace_orders", gauge, "orders", "Orders in the published snapshot.", {}},
    {"millrace_outbound_breaker_state", gauge, "", "0: calls to the source leave; 1: none leaves, it failed too often in a row; 2: one probe is under way.", {"source"}},
    {"millrace_outbound_bytes_total", counter, "bytes", "Bytes that another machine answered, by source and what the calls were for.", {"source", "kind"}},
    {"millrace_outbound_call_seconds", timing, "seconds", "Time of one call to another machine, by what it was for.", {"kind"}},
    {"millrace_outbound_calls_total", counter, "calls", "Calls to other machines, by what they were for and what came of them.", {"kind", "outcome"}},
    {"millrace_parse_seconds", timing, "seconds", "Time to parse one document in a worker.", {"format"}},
    {"millrace_parser_workers_replaced_total", counter, "workers", "Parser workers ended by a deadline, a memory bound or a crash.", {}},
    {"millrace_people_sessions", gauge, "sessions", "Open sessions of people who signed in.", {}},
    {"millrace_people_users", gauge, "users", "Users, active or not.", {}},
    {"millrace_push_batches_total", counter, "batches", "Pushed batches by how they ended: done or failed.", {"source", "state"}},
    {"millrace_push_rows_total", counter, "rows", "Rows of pushed batches: accepted (new or different), unchanged, removed by a snapshot, or rejected.", {"source", "outcome"}},
    {"millrace_push_seconds", timing, "seconds", "Time to read a pushed batch and commit it.", {"source"}},
    {"millrace_queue_depth", gauge, "items", "Items waiting in a bounded queue.", {"queue"}},
    {"millrace_record_condition", gauge, "", "0: the record takes changes; 1: its disk is full; 2: its disk refuses writes; 3: it is damaged.", {}},
    {"millrace_record_memory_bytes", gauge, "bytes", "Memory held by the database library: its pages, at most some 20 MB, and statements.", {}},
    {"millrace_rejections", gauge, "rejections", "Open rejections in the published snapshot.", {}},
    {"millrace_sign_ins_total", counter, "tries", "Tries to sign in by what came of them: good, refused, slowed, busy or failed.", {"outcome"}},
    {"millrace_source_age_seconds", gauge, "seconds", "Age of the last complete look at a source.", {"source"}},
    {"millrace_source_hangs_total", counter, "times", "Times a folder stopped answering for longer than share_patience.", {"source"}},
    {"millrace_warm_start_bytes", gauge, "bytes", "Size of the warm-start file when it was last written.", {}},
    {"millrace_warm_start_refused_total", counter, "files", "Warm-start files that were damaged or not ours: everything was rebuilt from the record.", {"reason"}},
    {"millrace_warm_start_write_failures_total", counter, "writes", "Times the warm-start file could not be written; it is tried again.", {}},
    {"millrace_warm_start_writes_total", counter, "writes", "Times the warm-start file was written.", {}},
    {"process_cpu_seconds_total", counter, "seconds", "User and system CPU time spent by this process.", {}},
    {"process_max_fds", gauge, "descriptors", "Most file descriptors this process may open.", {}},
    {"process_open_fds", gauge, "descriptors", "Open file descriptors of this process.", {}},
    {"process_resident_memory_bytes", gauge, "bytes", "Resident memory of this process.", {}},
    {"process_start_time_seconds", gauge, "seconds", "Start of this process since the epoch.", {}},
    {"process_threads", gauge, "threads", "Threads of this process.", {}},
    {"process_virtual_memory_bytes", gauge, "bytes", "Virtual memory of this process.", {}},
};
// clang-format on

static_assert(std::ranges::is_sorted(rows, {}, &MetricRow::name));

}  // namespace

std::string_view word(MetricType type) {
  switch (type) {
    case counter:
      return "counter";
    case gauge:
      return "gauge";
    case timing:
      return "timing";
  }
  return "";
}

std::span<const MetricRow> catalogue() { return rows; }

const MetricRow* find_row(std::string_view name) {
  const auto* const row = std::ranges::lower_bound(rows, name, {}, &MetricRow::name);
  return row != std::end(rows) && row->name == name ? row : nullptr;
}

}  // namespace millrace::metrics
