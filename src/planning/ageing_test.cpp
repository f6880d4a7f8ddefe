#include "planning/ageing.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "testing/money_history.h"

using namespace millrace;
using namespace millrace::planning;

namespace {

struct Postings {
  std::vector<std::int32_t> posted, due;
  std::vector<std::int64_t> amount;
  std::vector<std::uint32_t> party, document;
  std::vector<std::uint16_t> currency;

  void add(std::int32_t on, std::int32_t due_day, std::int64_t minor, std::uint32_t who = 0, std::uint16_t code = 0, std::uint32_t row = 0) {
    posted.push_back(on), due.push_back(due_day), amount.push_back(minor), party.push_back(who), currency.push_back(code), document.push_back(row);
  }
  PostingColumns columns() const { return {posted, due, amount, party, currency, document}; }
};

std::string row_text(std::span<const std::int64_t> row) {
  std::string text;
  for (const std::int64_t amount : row) text += (text.empty() ? "" : " ") + std::to_string(amount);
  return text;
}

Postings random_postings(testing::SmallRandom& random, std::size_t count) {
  Postings made;
  for (std::size_t i = 0; i < count; ++i)
    made.add(19'000 + static_cast<std::int32_t>(random.below(400)), random.chance(5) ? ageing_no_day : 19'000 + static_cast<std::int32_t>(random.below(500)),
             random.below(2'000'000) - 1'000'000, static_cast<std::uint32_t>(random.below(20)), static_cast<std::uint16_t>(random.below(4)),
             static_cast<std::uint32_t>(random.below(60)));
  return made;
}

}  // namespace

