#include "erp/names.h"

namespace millrace::erp {
namespace {

// The mapped fields of `mapping.h` that matter here.
constexpr std::string_view item_manufacturer_field = "manufacturer";
constexpr std::string_view manufacturer_name_field = "name";
constexpr std::string_view code_field = "code";
constexpr std::string_view no_manufacturer = "-1";

}  // namespace

std::string code_in(const std::string& kept, std::string key) {
  std::string code = kept_field(kept, code_field);
  return code.empty() ? std::move(key) : code;
}

NameBook::NameBook(const Clock& clock, std::chrono::seconds not_found_for) : clock_(clock), not_found_for_(not_found_for) {}

std::string NameBook::name_of(const std::string& manufacturer_code) const {
  if (manufacturer_code.empty() || manufacturer_code == no_manufacturer) return {};
  const auto found = manufacturer_name_.find(manufacturer_code);
  return found == manufacturer_name_.end() ? std::string() : found->second;
}

std::string NameBook::manufacturer_of_item(std::string_view item_code) const {
  if (item_code.empty()) return {};
  const std::string code(item_code);
  const auto found = manufacturer_of_.find(code);
  if (found != manufacturer_of_.end()) return name_of(found->second);
  if (!items_are_known_ || unknown_.size() >= unknown_max) return {};
  const auto asked = not_found_.find(code);
  if (asked == not_found_.end() || asked->second <= clock_.now()) unknown_.insert(code);
  return {};
}

// No stream has salespersons: orders show their codes.
std::string NameBook::salesperson(std::string_view) const { return {}; }

std::vector<std::string> NameBook::take_unknown() {
  std::vector<std::string> codes(unknown_.begin(), unknown_.end());
  unknown_.clear();
  if (not_found_.size() + codes.size() > not_found_max) not_found_.clear();
  for (const std::string& code : codes) not_found_[code] = clock_.now() + not_found_for_;
  return codes;
}

std::map<std::string, std::string> NameBook::renamed_by(const std::vector<Entry>& entries) const {
  std::unordered_map<std::string, std::string> names, items;
  for (const Entry& entry : entries) {
    if (entry.stream == StreamName::manufacturers) names[entry.code] = entry.kept.empty() ? std::string() : kept_field(entry.kept, manufacturer_name_field);
    if (entry.stream == StreamName::items) items[entry.code] = entry.kept.empty() ? std::string() : kept_field(entry.kept, item_manufacturer_field);
  }
  std::map<std::string, std::string> renamed;
  const auto look_at = [&](const std::string& item, const std::string& before, const std::string& after) {
    const std::string old_name = name_of(before);
    const auto changed = names.find(after);
    const std::string new_name = changed != names.end() && after != no_manufacturer ? changed->second : name_of(after);
    if (old_name != new_name) renamed.emplace(item, old_name);
  };
  for (const auto& [item, after] : items) {
    const auto held = manufacturer_of_.find(item);
    look_at(item, held == manufacturer_of_.end() ? std::string() : held->second, after);
  }
  if (!names.empty())
    for (const auto& [item, manufacturer] : manufacturer_of_)
      if (names.contains(manufacturer) && !items.contains(item)) look_at(item, manufacturer, manufacturer);
  return renamed;
}

void NameBook::put(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    const bool is_item = entry.stream == StreamName::items;
    if (!is_item && entry.stream != StreamName::manufacturers) continue;
    auto& held = is_item ? manufacturer_of_ : manufacturer_name_;
    if (entry.kept.empty()) {
      held.erase(entry.code);
    } else {
      held[entry.code] = kept_field(entry.kept, is_item ? item_manufacturer_field : manufacturer_name_field);
    }
    if (is_item) not_found_.erase(entry.code);
  }
}

}  // namespace millrace::erp
