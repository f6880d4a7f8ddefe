#include "ingest/internal/xml_scanner.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t depth_max = 256;
constexpr std::size_t attributes_max = 256;

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// One look at a table instead of eight comparisons: every byte of a name passes here.
constexpr std::array<bool, 256> name_ends = [] {
  std::array<bool, 256> ends{};
  for (const char c : {' ', '\n', '\t', '\r', '=', '>', '/', '<', '"', '\'', '&'}) ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();

std::string_view without_prefix(std::string_view name) { return name.substr(name.find(':') + 1); }

// "amp" -> '&', "#x41" -> 'A'; 0 when it is none that XML knows by itself.
char32_t letter_of(std::string_view entity) {
  static constexpr std::array<std::pair<std::string_view, char32_t>, 5> known{{{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [word, letter] : known) {
    if (word == entity) return letter;
  }
  if (!entity.starts_with('#')) return 0;
  entity.remove_prefix(1);
  const bool hexadecimal = entity.starts_with('x');
  if (hexadecimal) entity.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(entity.data(), entity.data() + entity.size(), code, hexadecimal ? 16 : 10);
  const bool fine = error == std::errc() && end == entity.data() + entity.size() && code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
  return fine ? code : 0;
}

}  // namespace

void XmlScanner::refuse(const std::string& what) const {
  const std::string_view before = text_.substr(0, at_);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is the beginning
  throw XmlError("line " + std::to_string(line) + " column " + std::to_string(before.size() - line_begin + 1) + ": " + what);
}

void XmlScanner::scan() {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  bool any = false;
  while (at_ < text_.size()) {
    // Texts are short: a loop is quicker than a search.
    std::size_t tag = at_;
    bool escaped = false;
    for (; tag < text_.size() && text_[tag] != '<'; ++tag) escaped = escaped || text_[tag] == '&';
    if (tag > at_) {
      const std::string_view raw = text_.substr(at_, tag - at_);
      if (!open_.empty()) {
        escaped ? handler_.hear(unescaped(raw)) : handler_.hear(raw);
      } else if (!std::all_of(raw.begin(), raw.end(), is_blank)) {
        refuse("text stands outside the elements");
      }
      at_ = tag;
      if (at_ == text_.size()) break;
    }
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("</")) {
      end_tag();
    } else if (rest.starts_with("<![CDATA[")) {
      const std::size_t end = text_.find("]]>", at_);
      if (end == std::string_view::npos || open_.empty()) refuse("a CDATA section is not closed");
      handler_.hear(text_.substr(at_ + 9, end - at_ - 9));
      at_ = end + 3;
    } else if (!skip("<!--", "-->") && !skip("<?", "?>")) {
      if (rest.starts_with("<!")) refuse("a document type or entity is declared, which is refused");
      if (any && open_.empty()) refuse("a second document follows the first");
      any = true;
      begin_tag();
    }
  }
  if (!open_.empty()) refuse("the element '" + printable(open_.back()) + "' is not closed: the text is cut off");
  if (!any) refuse("there is no element");
}

bool XmlScanner::skip(std::string_view begin, std::string_view end) {
  if (!text_.substr(at_).starts_with(begin)) return false;
  const std::size_t found = text_.find(end, at_ + begin.size());
  if (found == std::string_view::npos) refuse("'" + std::string(begin) + "' is not closed");
  at_ = found + end.size();
  return true;
}

void XmlScanner::begin_tag() {
  ++at_;
  const std::string_view element = name();
  attributes_.pairs_.clear();
  attributes_.unescaped_.clear();
  for (blanks(); at_ < text_.size() && text_[at_] != '>' && text_[at_] != '/'; blanks()) attribute();
  const bool empty = at_ < text_.size() && text_[at_] == '/';
  if (empty) ++at_;
  if (at_ >= text_.size() || text_[at_] != '>') refuse("the tag '" + printable(element) + "' is not closed");
  ++at_;
  if (open_.size() >= depth_max) refuse("nested deeper than 256 elements");
  handler_.begin(without_prefix(element), attributes_);
  if (empty) {
    handler_.end(without_prefix(element));
  } else {
    open_.push_back(element);
  }
}

void XmlScanner::end_tag() {
  at_ += 2;
  const std::string_view element = name();
  blanks();
  if (open_.empty() || open_.back() != element) refuse("'" + printable(element.substr(0, 60)) + "' ends where it was not begun");
  if (at_ >= text_.size() || text_[at_] != '>') refuse("an end tag is not closed");
  ++at_;
  open_.pop_back();
  handler_.end(without_prefix(element));
}

void XmlScanner::attribute() {
  if (attributes_.pairs_.size() >= attributes_max) refuse("an element has more than 256 attributes");
  const std::string_view key = name();
  blanks();
  if (at_ >= text_.size() || text_[at_] != '=') refuse("the attribute '" + printable(key.substr(0, 60)) + "' has no value");
  ++at_;
  blanks();
  const char quote = at_ < text_.size() ? text_[at_] : '\0';
  if (quote != '"' && quote != '\'') refuse("the value of '" + printable(key.substr(0, 60)) + "' is not in quotes");
  std::size_t end = ++at_;
  bool escaped = false;
  for (; end < text_.size() && text_[end] != quote && text_[end] != '<'; ++end) escaped = escaped || text_[end] == '&';
  if (end == text_.size()) refuse("the value of '" + printable(key.substr(0, 60)) + "' is not closed");
  if (text_[end] == '<') refuse("a '<' stands in the value of '" + printable(key.substr(0, 60)) + "'");
  std::string_view value = text_.substr(at_, end - at_);
  if (escaped) value = attributes_.unescaped_.emplace_back(unescaped(value));
  attributes_.pairs_.emplace_back(without_prefix(key), value);
  at_ = end + 1;
}

void XmlScanner::blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

std::string_view XmlScanner::name() {
  std::size_t end = at_;
  while (end < text_.size() && !name_ends[static_cast<unsigned char>(text_[end])]) ++end;
  if (end == at_) refuse("a name is missing");
  const std::string_view found = text_.substr(at_, end - at_);
  at_ = end;
  return found;
}

std::string XmlScanner::unescaped(std::string_view raw) const {
  std::string out;
  out.reserve(raw.size());
  while (true) {
    const std::size_t amp = raw.find('&');
    out.append(raw.substr(0, amp));
    if (amp == std::string_view::npos) return out;
    raw.remove_prefix(amp + 1);
    const std::size_t end = raw.substr(0, 12).find(';');
    const char32_t letter = end == std::string_view::npos ? 0 : letter_of(raw.substr(0, end));
    if (letter == 0) refuse("'&" + printable(raw.substr(0, std::min<std::size_t>(end, 10))) + "' is no letter XML knows by itself");
    append_utf8(out, letter);
    raw.remove_prefix(end + 1);
  }
}

}  // namespace millrace::ingest
