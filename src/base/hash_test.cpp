#include "base/hash.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace millrace;

TEST_CASE("MD5 fingerprints are those every other tool gives (RFC 1321)") {
  CHECK(hex(content_hash("", HashMethod::md5)) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(content_hash("abc", HashMethod::md5)) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(content_hash("message digest", HashMethod::md5)) == "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_CASE("XXH3-128 fingerprints are in the canonical byte order of xxhsum") {
  CHECK(hex(content_hash("")) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("Equal content has equal fingerprints and one changed byte is noticed") {
  CHECK(rc::check("content hash", [](std::string content) {
    for (const HashMethod method : {HashMethod::xxh3_128, HashMethod::md5}) {
      const ContentHash before = content_hash(content, method);
      RC_ASSERT(before == content_hash(std::string(content), method));
      std::string changed = content;
      if (changed.empty())
        changed.push_back('x');
      else
        changed[changed.size() / 2] ^= 1;
      RC_ASSERT(before != content_hash(changed, method));
    }
  }));
}

TEST_CASE("The two methods do not answer for each other") {
  CHECK(content_hash("abc") != content_hash("abc", HashMethod::md5));
  CHECK(hex(ContentHash{}).size() == 32);
  CHECK(hash64("abc") == hash64("abc"));
  CHECK(hash64("abc") != hash64("abd"));
}

TEST_CASE("Content in pieces has the fingerprint of the whole") {
  CHECK(rc::check("pieces", [](std::string first, std::string second) {
    ContentHasher hasher;
    hasher.add(first);
    hasher.add(second);
    RC_ASSERT(hasher.hash() == content_hash(first + second));
  }));
}
