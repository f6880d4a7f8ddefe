#include "domain/overlay.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace millrace {
namespace {

constexpr std::array fields{overlay_field::promised_date, overlay_field::priority, overlay_field::hold, overlay_field::note, overlay_field::colour};
constexpr std::array<std::string_view, 7> colours{"red", "orange", "yellow", "green", "blue", "purple", "grey"};
constexpr std::size_t note_max = 2'000, hold_max = 200, own_max = 200, own_name_max = 40;  // characters

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) (text += text.empty() ? "" : ", ") += word;
  return text;
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Failure wrong(std::string_view field, std::string_view text, std::string_view right) {
  return fail(ErrorCode::invalid_input, "\"" + printable(text.substr(0, 80)) + "\" is no value of " + std::string(field) + "; write " + std::string(right));
}

// One kind of line end, no blanks around it, no other control characters.
Result<std::string> checked_text(std::string_view field, std::string_view text, std::size_t length_max, bool lines) {
  if (!is_valid_utf8(text)) return wrong(field, text, "text in UTF-8");
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') clean += '\n';
      continue;
    }
    const bool blank = c == '\t' || c == '\n';
    if ((static_cast<unsigned char>(c) < 0x20 && !blank) || c == 0x7F) return wrong(field, text, "text without control characters");
    clean += c;
  }
  if (!lines && clean.find('\n') != std::string::npos) return wrong(field, text, "one line of text");
  clean = std::string(trim(clean));
  if (characters(clean) > length_max)
    return fail(ErrorCode::invalid_input, "the text for " + std::string(field) + " has " + std::to_string(characters(clean)) + " characters; at most " +
                                              std::to_string(length_max) + " are kept, shorten it");
  return clean;
}

// "Packing list" -> "packing_list"
std::string name_of(std::string_view title) {
  std::string name;
  for (const char c : search_fold(title)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) name += c;
    else if (!name.empty() && name.back() != '_') name += '_';
  }
  while (name.ends_with('_')) name.pop_back();
  return name;
}

}  // namespace

const OverlayValue* find(const OverlayValues& values, std::string_view field) {
  const auto found = std::ranges::find(values, field, &OverlayValue::field);
  return found == values.end() ? nullptr : &*found;
}

void set(OverlayValues& values, std::string_view field, const std::optional<OverlayValue>& value) {
  const auto at = std::ranges::lower_bound(values, field, {}, [](const OverlayValue& known) { return std::string_view(known.field); });
  const bool known = at != values.end() && at->field == field;
  if (value && known) *at = *value;
  else if (value) values.insert(at, *value);
  else if (known) values.erase(at);
}

void encode(ByteWriter& out, const OverlayValue& value) {
  for (const std::string* text : {&value.field, &value.value, &value.said, &value.author}) out.text(*text);
  out.signed_varint(value.at.time_since_epoch().count());
  out.u8(value.expires ? 1 : 0);
  if (value.expires) out.signed_varint(value.expires->time_since_epoch().count());
}

OverlayValue take_overlay_value(ByteReader& in) {
  OverlayValue value;
  for (std::string* text : {&value.field, &value.value, &value.said, &value.author}) *text = in.text();
  value.at = Instant{std::chrono::milliseconds{in.signed_varint()}};
  if (const std::uint8_t expires = in.u8(); expires > 1) in.fail();
  else if (expires == 1) value.expires = Instant{std::chrono::milliseconds{in.signed_varint()}};
  return value;
}

Result<std::vector<OwnColumn>> parse_own_columns(std::string_view text) {
  std::vector<OwnColumn> columns;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view title = trim(part);
    if (title.empty()) continue;
    OwnColumn column{name_of(title), std::string(title)};
    const std::string spoken = "the own column \"" + printable(title) + "\"";
    if (column.name.empty() || !is_valid_utf8(title) || printable(title) != title)
      return fail(ErrorCode::invalid_input, spoken + " needs a name of letters and digits, like Packing list");
    if (characters(title) > own_name_max)
      return fail(ErrorCode::invalid_input, spoken + " has a longer name than " + std::to_string(own_name_max) + " characters; shorten it");
    if (std::ranges::find(fields, column.name) != fields.end())
      return fail(ErrorCode::invalid_input, spoken + " is there already as " + column.name + "; give it another name");
    if (std::ranges::find(columns, column.name, &OwnColumn::name) != columns.end())
      return fail(ErrorCode::invalid_input, spoken + " is named twice (as " + column.name + "); give one of them another name");
    columns.push_back(std::move(column));
  }
  if (columns.size() > own_columns_max)
    return fail(ErrorCode::invalid_input, std::to_string(columns.size()) + " own columns are named; at most " + std::to_string(own_columns_max) + " are kept");
  return columns;
}

std::vector<std::string_view> OverlayFields::names() const {
  std::vector<std::string_view> names(fields.begin(), fields.end());
  for (const OwnColumn& column : own_) names.push_back(column.name);
  return names;
}

Result<std::string> OverlayFields::checked(std::string_view field, std::string_view text) const {
  if (field == overlay_field::note) return checked_text(field, text, note_max, true);
  if (field == overlay_field::hold) return checked_text(field, text, hold_max, false);
  if (std::ranges::find(own_, field, &OwnColumn::name) != own_.end()) return checked_text(field, text, own_max, false);
  const std::string_view word = trim(text);
  if (field == overlay_field::promised_date) {
    if (word.empty()) return std::string();
    const auto day = parse_iso_day(word);
    if (!day) return wrong(field, text, "a day like 2026-11-30");
    return iso(*day);
  }
  if (field == overlay_field::priority) {
    if (word.empty()) return std::string();
    if (word.size() != 1 || word[0] < '0' || word[0] > '9') return wrong(field, text, "a whole number from 0 to 9");
    return std::string(word);
  }
  if (field == overlay_field::colour) {
    const std::string colour = lower_ascii(word);
    if (!colour.empty() && std::ranges::find(colours, colour) == colours.end()) return wrong(field, text, joined(colours));
    return colour;
  }
  return fail(ErrorCode::not_found, "there is no field \"" + printable(field.substr(0, 64)) + "\" to write on orders; there is: " + joined(names()));
}

std::string beneath(const SalesOrder& order, std::string_view field) {
  return field == overlay_field::promised_date && order.promise_date ? iso(*order.promise_date) : std::string();
}

void lay_over(SalesOrder& order, const OverlayValues& values) {
  const OverlayValue* promised = find(values, overlay_field::promised_date);
  if (promised == nullptr) return;
  if (const auto day = parse_iso_day(promised->value)) order.promise_date = day;
}

}  // namespace millrace
