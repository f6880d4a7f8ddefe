// What a parser pool and its worker processes say to each other over one socketpair.
//
//   frame     length (4 bytes, little-endian) payload
//   parent    setup, then one request per document with the file's descriptor beside its first byte
//   worker    hello after the walls are up, then one answer per request, in order
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"
#include "ingest/document.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

inline constexpr std::uint32_t frame_bytes_max = 512u << 20;

// Errors of all   unavailable  the other side is gone
//                 corrupt      not a frame of ours
Result<void> send_frame(int socket, std::string_view payload, int descriptor = -1);
struct Frame {
  std::string payload;
  UniqueFd descriptor;
};
Result<Frame> receive_frame(int socket);

struct WorkerSetup {
  std::uint64_t memory_max = 0;
  std::uint64_t file_size_max = 0;
  std::uint64_t time_max_ms = 0;
  HashMethod hash_method = HashMethod::xxh3_128;
  std::string profile_toml;
};
std::string encode(const WorkerSetup& setup);
Result<WorkerSetup> decode_worker_setup(std::string_view bytes);

struct WorkerRequest {
  std::string name;
  std::optional<ContentHash> known_hash;
};
std::string encode(const WorkerRequest& request);
Result<WorkerRequest> decode_worker_request(std::string_view bytes);

struct WorkerAnswer {
  bool unchanged = false;
  bool moved_while_read = false;
  ContentHash hash;
  std::uint64_t bytes = 0;
  ParsedDocument document;
};
std::string encode(const WorkerAnswer& answer);
Result<WorkerAnswer> decode_worker_answer(std::string_view bytes);

}  // namespace millrace::ingest
