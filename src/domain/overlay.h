// What people write on orders beside what the sources say: a promised date, a priority, a hold, a note, a colour, own columns.
//
// Invariants
//   * A value stands above the source's, which stays visible beneath; it knows its author, its time, maybe when it ends, and
//     what the source said when it was written.
//   * Values are kept as the one text that `OverlayFields::checked` answers, so that equal things are equal texts.
//   * Pure. Any thread may call.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/order.h"

namespace millrace {

namespace overlay_field {
inline constexpr std::string_view promised_date = "promised_date", priority = "priority", hold = "hold", note = "note", colour = "colour";
}

struct OverlayValue {
  std::string field;
  std::string value;   // never ""
  std::string said;    // by the source when this was written; "" nothing, or the field is ours alone
  std::string author;
  Instant at;
  std::optional<Instant> expires;  // from then on it counts no more
  bool operator==(const OverlayValue&) const = default;
};
// By field, each field once.
using OverlayValues = std::vector<OverlayValue>;

const OverlayValue* find(const OverlayValues& values, std::string_view field);
// The value of a field; nothing removes it.
void set(OverlayValues& values, std::string_view field, const std::optional<OverlayValue>& value);

void encode(ByteWriter& out, const OverlayValue& value);
OverlayValue take_overlay_value(ByteReader& in);

// A column that a company named for itself.
struct OwnColumn {
  std::string name;   // in JSON, filters and exports: "packing_list"
  std::string title;  // as it was named: "Packing list"
  bool operator==(const OwnColumn&) const = default;
};
inline constexpr std::size_t own_columns_max = 8;
// "Truck, Packing list".
// Errors   invalid_input  more than 8, twice the same, a name without letters or digits or longer than 40 characters, or one
//                         of the fields that are always there
Result<std::vector<OwnColumn>> parse_own_columns(std::string_view text);

// The fields there are, and what may be written into them.
class OverlayFields {
 public:
  explicit OverlayFields(std::vector<OwnColumn> own = {}) : own_(std::move(own)) {}

  const std::vector<OwnColumn>& own() const { return own_; }
  std::vector<std::string_view> names() const;
  // As it is kept; "" for what means nothing written.
  // Errors   not_found      there is no such field; the text names those there are
  //          invalid_input  it is no value of the field; the text says what would be right
  Result<std::string> checked(std::string_view field, std::string_view text) const;

 private:
  std::vector<OwnColumn> own_;
};

// What the order says where the value would stand; "" when it says nothing there.
std::string beneath(const SalesOrder& order, std::string_view field);
// The order as it counts with these values above it.
void lay_over(SalesOrder& order, const OverlayValues& values);

}  // namespace millrace
