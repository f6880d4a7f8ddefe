#include "app/internal/pdf_document.h"

#include <utility>
#include <vector>

#include "base/text.h"

namespace millrace::app::internal {

// UTF-8 to Windows-1252, which the base fonts know; nothing when a letter is missing there.
std::optional<std::string> to_cp1252(std::string_view utf8) {
  static const auto table = [] {
    std::vector<std::pair<std::string, char>> rows;
    for (int byte = 0x80; byte < 0x100; ++byte) {
      const char one = static_cast<char>(byte);
      rows.emplace_back(utf8_from_cp1252(std::string_view(&one, 1)), one);
    }
    return rows;
  }();
  std::string text;
  while (!utf8.empty()) {
    if (static_cast<unsigned char>(utf8.front()) < 0x80) {
      text += utf8.front();
      utf8.remove_prefix(1);
      continue;
    }
    bool found = false;
    for (const auto& [letter, byte] : table) {
      if (!letter.empty() && utf8.starts_with(letter)) {
        text += byte;
        utf8.remove_prefix(letter.size());
        found = true;
        break;
      }
    }
    if (!found) return std::nullopt;
  }
  return text;
}

PdfDocument::PdfDocument(std::string title) : title_(std::move(title)), document_(HPDF_New(note, failed_.get()), HPDF_Free) {
  if (!document_) return;
  HPDF_SetCompressionMode(get(), HPDF_COMP_ALL);
  HPDF_SetInfoAttr(get(), HPDF_INFO_TITLE, title_.c_str());
}

void PdfDocument::note(HPDF_STATUS code, HPDF_STATUS, void* user) {
  auto& first = *static_cast<HPDF_STATUS*>(user);
  if (first == 0) first = code;
}

Result<std::string> PdfDocument::bytes() {
  const auto refuse = [&] { return fail(ErrorCode::internal, "the PDF \"" + title_ + "\" could not be made (libharu code " + std::to_string(*failed_) + ")"); };
  if (!document_) return refuse();
  HPDF_SaveToStream(get());
  if (*failed_ != 0) return refuse();
  std::string bytes(HPDF_GetStreamSize(get()), '\0');
  auto size = static_cast<HPDF_UINT32>(bytes.size());
  HPDF_ResetStream(get());
  HPDF_ReadFromStream(get(), reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  if (size != bytes.size()) return refuse();
  return bytes;
}

}  // namespace millrace::app::internal
