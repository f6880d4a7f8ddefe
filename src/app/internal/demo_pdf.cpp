// A printed order confirmation: label and value lines, then the table of lines over as many pages as it needs.
//
//   40    64         138                      330    365      432   470          555
//   Line  Item       Description              Qty| Open| Unit price| Disc %| Line total|     numbers end at the bar
#include <hpdf.h>

#include <array>
#include <memory>

#include "app/internal/demo_formats.h"
#include "base/text.h"
#include "domain/order_rules.h"

namespace millrace::app::internal {
namespace {

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

std::string shown(std::string_view utf8) { return to_cp1252(utf8).value_or(std::string(utf8)); }

// "12,345.60"; whole yen without groups, since "12,345" could be read as a decimal comma.
std::string grouped(std::int64_t minor, Currency currency) {
  std::string text = decimal_text(Money{minor, currency});
  const auto point = text.find('.');
  if (point == std::string::npos) return text;
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = point; at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

struct Failed {
  HPDF_STATUS code = 0;
};

// The library is plain C and calls back on errors; throwing through it is not allowed, so the first code is kept.
void note_failure(HPDF_STATUS code, HPDF_STATUS, void* user) {
  auto* failed = static_cast<Failed*>(user);
  if (failed->code == 0) failed->code = code;
}

class Writer {
 public:
  Writer(HPDF_Doc document, const SalesOrder& order) : document_(document), order_(order) {
    plain_ = HPDF_GetFont(document_, "Helvetica", "WinAnsiEncoding");
    bold_ = HPDF_GetFont(document_, "Helvetica-Bold", "WinAnsiEncoding");
  }

  void write() {
    new_page();
    put(40, y_, "SALES ORDER", 16, bold_);
    put(330, y_, "SO" + order_.number.text, 16, bold_);
    y_ -= 30;
    write_labels();
    y_ -= 10;
    write_heads();
    for (const OrderLine& line : order_.lines) {
      if (y_ < 60) {
        new_page();
        write_heads();
      }
      write_line(line);
    }
    if (y_ < 130) new_page();
    write_sums();
  }

 private:
  void new_page() {
    page_ = HPDF_AddPage(document_);
    HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    HPDF_Page_SetLineWidth(page_, 0.5F);
    HPDF_Page_MoveTo(page_, 40, 46);
    HPDF_Page_LineTo(page_, 555, 46);
    HPDF_Page_Stroke(page_);
    y_ = 790;
  }

  void put(float x, float y, const std::string& text, float size, HPDF_Font font) {
    HPDF_Page_BeginText(page_);
    HPDF_Page_SetFontAndSize(page_, font, size);
    HPDF_Page_TextOut(page_, x, y, text.c_str());
    HPDF_Page_EndText(page_);
  }

  float width(const std::string& text, float size, HPDF_Font font) {
    HPDF_Page_SetFontAndSize(page_, font, size);
    return HPDF_Page_TextWidth(page_, text.c_str());
  }

  void put_right(float x, float y, const std::string& text, float size, HPDF_Font font) {
    put(x - width(text, size, font), y, text, size, font);
  }

  void write_labels() {
    const std::array<std::pair<const char*, std::string>, 10> labels = {{
        {"Order No:", "SO" + order_.number.text},
        {"Revision:", order_.revision.empty() ? "-" : order_.revision},
        {"Customer:", order_.customer_code},
        {"Customer name:", shown(order_.customer_name)},
        {"Customer PO:", order_.customer_reference.empty() ? "-" : order_.customer_reference},
        {"Sales person:", shown(order_.salesperson)},
        {"Order date:", order_.order_date ? iso(*order_.order_date) : "-"},
        {"Due date:", order_.requested_date ? iso(*order_.requested_date) : "-"},
        {"Currency:", order_.currency.code()},
        {"Last change:", order_.updated ? utc_seconds(*order_.updated) : "-"},
    }};
    for (const auto& [label, value] : labels) {
      put(40, y_, label, 9, bold_);
      put(140, y_, value, 9, plain_);
      y_ -= 14;
    }
  }

  void write_heads() {
    put(40, y_, "Line", 9, bold_);
    put(64, y_, "Item", 9, bold_);
    put(138, y_, "Description", 9, bold_);
    put_right(330, y_, "Qty", 9, bold_);
    put_right(365, y_, "Open", 9, bold_);
    put_right(432, y_, "Unit price", 9, bold_);
    put_right(470, y_, "Disc %", 9, bold_);
    put_right(555, y_, "Line total", 9, bold_);
    y_ -= 15;
  }

  void write_line(const OrderLine& line) {
    std::string name = shown(line.item_name);
    const std::string suffix = line.status == LineStatus::cancelled ? " (cancelled)" : "";
    while (!name.empty() && width(name + suffix, 7.5F, plain_) > 160) name.pop_back();  // up to the quantity column
    put(40, y_, std::to_string(line.line_number), 9, plain_);
    put(64, y_, line.item_code, 9, plain_);
    put(138, y_, name + suffix, 7.5F, plain_);
    put_right(330, y_, decimal_text(line.quantity_ordered), 9, plain_);
    put_right(365, y_, decimal_text(line.quantity_open), 9, plain_);
    put_right(432, y_, scaled_text(line.unit_price.micros / 100, 4), 9, plain_);
    put_right(470, y_, scaled_text(line.discount.micros / 10000, 2), 9, plain_);
    put_right(555, y_, grouped(line.line_total, order_.currency), 9, plain_);
    y_ -= 13;
  }

  void write_sums() {
    y_ -= 8;
    const OrderAmounts sums = amounts(order_);
    const std::array<std::pair<std::string, std::int64_t>, 5> rows = {{{"Net total", sums.net},
                                                                       {"Tax", order_.tax},
                                                                       {"Freight", order_.freight},
                                                                       {"Total " + order_.currency.code(), sums.total},
                                                                       {"Open amount", sums.open}}};
    for (const auto& [label, minor] : rows) {
      put(400, y_, label, 9, bold_);
      put_right(555, y_, grouped(minor, order_.currency), 9, plain_);
      y_ -= 14;
    }
  }

  HPDF_Doc document_;
  const SalesOrder& order_;
  HPDF_Font plain_ = nullptr;
  HPDF_Font bold_ = nullptr;
  HPDF_Page page_ = nullptr;
  float y_ = 0;
};

}  // namespace

bool fits_pdf(const SalesOrder& order) {
  if (!to_cp1252(order.customer_name) || !to_cp1252(order.salesperson)) return false;
  for (const OrderLine& line : order.lines) {
    if (!to_cp1252(line.item_name)) return false;
  }
  return true;
}

Result<std::string> demo_pdf(const SalesOrder& order) {
  Failed failed;
  const std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, void (*)(HPDF_Doc)> document(HPDF_New(note_failure, &failed),
                                                                                      HPDF_Free);
  const auto refuse = [&] {
    return fail(ErrorCode::unavailable,
                "PDF of order " + order.number.text + ": libharu error " + std::to_string(failed.code));
  };
  if (!document) return refuse();
  HPDF_SetCompressionMode(document.get(), HPDF_COMP_ALL);
  HPDF_SetInfoAttr(document.get(), HPDF_INFO_TITLE, ("SO" + order.number.text).c_str());
  Writer(document.get(), order).write();
  HPDF_SaveToStream(document.get());
  if (failed.code != 0) return refuse();
  std::string bytes(HPDF_GetStreamSize(document.get()), '\0');
  auto size = static_cast<HPDF_UINT32>(bytes.size());
  HPDF_ResetStream(document.get());
  HPDF_ReadFromStream(document.get(), reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  if (size != bytes.size()) return refuse();
  return bytes;
}

}  // namespace millrace::app::internal
