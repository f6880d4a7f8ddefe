// The four mistakes that other syncs make, as switches: for the harness that proves the harness. A harness that
// cannot see these finds nothing. No setting leads here; the defaults are the right ones.
#pragma once

namespace millrace::erp {

struct SyncRules {
  bool page_by_position = false;      // rows are skipped by count: rows that move while paging make gaps
  bool exclusive_watermark = false;   // asks for `>` the greatest stamp seen: the same second is lost
  bool watermark_at_end = false;      // takes the greatest stamp of the whole sync, what was fetched last included
  bool tombstone_on_absence = false;  // what a scan does not show is taken for removed, without asking by key
};

}  // namespace millrace::erp
