#include "ingest/internal/book_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <sstream>

namespace millrace::ingest {
namespace {

using State = store::FileRecord::State;

// What the packed table must equal: the same in plain maps.
struct Plain {
  struct File {
    store::FileRecord record;
    std::vector<CandidateSummary> candidates;
  };
  std::map<std::string, File> files;  // of the one source
};

std::string told(const store::FileRecord& file) {
  return file.path + " " + std::to_string(file.size) + " " + std::to_string(file.mtime_ns) + " " + std::to_string(file.inode) + " " +
         hex(file.hash) + " " + std::to_string(static_cast<int>(file.state)) + " " + file.format + " " +
         std::to_string(file.read_at.time_since_epoch().count());
}
std::string told(const CandidateSummary& candidate) {
  std::string text = "  " + candidate.number + " " + std::to_string(candidate.ordinal) + " " + std::to_string(candidate.line_count) + " " +
                     (candidate.updated ? std::to_string(candidate.updated->time_since_epoch().count()) : "-") + " " +
                     std::to_string(candidate.total) + " " + std::to_string(candidate.open) + " " + std::to_string(candidate.digest);
  for (const std::string& flag : candidate.flags) text += " [" + flag + "]";
  return text + " " + candidate.reference + " " + std::to_string(candidate.customer);
}
std::string told(const Plain& plain) {
  std::string text;
  for (const auto& [path, file] : plain.files) {
    text += told(file.record) + "\n";
    for (const CandidateSummary& candidate : file.candidates) text += told(candidate) + "\n";
  }
  return text;
}
std::string told(BookTable& table) {
  std::string text;
  for (const FileId file : table.sorted(table.source("orders"))) {
    text += told(table.record(file)) + "\n";
    for (const CandidateSummary& candidate : table.candidates(file)) text += told(candidate) + "\n";
  }
  return text;
}
// Every statement about each order, found by its number.
std::string claims(const BookTable& table, int numbers) {
  std::ostringstream text;
  for (int n = 0; n < numbers; ++n) {
    std::multimap<std::string, std::string> found;
    for (const CandidateView& view : table.claims("SO" + std::to_string(n))) found.emplace(table.path(view.file), told(view.summary()));
    for (const auto& [path, candidate] : found) text << path << candidate << "\n";
  }
  return text.str();
}
std::string claims(const Plain& plain, int numbers) {
  std::ostringstream text;
  for (int n = 0; n < numbers; ++n) {
    std::multimap<std::string, std::string> found;
    for (const auto& [path, file] : plain.files)
      for (const CandidateSummary& candidate : file.candidates)
        if (candidate.number == "SO" + std::to_string(n)) found.emplace(path, told(candidate));
    for (const auto& [path, candidate] : found) text << path << candidate << "\n";
  }
  return text.str();
}

std::vector<std::string> sections_of(const BookTable::Image& image) {
  std::vector<std::string> sections;
  image.write([&](std::string section) { sections.push_back(std::move(section)); });
  return sections;
}

constexpr int numbers = 300;

// A busy share: files come, change, move and go; some hold many orders, some orders are in many files.
class Share {
 public:
  explicit Share(std::uint64_t seed) : random_(seed) {}

  void step(BookTable& table, Plain& plain) {
    const std::uint16_t source = table.source("orders");
    const std::string path = "Open/" + std::to_string(below(120)) + (below(9) == 0 ? "/a longer name with a \xff byte.json" : ".json");
    const auto known = table.find(source, path);
    REQUIRE(known.has_value() == plain.files.contains(path));
    if (known && below(3) == 0) {
      table.erase(*known);
      plain.files.erase(path);
      return;
    }
    const FileId file = known ? *known : table.add(source, path);
    Plain::File& other = plain.files[path];
    other.record = {path, below(100'000), static_cast<std::int64_t>(random_()) / 3, random_(), content_hash(path), static_cast<State>(1 + below(4)),
                    below(2) == 0 ? "json" : "csv", Instant{std::chrono::milliseconds{below(1u << 30)}}};
    table.set(file, other.record);
    if (known && below(2) == 0) return;
    other.candidates.clear();
    const std::uint64_t count = below(20) == 0 ? 60 : below(3);
    for (std::uint64_t i = 0; i < count; ++i) other.candidates.push_back(candidate(static_cast<std::uint32_t>(i)));
    table.put_candidates(file, other.candidates);
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  CandidateSummary candidate(std::uint32_t ordinal) {
    CandidateSummary made;
    made.number = "SO" + std::to_string(below(numbers));
    made.ordinal = ordinal;
    made.line_count = static_cast<std::uint32_t>(below(9));
    if (below(4) != 0) made.updated = Instant{std::chrono::milliseconds{static_cast<std::int64_t>(below(1u << 31)) * (below(2) == 0 ? 1000 : 1) - 5}};
    made.total = static_cast<std::int64_t>(random_());
    made.open = -static_cast<std::int64_t>(below(1000));
    made.digest = random_();
    if (below(8) == 0) made.flags = {"row 3: look", std::string(below(300), 'f')};
    if (below(4000) == 0) made.flags = {std::string(100'000, 'g')};
    return made;
  }
  std::mt19937_64 random_;
};

TEST_CASE("the packed table answers as plain maps do, whatever comes and goes") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Share share(seed);
    BookTable table;
    Plain plain;
    for (int i = 0; i < 700; ++i) {
      share.step(table, plain);
      if (i % 50 == 0) table.tidy();
      if (i % 175 != 0) continue;
      REQUIRE(told(table) == told(plain));
      REQUIRE(claims(table, numbers) == claims(plain, numbers));
      REQUIRE(table.file_count(0) == plain.files.size());
    }
  }
}

TEST_CASE("an image stays as it was taken, and a table made from it answers the same") {
  Share share(7);
  BookTable table;
  Plain plain;
  for (int i = 0; i < 300; ++i) share.step(table, plain);
  const std::string then = told(plain), claims_then = claims(plain, numbers);
  const auto image = table.image();
  for (int i = 0; i < 300; ++i) share.step(table, plain);
  table.tidy();
  BookTable again;
  again.reserve(image->file_count, image->order_count);
  for (const std::string& section : sections_of(*image)) REQUIRE(again.add_section(section));
  CHECK(told(again) == then);
  CHECK(claims(again, numbers) == claims_then);
  CHECK(told(table) == told(plain));
  CHECK(claims(table, numbers) == claims(plain, numbers));
}

TEST_CASE("sections with wrong bytes are refused or read as something whole, never past their end") {
  Share share(3);
  BookTable table;
  Plain plain;
  for (int i = 0; i < 150; ++i) share.step(table, plain);
  const std::vector<std::string> sections = sections_of(*table.image());
  std::mt19937_64 random(5);
  for (int i = 0; i < 150; ++i) {
    std::string bytes = sections.front();
    if (i % 3 == 0) bytes.resize(random() % bytes.size());
    for (int flips = 0; i % 3 != 0 && flips < 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    BookTable wrong;
    if (!wrong.add_section(bytes)) wrong.clear();
    CHECK_NOTHROW(told(wrong));
    CHECK_NOTHROW(wrong.tidy());
  }
}

}  // namespace
}  // namespace millrace::ingest
