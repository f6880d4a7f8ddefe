#include "readmodel/dictionary.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "base/text.h"

namespace millrace::readmodel {
namespace {

rc::Gen<std::string> order_like() {
  return rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '5', 'a', 'B', '-', '/', ' ', 'z'));
}

TEST_CASE("sort keys never contradict the natural order") {
  CHECK(rc::check("natural_key", [] {
    const std::string left = *order_like(), right = *order_like();
    if (natural_key(left) < natural_key(right)) RC_ASSERT(natural_less(left, right));
    if (natural_key(right) < natural_key(left)) RC_ASSERT(natural_less(right, left));
  }));
  CHECK(natural_key("SO9") < natural_key("SO10"));
}

TEST_CASE("a text has one code, and the code its text") {
  auto dictionary = std::make_shared<Dictionary>();
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back("Kunde Nr. " + std::to_string(i));
  for (const std::string& text : texts) dictionary->code(text);
  CHECK(dictionary->size() == 5001);
  const Words words(dictionary, dictionary->size());
  for (const std::string& text : texts) {
    const Code code = dictionary->code(text);
    CHECK(words.text(code) == text);
  }
  CHECK(dictionary->code("") == 0);
  CHECK(dictionary->size() == 5001);
}

TEST_CASE("searching finds exactly the texts that contain the words, without case and accents") {
  CHECK(rc::check("containing", [] {
    auto dictionary = std::make_shared<Dictionary>();
    const auto texts = *rc::gen::container<std::vector<std::string>>(order_like());
    for (const std::string& text : texts) dictionary->code(text);
    const Words words(dictionary, dictionary->size());
    const std::string needle = search_fold(*order_like());
    const auto hits = words.containing(needle);
    for (Code code = 0; code < words.size(); ++code) {
      RC_ASSERT((hits[code] == 1) == (words.folded(code).find(needle) != std::string_view::npos));
    }
  }));
  auto dictionary = std::make_shared<Dictionary>();
  const Code muller = dictionary->code("M\xC3\xBCller & S\xC3\x98N");
  const Words words(dictionary, dictionary->size());
  CHECK(words.containing("muller")[muller] == 1);
}

}  // namespace
}  // namespace millrace::readmodel
