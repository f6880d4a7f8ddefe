// The XML of a workbook's parts, element by element, without a tree and without copies.
//
// Invariants
//   * Elements nest properly and every byte is looked at: what is cut off or overlaps is refused.
//   * Document types and entities of their own are refused; depth and attributes are bounded.
//   * Names are handed on without their namespace prefix.
#pragma once
#include <cstddef>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::ingest {

// What is wrong, and where: "line 1 column 17: ...".
class XmlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class XmlAttributes {
 public:
  // "" when the element does not have it.
  std::string_view operator[](std::string_view name) const {
    for (const auto& [key, value] : pairs_) {
      if (key == name) return value;
    }
    return {};
  }

 private:
  friend class XmlScanner;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
  std::deque<std::string> unescaped_;  // values that do not stand in the text as they are
};

class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void begin(std::string_view element, const XmlAttributes& attributes) = 0;
  virtual void end(std::string_view) {}
  // Text in pieces; a view lives until the call returns.
  virtual void hear(std::string_view) {}
};

class XmlScanner {
 public:
  XmlScanner(std::string_view text, XmlHandler& handler) : text_(text), handler_(handler) {}
  // Throws XmlError, and what the handler throws.
  void scan();

 private:
  [[noreturn]] void refuse(const std::string& what) const;
  bool skip(std::string_view begin, std::string_view end);
  void begin_tag();
  void end_tag();
  void attribute();
  void blanks();
  std::string_view name();
  std::string unescaped(std::string_view raw) const;

  std::string_view text_;
  std::size_t at_ = 0;
  XmlHandler& handler_;
  XmlAttributes attributes_;
  std::vector<std::string_view> open_;  // names of the elements around this place, with their prefixes
};

}  // namespace millrace::ingest
