// A printed order confirmation: label and value lines, then the table of lines over as many pages as it needs.
//
//   40    64         138                      330    365      432   470          555
//   Line  Item       Description              Qty| Open| Unit price| Disc %| Line total|     numbers end at the bar
#include <hpdf.h>

#include <array>
#include <memory>

#include "app/internal/demo_formats.h"
#include "app/internal/pdf_document.h"
#include "domain/money_text.h"
#include "domain/order_rules.h"

namespace millrace::app::internal {
namespace {

std::string shown(std::string_view utf8) { return to_cp1252(utf8).value_or(std::string(utf8)); }

// "12,345.60"; whole yen without groups, since "12,345" could be read as a decimal comma.
std::string grouped(std::int64_t minor, Currency currency) {
  const Money money{minor, currency};
  return currency.decimals() == 0 ? decimal_text(money) : grouped_text(money);
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
  PdfDocument document("SO" + order.number.text);
  if (document.get()) Writer(document.get(), order).write();
  return document.bytes();
}

}  // namespace millrace::app::internal
