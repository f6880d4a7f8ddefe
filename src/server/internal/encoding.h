// Content codings: what the client takes and how a body is packed.
#pragma once
#include <string>
#include <string_view>

namespace millrace::server {

enum class Coding { identity, gzip, zstd, brotli };
std::string_view name_of(Coding coding);  // as Content-Encoding names it

// Whether Accept-Encoding takes a coding (q=0 refuses).
bool takes(std::string_view accept_encoding, std::string_view coding);
// zstd before gzip: it costs a third of the time. Identity when neither is taken.
Coding preferred(std::string_view accept_encoding);
// Fast levels: loopback bytes are cheap, our time is not. Empty when packing failed.
std::string packed(std::string_view bytes, Coding coding);

inline constexpr std::size_t packed_from_bytes = 1024;

}  // namespace millrace::server
