#include "ingest/pdf_parser.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "domain/order_rules.h"
#include "ingest/internal/fields.h"
#include "ingest/internal/pdf_text.h"

namespace millrace::ingest {
namespace {

const CompiledLayout& layout() {
  static const CompiledLayout compiled(built_in_profile());
  return compiled;
}

// A page as pdftotext would tell it: each text one word per blank, five points a letter, numbers right-aligned.
class Page {
 public:
  Page& text(double left, double bottom, std::string_view words) {
    double at = left;
    std::string word;
    for (const char c : std::string(words) + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      row(at, bottom, word);
      at += 5.0 * static_cast<double>(word.size()) + 2.5;
      word.clear();
    }
    return *this;
  }
  Page& number(double right, double bottom, std::string_view digits) {
    row(right - 5.0 * static_cast<double>(digits.size()), bottom, digits);
    return *this;
  }
  Page& next() {
    ++page_;
    return *this;
  }
  Page& head(double bottom) {
    return text(40, bottom, "Line").text(66, bottom, "Item").text(140, bottom, "Description").text(330, bottom, "Qty").text(365, bottom, "Open").text(388, bottom, "Unit price").text(450, bottom, "Disc %").text(503, bottom, "Line total");
  }
  Page& line(double bottom, std::string_view n, std::string_view item, std::string_view name, std::string_view quantity, std::string_view open, std::string_view price, std::string_view total) {
    return text(40, bottom, n).text(66, bottom, item).text(140, bottom, name).number(345, bottom, quantity).number(385, bottom, open).number(440, bottom, price).number(480, bottom, "0.00").number(555, bottom, total);
  }
  Page& labels(std::string_view order = "SO9") {
    return text(40, 90, "Order No:").text(140, 90, order).text(40, 110, "Customer:").text(140, 110, "C1").text(40, 130, "Customer name:").text(140, 130, "Maria E Lopez").text(40, 150, "Due date:").text(140, 150, "2026-03-04").text(40, 170, "Currency:").text(140, 170, "USD");
  }
  Page& sum(double bottom, std::string_view label, std::string_view amount) { return text(400, bottom, label).number(555, bottom, amount); }
  ParsedDocument read() const { return parse_pdf_words("level\tpage_num\n" + tsv_, layout()); }

 private:
  void row(double left, double bottom, std::string_view word) {
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, "5\t%d\t0\t0\t0\t0\t%.2f\t%.2f\t%.2f\t8.32\t100\t", page_, left, bottom - 8.32, 5.0 * static_cast<double>(word.size()));
    tsv_ += numbers + std::string(word) + "\n";
  }
  int page_ = 1;
  std::string tsv_;
};

std::string reason(const ParsedDocument& document) { return document.findings.empty() ? document.ignored_because : document.findings[0].place + ": " + document.findings[0].reason; }

TEST_CASE("An order over two pages is read with its cancelled line") {
  Page page;
  page.labels().head(200).line(215, "1", "BK-1", "Road-150 Red, 62", "2", "1", "1,000.5000", "2,001.00");
  page.next().head(50).line(65, "2", "BK-2", "Frame (cancelled)", "1", "0", "10.0000", "10.00");
  page.sum(90, "Net total", "2,001.00").sum(104, "Tax", "160.08").sum(118, "Freight", "50.02").sum(132, "Total USD", "2,211.10").sum(146, "Open amount", "1,000.50");
  const ParsedDocument document = page.read();
  REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
  const SalesOrder& order = document.orders[0];
  CHECK(order.number.text == "9");
  CHECK(order.customer_name == "Maria E Lopez");
  REQUIRE(order.lines.size() == 2);
  CHECK(order.lines[0].item_name == "Road-150 Red, 62");
  CHECK(order.lines[1].status == LineStatus::cancelled);
  CHECK(order.lines[1].item_name == "Frame");
  CHECK(place_text(order.lines[1].place) == "page 2");
  CHECK(amounts(order).open == 100050);
  CHECK(amounts(order).total == 221110);
}

TEST_CASE("A page that is missing is noticed by the printed sums") {
  Page page;
  page.labels().head(200).line(215, "1", "BK-1", "Road", "2", "1", "1.0000", "2.00");
  page.sum(250, "Net total", "12.00").sum(264, "Total USD", "12.00");
  const ParsedDocument document = page.read();
  CHECK(document.orders.empty());
  CHECK(reason(document).find("lines give 2.00") != std::string::npos);
}

TEST_CASE("Lines without any printed sum prove nothing") {
  Page page;
  page.labels().head(200).line(215, "1", "BK-1", "Road", "2", "1", "1.0000", "2.00");
  CHECK(reason(page.read()).find("needs eyes") != std::string::npos);
}

TEST_CASE("Two orders in one file need eyes") {
  Page page;
  page.labels().head(200).line(215, "1", "BK-1", "Road", "2", "1", "1.0000", "2.00").sum(250, "Net total", "2.00");
  page.next().labels("SO10");
  CHECK(page.read().orders.empty());
}

TEST_CASE("A scanned page without text needs eyes, a drawing is not for us") {
  CHECK(reason(parse_pdf_words("level\tpage_num\n", layout())).find("scanned page") != std::string::npos);
  CHECK_FALSE(Page().text(40, 40, "Drawing 4711 rev B").read().is_order_document);
}

TEST_CASE("A PDF without its end is cut off") {
  CHECK(pdf_damage("%PDF-1.4 nothing more").has_value());
  CHECK_FALSE(pdf_damage("%PDF-1.4\nstartxref\n9\n%%EOF\n").has_value());
}

TEST_CASE("A broken PDF is refused in the words of pdftotext") {
  const ParsedDocument document = parse_pdf("%PDF-1.4\n1 0 obj\n<< /Kids 1000000000 >>\nstartxref\n9\n%%EOF\n", layout(), PdfTextLimits{});
  CHECK(document.orders.empty());
  REQUIRE(document.findings.size() == 1);
  CHECK(document.findings[0].outcome == feed::Outcome::reject);
}

}  // namespace
}  // namespace millrace::ingest
