#include "ingest/internal/pdf_plain.h"

#include <cmath>
#include <deque>
#include <exception>
#include <map>
#include <new>

namespace millrace::ingest {
namespace {

constexpr std::size_t file_bytes_max = 8u << 20;     // larger files are scans
constexpr std::size_t content_bytes_max = 16u << 20; // of all pages together, unpacked
constexpr std::size_t pages_max = 500;
constexpr double box_max = 20'000;                   // points

struct Unusual {};

// Collects the unpacked content of pages, up to a bound: a few bytes may unpack to anything.
class BoundedContent final : public Pipeline {
 public:
  BoundedContent() : Pipeline("content", nullptr) {}
  void write(unsigned char const* data, std::size_t size) override {
    if (size > content_bytes_max - bytes.size()) throw Unusual{};
    bytes.append(reinterpret_cast<const char*>(data), size);
  }
  void finish() override {}
  std::string bytes;
};

// Fonts and other resources of the page that is read.
class PageFonts final : public PdfFonts {
 public:
  void use(QPDFObjectHandle resources) {
    resources_ = resources;
    by_name_.clear();
  }
  const PdfFont* font(std::string_view resource) override {
    const auto known = by_name_.find(resource);
    if (known != by_name_.end()) return known->second;
    QPDFObjectHandle object = resource_of("Font", resource);
    const PdfFont* const font = shared(object);
    by_name_.emplace(resource, font);
    return font;
  }
  bool is_harmless(std::string_view kind, std::string_view resource) override {
    QPDFObjectHandle object = resource_of(kind, resource);
    if (kind == "ExtGState") return object.isDictionary() && !object.hasKey("/Font");
    if (!object.isStream()) return false;
    QPDFObjectHandle about = object.getDict();
    return about.getKey("/Subtype").isNameAndEquals("/Image") && !about.hasKey("/OC");
  }

 private:
  QPDFObjectHandle resource_of(std::string_view kind, std::string_view resource) {
    if (!resources_.isDictionary()) return QPDFObjectHandle::newNull();
    QPDFObjectHandle group = resources_.getKey("/" + std::string(kind));
    return group.isDictionary() ? group.getKey("/" + std::string(resource)) : QPDFObjectHandle::newNull();
  }
  // Pages share their fonts: each is read once.
  const PdfFont* shared(QPDFObjectHandle object) {
    const auto id = object.getObjGen();
    const auto read = [&] { return PdfFont::read(object); };
    const auto kept = [](const std::optional<PdfFont>& font) { return font ? &*font : nullptr; };
    if (!object.isIndirect()) return kept(own_.emplace_back(read()));
    const auto known = read_.find(id);
    if (known != read_.end()) return kept(known->second);
    return kept(read_.emplace(id, read()).first->second);
  }

  QPDFObjectHandle resources_ = QPDFObjectHandle::newNull();
  std::map<std::string, const PdfFont*, std::less<>> by_name_;
  std::map<QPDFObjGen, std::optional<PdfFont>> read_;
  std::deque<std::optional<PdfFont>> own_;
};

PdfBox box_of(QPDFObjectHandle array) {
  if (!array.isArray() || array.getArrayNItems() != 4) throw Unusual{};
  double v[4];
  for (int i = 0; i < 4; ++i) {
    QPDFObjectHandle item = array.getArrayItem(i);
    if (!item.isNumber()) throw Unusual{};
    v[i] = item.getNumericValue();
    if (!std::isfinite(v[i]) || std::abs(v[i]) > box_max) throw Unusual{};
  }
  if (v[2] <= v[0] || v[3] <= v[1]) throw Unusual{};
  return {v[0], v[1], v[2], v[3]};
}

bool same(const PdfBox& a, const PdfBox& b) { return a.left == b.left && a.bottom == b.bottom && a.right == b.right && a.top == b.top; }

void read_page(QPDFPageObjectHelper page, int number, PageFonts& fonts, BoundedContent& content, PdfWords& words) {
  QPDFObjectHandle about = page.getObjectHandle();
  const PdfBox box = box_of(page.getAttribute("/MediaBox", false));
  if (QPDFObjectHandle crop = page.getAttribute("/CropBox", false); !crop.isNull() && !same(box_of(crop), box)) throw Unusual{};
  QPDFObjectHandle turned = page.getAttribute("/Rotate", false);
  if (!turned.isNull() && !(turned.isInteger() && turned.getIntValue() == 0)) throw Unusual{};
  if (about.hasKey("/UserUnit")) throw Unusual{};
  if (QPDFObjectHandle notes = about.getKey("/Annots"); !notes.isNull() && !(notes.isArray() && notes.getArrayNItems() == 0)) throw Unusual{};
  fonts.use(page.getAttribute("/Resources", false));
  content.bytes.clear();
  for (QPDFObjectHandle& stream : about.getPageContents()) {
    if (!stream.pipeStreamData(&content, 0, qpdf_dl_generalized, true, false)) throw Unusual{};
    content.bytes += '\n';
  }
  if (!PdfContent(fonts, box, number, words).read(content.bytes)) throw Unusual{};
}

// Words over words: bold made by printing twice, or a stamp across the page. Which of them counts is not for us to say.
bool overlaps(const PdfWords& words) {
  constexpr double slack = 0.5;  // points
  for (const PdfRow& row : rows_of(words.words)) {
    for (std::size_t i = 1; i < row.words.size(); ++i) {
      if (row.words[i].left < row.words[i - 1].right - slack) return true;
    }
  }
  return false;
}

std::optional<PdfWords> read_file(std::string_view content) {
  QPDF pdf;
  pdf.setSuppressWarnings(true);
  pdf.setAttemptRecovery(false);
  pdf.processMemoryFile("document", content.data(), content.size());
  QPDFObjectHandle catalog = pdf.getRoot();
  if (pdf.isEncrypted() || catalog.hasKey("/AcroForm") || catalog.hasKey("/OCProperties")) return std::nullopt;
  const auto pages = QPDFPageDocumentHelper(pdf).getAllPages();
  if (pages.empty() || pages.size() > pages_max) return std::nullopt;
  PdfWords words;
  PageFonts fonts;
  BoundedContent bytes;
  int number = 0;
  for (const QPDFPageObjectHelper& page : pages) read_page(page, ++number, fonts, bytes, words);
  if (pdf.anyWarnings() || words.words.empty()) return std::nullopt;
  words.finish();
  if (overlaps(words)) return std::nullopt;
  return words;
}

}  // namespace

std::optional<PdfWords> plain_pdf_words(std::string_view content) {
  if (content.size() > file_bytes_max) return std::nullopt;
  try {
    return read_file(content);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Unusual&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;  // damaged in some way: pdftotext says in which
  }
}

}  // namespace millrace::ingest
