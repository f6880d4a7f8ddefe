// Names for codes, from the streams that have them: an order says an item, the item says its manufacturer's code, the
// manufacturer has the name.
//
// Invariants
//   * Answers come from memory; no call is ever made for a line.
//   * A code nobody knows is asked for once, together with others, and not again for `not_found_for` (M124).
//   * One thread uses it.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "erp/mapping.h"

namespace millrace::erp {

// The code that orders use for a row: where keys are GUIDs it stands in the row.
std::string code_in(const std::string& kept, std::string key);

class NameBook final : public Names {
 public:
  static constexpr std::size_t unknown_max = 1'000;  // codes that wait to be asked for
  static constexpr std::size_t not_found_max = 10'000;

  explicit NameBook(const Clock& clock, std::chrono::seconds not_found_for = std::chrono::minutes(5));

  std::string manufacturer_of_item(std::string_view item_code) const override;
  std::string salesperson(std::string_view code) const override;

  // What is kept of one row of the streams `items` and `manufacturers`; other streams say nothing here. An empty
  // `kept` is a row that is gone.
  struct Entry {
    StreamName stream = StreamName::items;
    std::string code;
    std::string kept;
  };
  // Items whose manufacturer has another name after `entries`, with the name it has now.
  std::map<std::string, std::string> renamed_by(const std::vector<Entry>& entries) const;
  void put(const std::vector<Entry>& entries);

  // Codes that orders named and nobody knew since the last call.
  std::vector<std::string> take_unknown();
  // Items are a stream of this source: unknown ones can be asked for.
  void items_are_known(bool known) { items_are_known_ = known; }

 private:
  std::string name_of(const std::string& manufacturer_code) const;

  const Clock& clock_;
  const std::chrono::seconds not_found_for_;
  std::unordered_map<std::string, std::string> manufacturer_of_;   // item code -> manufacturer code
  std::unordered_map<std::string, std::string> manufacturer_name_;  // code -> name
  bool items_are_known_ = false;
  mutable std::set<std::string> unknown_;               // to be asked for
  mutable std::unordered_map<std::string, Instant> not_found_;  // asked for: not again before
};

}  // namespace millrace::erp
