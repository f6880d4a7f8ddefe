// A PDF while it is written with libharu: begun, filled through the library's own calls, given as bytes.
//
// Invariants
//   * The same calls give the same bytes: nothing of the moment of writing is in them.
//   * The library is plain C and calls back on errors, where nothing may be thrown: the first code is kept until `bytes`.
#pragma once
#include <hpdf.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::app::internal {

// UTF-8 to Windows-1252, which the library's own fonts know; nothing when a letter is missing there.
std::optional<std::string> to_cp1252(std::string_view utf8);

class PdfDocument {
 public:
  explicit PdfDocument(std::string title);
  // Null when there was no memory to begin it; `bytes` says so.
  HPDF_Doc get() const { return document_.get(); }
  // Errors   internal  what the library refused, with the title
  Result<std::string> bytes();

 private:
  static void note(HPDF_STATUS code, HPDF_STATUS detail, void* user);

  std::string title_;
  std::unique_ptr<HPDF_STATUS> failed_ = std::make_unique<HPDF_STATUS>(0);  // stays where it is: the library holds its address
  std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, void (*)(HPDF_Doc)> document_;
};

}  // namespace millrace::app::internal
