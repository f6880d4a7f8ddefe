// The batch that a PushSource is taking in, from its first document to its receipt.
#pragma once
#include <optional>
#include <unordered_map>

#include "ingest/internal/push_rows.h"
#include "ingest/push_source.h"

namespace millrace::ingest {

struct PushSource::Work {
  enum class Phase : std::uint8_t { reading, held, committing } phase = Phase::reading;
  WaitingBatch waiting;
  bool is_finance = false;
  bool by_line = false;  // each line is a document of its own
  bool no_parser = false;
  std::unordered_map<std::uint64_t, std::uint64_t> open;  // parse jobs and their rows
  PushRows rows;
  bool guard = true;
  std::optional<HeldSync> held;
  Stopwatch::time_point began = Stopwatch::now();
};

// The part of an order's path behind its status.
inline std::string_view tail_of(std::string_view path) { return path.substr(path.find('/') + 1); }

// Refused rows have paths that no order can have: those begin with a status.
inline std::string refusals_of(std::string_view stream) { return "/" + std::string(stream) + "/"; }
inline bool is_refusal(std::string_view path) { return path.starts_with('/'); }
inline bool is_nameless(std::string_view path) { return is_refusal(path) && path.find("/?/") != std::string_view::npos; }

}  // namespace millrace::ingest
