// The built web files, carried inside the program.
//
// Invariants
//   * Sorted by path; `immutable` files have their content's hash in their name.
//   * A variant is empty when compressing was not worth it.
#pragma once
#include <string_view>
#include <vector>

namespace millrace::server {

struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view type;
  std::string_view plain;
  std::string_view brotli;
  std::string_view gzip;
  std::string_view tag;  // of the content
  bool immutable;
};
const std::vector<Asset>& embedded_assets();
const Asset* find_asset(std::string_view path);

}  // namespace millrace::server