TEST_CASE("What is open stands in the bucket of its age on the day, what has no due day in its own") {
  Postings book;
  book.add(100, 130, 1'000);             // not due on day 130, one day late on 131
  book.add(100, 100, 200);               // 30 days on day 130
  book.add(100, 99, 30);                 // 31 days
  book.add(100, ageing_no_day, 4);
  book.add(125, 100, -50);               // paid in part on day 125
  book.add(140, 130, 9'999);             // not posted yet
  const PostingColumns columns = book.columns();
  AgeingQuestion question{.as_of = 130};
  CHECK(row_text(ageing({&columns, 1}, question)->row(0, 0)) == "1000 150 30 0 0 4");
  question.as_of = 131;
  CHECK(row_text(ageing({&columns, 1}, question)->row(0, 0)) == "0 1000 180 0 0 4");
  question.as_of = 124;
  CHECK(row_text(ageing({&columns, 1}, question)->row(0, 0)) == "1000 230 0 0 0 4");
  question.bounds = {};
  CHECK(row_text(ageing({&columns, 1}, question)->row(0, 0)) == "1000 230 4");
  const std::vector<std::int32_t> posted{90};
  question = {.as_of = 130, .basis = AgeingBasis::posted, .document_posted = posted};
  CHECK(row_text(ageing({&columns, 1}, question)->row(0, 0)) == "0 0 1184 0 0 0");
}

TEST_CASE("Groups and currencies have rows of their own that add up to the whole") {
  Postings book;
  book.add(100, 90, 10, 0, 0);
  book.add(100, 90, 20, 1, 0);
  book.add(100, 90, 40, 2, 1);
  const std::vector<std::uint32_t> groups{1, 0, 1};
  const PostingColumns columns = book.columns();
  const auto answer = ageing({&columns, 1}, {.as_of = 100, .group_of_party = groups, .group_count = 2, .currency_count = 2});
  REQUIRE(answer);
  CHECK(answer->total(1, 0) == 10);
  CHECK(answer->total(0, 0) == 20);
  CHECK(answer->total(1, 1) == 40);
  CHECK(answer->total(0) == 30);
}

TEST_CASE("Buckets are the open receivables exactly, in one sum, by groups, from the index and on any number of threads") {
  CHECK(rc::check("ageing", [] {
    testing::SmallRandom random(*rc::gen::arbitrary<std::uint64_t>());
    std::vector<Postings> books;
    for (int i = 0; i < 3; ++i) books.push_back(random_postings(random, 300));
    std::vector<PostingColumns> chunks;
    for (const Postings& book : books) chunks.push_back(book.columns());
    std::vector<std::int32_t> document_posted(50);
    for (std::int32_t& day : document_posted) day = 19'000 + static_cast<std::int32_t>(random.below(400));
    std::vector<std::uint32_t> groups(20);
    for (std::uint32_t& group : groups) group = static_cast<std::uint32_t>(random.below(3));
    AgeingQuestion question{.as_of = 18'990 + static_cast<std::int32_t>(random.below(500)), .currency_count = 4, .document_posted = document_posted, .threads = 1};
    question.basis = random.chance(50) ? AgeingBasis::due : AgeingBasis::posted;
    if (random.chance(50)) question.bounds = {1, 7, 100};
    const auto whole = ageing(chunks, question);
    RC_ASSERT(whole.has_value());
    std::vector<std::int64_t> open(4);
    for (const Postings& book : books)
      for (std::size_t i = 0; i < book.amount.size(); ++i)
        if (book.posted[i] <= question.as_of) open[book.currency[i]] += book.amount[i];
    for (std::uint16_t code = 0; code < 4; ++code) RC_ASSERT(whole->total(code) == open[code]);
    // By the plain rule, posting by posting.
    AgeingAnswer slow(1, 4, question.bounds.size() + 3);
    for (const Postings& book : books)
      for (std::size_t i = 0; i < book.amount.size(); ++i) {
        if (book.posted[i] > question.as_of) continue;
        const std::int32_t basis = question.basis == AgeingBasis::due ? book.due[i] : book.document[i] < 50 ? document_posted[book.document[i]] : ageing_no_day;
        slow.row(0, book.currency[i])[ageing_bucket(basis, question.as_of, question.bounds)] += book.amount[i];
      }
    RC_ASSERT(*whole == slow);
    const auto index = AgeingIndex::build(std::span(chunks).first(2), question.basis, 4, document_posted, 2);
    RC_ASSERT(index.has_value());
    AgeingIndex grown = *index;
    const Postings& last = books[2];
    for (std::size_t i = 0; i < last.amount.size(); ++i) {
      const std::int32_t basis = question.basis == AgeingBasis::due ? last.due[i] : last.document[i] < 50 ? document_posted[last.document[i]] : ageing_no_day;
      grown.add(last.posted[i], basis, last.currency[i], last.amount[i]);
    }
    RC_ASSERT(*grown.answer(question.as_of, question.bounds) == *whole);
    question.threads = 3;
    RC_ASSERT(*ageing(chunks, question) == *whole);
    question.group_of_party = groups;
    question.group_count = 3;
    const auto grouped = ageing(chunks, question);
    for (std::uint16_t code = 0; code < 4; ++code)
      for (std::size_t bucket = 0; bucket < whole->buckets(); ++bucket)
        RC_ASSERT(grouped->at(0, code, bucket) + grouped->at(1, code, bucket) + grouped->at(2, code, bucket) == whole->at(0, code, bucket));
  }));
}

TEST_CASE("Bounds that do not rise and codes that are not there are refused in words") {
  Postings book;
  book.add(100, 90, 10, 0, 5);
  const PostingColumns columns = book.columns();
  CHECK(ageing({&columns, 1}, {.as_of = 100, .bounds = {30, 30}}).error().text() ==
        "the ageing bound 30 has to be above 30 and at most 36500 days; give rising numbers like 30,60,90");
  CHECK(ageing({&columns, 1}, {.as_of = 100, .currency_count = 2}).error().text() ==
        "a posting has currency code 5, but there are only 2; build the book anew");
  CHECK(!AgeingIndex::build({&columns, 1}, AgeingBasis::due, 2, {}, 1));
}

TEST_CASE("Days outstanding, by sales, by count-back and of what was settled") {
  CHECK(days_outstanding(300, 900, 90) == 300);
  CHECK(days_outstanding(1, 3, 10) == 33);
  CHECK(!days_outstanding(1, 0, 10));
  const std::vector<DayAmount> sales{{80, 500}, {90, 100}, {99, 50}};
  CHECK(days_by_count_back(25, sales, 100) == 15);    // half of what was sold on day 99
  CHECK(days_by_count_back(100, sales, 100) == 105);  // all of day 99 and half of day 90
  CHECK(!days_by_count_back(1'000, sales, 100));
  Postings book;
  book.add(50, 60, 400);
  book.add(70, 60, -300);  // ten days late
  book.add(55, 60, -100);  // five days early
  const PostingColumns columns = book.columns();
  CHECK(average_days_late({&columns, 1}, 0, 100, 90) == 63);
  CHECK(!average_days_late({&columns, 1}, 0, 100, 10));
  CHECK(owed_by_day({&columns, 1}, 0, 49, 60).size() == 1);
}
