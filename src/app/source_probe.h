// Asks an ERP once, for `millrace doctor` and for the exit code of a sync that failed.
#pragma once
#include <string>
#include <vector>

#include "app/doctor.h"
#include "app/source_settings.h"
#include "erp/remote.h"

namespace millrace::app {

struct ProbedSource {
  bool reached = false;
  bool needs_person = false;  // wrong address, password, company, certificate or right: trying again changes nothing
  std::string text;           // one sentence: what is wrong and what to do, "" when reached
  std::vector<erp::Remote::Capability> capabilities;
};
// Signs in, asks what doctor should know and signs out: a handful of calls, each bounded by the source's `sync_timeout`.
ProbedSource probe_source(const SourceSettings& source, const Environment& environment, const Clock& clock, const std::atomic<bool>& stop);

// One check per source that is a service, and one per push source: is it reached, with what it can.
std::vector<Check> check_sources(const Settings& settings, const Environment& environment, const Clock& clock, const std::atomic<bool>& stop);

}  // namespace millrace::app
