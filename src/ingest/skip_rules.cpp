#include <algorithm>
#include <array>
#include <string>

#include "ingest/folder.h"

namespace millrace::ingest {
namespace {

// ASCII only: a name is bytes, and a locale must not decide what is an order.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view name, std::string_view lower_case) {
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                    [](char left, char right) { return lower(left) == right; });
}

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& lower_case) {
  return std::any_of(lower_case.begin(), lower_case.end(), [&](std::string_view word) { return same(name, word); });
}

constexpr std::array<std::string_view, 5> document_extensions{"json", "csv", "txt", "xlsx", "pdf"};
constexpr std::array<std::string_view, 11> temporary_extensions{
    "tmp", "temp", "part", "partial", "filepart", "crdownload", "download", "swp", "swo", "swx", "lck"};
constexpr std::array<std::string_view, 5> system_files{"thumbs.db", "ehthumbs.db", ".ds_store", "desktop.ini", "icon\r"};
constexpr std::array<std::string_view, 8> system_folders{
    "$recycle.bin", "recycler", "system volume information", "lost+found", "@eadir", "#recycle", "#snapshot", "~snapshot"};

std::string_view extension(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const auto tail = name.substr(dot + 1);
  if (tail.empty() || tail.size() > 10) return {};
  bool letter = false;
  for (const char c : tail) {
    const char l = lower(c);
    if (l >= 'a' && l <= 'z') {
      letter = true;
    } else if (l < '0' || l > '9') {
      return {};
    }
  }
  return letter ? tail : std::string_view{};
}

bool temporary(std::string_view name) {
  if (name.starts_with("~$") || name.starts_with(".~") || name.ends_with('~')) return true;
  if (name.size() > 1 && name.front() == '#' && name.back() == '#') return true;
  return one_of(extension(name), temporary_extensions);
}

}  // namespace

std::string_view word(SkipReason reason) {
  switch (reason) {
    case SkipReason::temporary_name: return "temporary_name";
    case SkipReason::link: return "link";
    case SkipReason::special_file: return "special_file";
    case SkipReason::system_file: return "system_file";
    case SkipReason::hidden: return "hidden";
    case SkipReason::not_a_document: return "not_a_document";
    case SkipReason::too_deep: return "too_deep";
  }
  return "";
}

std::optional<SkipReason> skip_by_name(std::string_view file_name) {
  if (one_of(file_name, system_files)) return SkipReason::system_file;
  if (temporary(file_name)) return SkipReason::temporary_name;
  if (file_name.starts_with('.')) return SkipReason::hidden;
  const auto suffix = extension(file_name);
  if (!suffix.empty() && !one_of(suffix, document_extensions)) return SkipReason::not_a_document;
  return std::nullopt;
}

std::optional<SkipReason> skip_folder_by_name(std::string_view folder_name) {
  if (one_of(folder_name, system_folders)) return SkipReason::system_file;
  if (folder_name.starts_with('.')) return SkipReason::hidden;
  return std::nullopt;
}

}  // namespace millrace::ingest
