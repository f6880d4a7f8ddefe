// Who of our threads runs first when there are fewer processors than work: wishes to the kernel, of the calling thread.
//
// Invariants
//   * They change when something runs, never what it does. A kernel that does not know or allow a wish is left alone.
#pragma once

namespace millrace {

// For threads that answer people: they do little at once and are to begin when they have something to do. Their turns are
// short, and Linux (6.12 and newer) lets a short turn go before the rest of a long one.
void begin_soon();

// For work that nobody waits for: it takes what others leave, and still a share when they leave nothing. For good.
void let_others_first();

// Between the steps of long work, as often as you like: after a third of a millisecond of it whoever waits for the
// processor has a turn. Where the kernel lets a thread run on to its next tick, those who answer would wait for that.
void give_turn();

}  // namespace millrace
