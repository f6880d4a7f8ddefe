#include "erp/internal/page_size.h"

#include <doctest/doctest.h>

using namespace millrace::erp;

TEST_CASE("a page that was too much is halved, and grows back slowly up to the wish") {
  PageSize page(80, 20);
  page.slow();
  CHECK(page.now() == 40);
  page.slow();
  page.slow();
  CHECK(page.now() == 20);
  CHECK(page.is_least());
  for (unsigned i = 0; i < PageSize::good_pages_to_grow; ++i) page.good();
  CHECK(page.now() == 25);
  for (int i = 0; i < 100; ++i) page.good(1'000);
  CHECK(page.now() == 80);  // never more again where it was too slow once
}

TEST_CASE("where full pages are small answers twice as much is asked for") {
  PageSize page(500, 20);
  SUBCASE("small") {
    page.good(800'000);
    CHECK(page.now() == 1'000);
    page.good(800'000);
    CHECK(page.now() == 1'000);  // not without a bound
  }
  SUBCASE("large: orders of a real system have hundreds of fields") {
    page.good(21'000'000);
    CHECK(page.now() == 500);
  }
  SUBCASE("not full: nobody knows how large a full one is") {
    page.good(0);
    CHECK(page.now() == 500);
  }
}

TEST_CASE("what a page grew to is where the next start begins") {
  CHECK(PageSize(500, 20, 1'000).now() == 1'000);
  CHECK(PageSize(500, 20, 5'000).now() == 1'000);
  CHECK(PageSize(500, 20, 1).now() == 20);
}
