#include "ingest/internal/xml_scanner.h"

#include <doctest/doctest.h>

namespace millrace::ingest {
namespace {

// "<a x=1>text</a>" of what was heard.
class Echo final : public XmlHandler {
 public:
  void begin(std::string_view element, const XmlAttributes& attributes) override {
    heard += "<" + std::string(element);
    if (!attributes["x"].empty()) heard += " x=" + std::string(attributes["x"]);
    heard += ">";
  }
  void end(std::string_view element) override { heard += "</" + std::string(element) + ">"; }
  void hear(std::string_view text) override { heard += text; }
  std::string heard;
};

std::string read(std::string_view xml) {
  Echo echo;
  try {
    XmlScanner(xml, echo).scan();
  } catch (const XmlError& error) {
    return std::string("refused: ") + error.what();
  }
  return echo.heard;
}

TEST_CASE("Elements, attributes and texts are heard in order, without prefixes and with their letters") {
  CHECK(read("<?xml version=\"1.0\"?>\n<s:a s:x='1'><b/>t&amp;&#65;&#x42;<![CDATA[<&]]></s:a>\n<!-- end -->") == "<a x=1><b></b>t&AB<&</a>");
  CHECK(read("\xEF\xBB\xBF<a x=\"&lt;&quot;\" ></a >") == "<a x=<\"></a>");
}

TEST_CASE("What is cut off, overlaps or declares types is refused with its place") {
  for (const char* xml : {"", " ", "<a>", "<a><b></a></b>", "</a>", "<a", "<a x>", "<a x=1>", "<a x='1>", "<a x='<'/>", "<a>&lol;</a>", "<a>&#xD800;</a>", "<a/><b/>",
                          "text<a/>", "<a/>text", "<!DOCTYPE a><a/>", "<a><![CDATA[</a>", "<a><!-- </a>", "< a/>", "<a>&amp</a>"}) {
    CHECK_MESSAGE(read(xml).starts_with("refused: line 1 column "), xml);
  }
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "<a>";
  CHECK(read(deep).find("deeper") != std::string::npos);
}

}  // namespace
}  // namespace millrace::ingest
