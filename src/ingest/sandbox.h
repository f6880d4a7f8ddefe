// The walls around a parser process: what it may use, and how it is started.
//
//   parent                      bubblewrap                          worker
//   socketpair, fd 3  ------>   no network, own PIDs, own /tmp  --> rlimits, no_new_privs, seccomp, then documents
//                               system libraries read-only
//
// Without bubblewrap (no user namespaces, as in our systemd unit) the worker is started directly: it keeps rlimits and
// seccomp, and Landlock (Linux 5.13 and newer, landlock(7)) hides the files instead.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

inline constexpr int worker_socket = 3;  // the only descriptor a worker inherits besides 0, 1 and 2

// The command that starts `executable parse-worker`, through bubblewrap or directly. With bubblewrap only the
// libraries, the fonts, pdftotext and the executable itself are visible, all read-only.
std::vector<std::string> worker_command(const std::string& executable, bool through_bubblewrap);

// Whether this system can hide files from a worker that is started directly.
bool landlock_works();

// Called by the worker before it sees the first document. Irrevocable.
//
// Allowed are reading, memory, and starting a child (pdftotext); files open for reading only; everything else
// answers EPERM: network, ptrace, mount, new namespaces, changing files. `kill` is allowed inside bubblewrap only,
// where it reaches nobody else.
// Errors   unavailable  a wall could not be put up; the text names it
Result<void> enter_sandbox(std::uint64_t memory_max, std::uint64_t file_size_max, bool inside_bubblewrap);

// The processor time that one more document may take from now on.
Result<void> renew_processor_limit(std::uint64_t seconds);

}  // namespace millrace::ingest
