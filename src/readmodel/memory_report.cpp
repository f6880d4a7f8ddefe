#include "readmodel/memory_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace millrace::readmodel {
namespace {

constexpr std::uint64_t number_bytes = 8;
constexpr std::uint64_t short_text = 15;  // of a std::string without memory of its own

// What the allocator takes for a request: a header of 8 bytes, then whole blocks of 16.
std::uint64_t allocated(std::uint64_t bytes) { return bytes == 0 ? 0 : std::max<std::uint64_t>(32, (bytes + 8 + 15) / 16 * 16); }
std::uint64_t plain_text(std::uint64_t size) { return sizeof(std::string) + (size > short_text ? allocated(size + 1) : 0); }

// Columns whose codes stand for texts.
constexpr std::array<std::pair<std::string_view, Vocabulary>, 10> word_columns{{
    {"status", Vocabulary::status},
    {"customer", Vocabulary::customer},
    {"customer_name", Vocabulary::customer_name},
    {"salesman", Vocabulary::salesman},
    {"payment_terms", Vocabulary::word},
    {"format", Vocabulary::format},
    {"source", Vocabulary::source},
    {"revision", Vocabulary::revision},
    {"line_warehouse", Vocabulary::word},
    {"line_unit", Vocabulary::word},
}};

// Over one sampled column: its values, sorted.
struct Sample {
  std::vector<std::int64_t> values;

  template <class Column>
  void add(const Column& column, std::size_t count) {
    const std::size_t first = values.size();
    std::vector<typename Column::value_type> decoded(std::min(count, column.size()));
    column.decode(0, decoded);
    values.resize(first + decoded.size());
    std::transform(decoded.begin(), decoded.end(), values.begin() + static_cast<std::ptrdiff_t>(first),
                   [](auto value) { return static_cast<std::int64_t>(value); });
  }
  // Calls `run(value, count)` for each distinct value.
  template <class Run>
  void each(Run run) {
    std::sort(values.begin(), values.end());
    for (auto at = values.begin(); at != values.end();) {
      const auto end = std::upper_bound(at, values.end(), *at);
      run(*at, static_cast<std::uint64_t>(end - at));
      at = end;
    }
  }
};

std::uint64_t text_bytes(const Snapshot& snapshot, std::string_view column, std::int64_t value, const Articles* articles) {
  const auto of = [&](Vocabulary vocabulary, Code code) { return plain_text(snapshot.words(vocabulary).text(code).size()); };
  if (column == "line_article" && articles != nullptr) {
    const Article& article = (*articles)[static_cast<Code>(value)];
    return of(Vocabulary::item, article.item) + of(Vocabulary::item_name, article.item_name) + of(Vocabulary::manufacturer, article.manufacturer);
  }
  for (const auto& [name, vocabulary] : word_columns) {
    if (name == column) return of(vocabulary, static_cast<Code>(value));
  }
  return number_bytes;
}

class Report {
 public:
  explicit Report(const Snapshot& snapshot) : snapshot_(snapshot) {
    const std::size_t count = snapshot.chunk_count();
    const std::size_t step = std::max<std::size_t>(1, (count + sampled_chunks_max - 1) / sampled_chunks_max);
    for (std::size_t c = 0; c < count; c += step) sampled_.push_back(&snapshot.chunk(c));
  }

  std::vector<MemoryTable> all() {
    orders();
    lines();
    documents();
    heaps();
    numbers();
    customers();
    kept();
    dictionaries();
    rejections();
    return std::move(tables_);
  }

 private:
  MemoryTable& table(std::string name, std::uint64_t rows) {
    tables_.push_back({.name = std::move(name), .rows = rows, .rows_sampled = 0, .bytes = 0, .bytes_plain = 0, .columns = {}});
    return tables_.back();
  }
  static void add(MemoryTable& table, MemoryColumn column) {
    table.bytes += column.bytes;
    table.bytes_plain += column.bytes_plain;
    table.columns.push_back(std::move(column));
  }

  // `walk(chunk, visit)` is one of the for_each functions, `count_of(chunk)` how many values of it are in use.
  template <class Walk, class Count>
  void columns(MemoryTable& table, Walk walk, Count count_of) {
    std::vector<MemoryColumn> found;
    for (std::size_t c = 0; c < snapshot_.chunk_count(); ++c) {
      std::size_t i = 0;
      walk(snapshot_.chunk(c), [&](const char* name, const auto& column) {
        if (i == found.size()) {
          found.emplace_back();
          found.back().name = name;
        }
        found[i++].bytes += sizeof column + allocated(column.heap_bytes());
      });
    }
    for (std::size_t i = 0; i < found.size(); ++i) add(table, look_into(table, std::move(found[i]), i, walk, count_of));
  }

  template <class Walk, class Count>
  MemoryColumn look_into(MemoryTable& table, MemoryColumn found, std::size_t wanted, Walk walk, Count count_of) {
    Sample sample;
    for (const OrderChunk* chunk : sampled_) {
      std::size_t i = 0;
      walk(*chunk, [&](const char*, const auto& column) {
        if (i++ == wanted) sample.add(column, count_of(*chunk));
      });
    }
    const auto total = static_cast<double>(sample.values.size());
    table.rows_sampled = sample.values.size();
    if (sample.values.empty()) return found;
    double bits = 0, plain = 0;
    const Articles* articles = sampled_.empty() ? nullptr : sampled_.front()->articles.get();
    sample.each([&](std::int64_t value, std::uint64_t count) {
      const double share = static_cast<double>(count) / total;
      found.distinct += 1;
      bits -= share * std::log2(share);
      plain += share * static_cast<double>(text_bytes(snapshot_, found.name, value, articles));
    });
    const auto rows = static_cast<double>(table.rows);
    found.sampled = true;
    found.entropy_bytes = static_cast<std::uint64_t>(std::llround(bits * rows / 8));
    found.bytes_plain = static_cast<std::uint64_t>(std::llround(plain * rows));
    return found;
  }

  void orders() {
    MemoryTable& orders = table("orders", snapshot_.order_count());
    columns(orders, [](const OrderChunk& chunk, auto&& visit) { for_each_order_column(chunk, visit); },
            [](const OrderChunk& chunk) { return std::size_t{chunk.used}; });
    std::uint64_t columns_size = 0;
    if (snapshot_.chunk_count() > 0) {
      for_each_column(snapshot_.chunk(0), [&](const char*, const auto& column) { columns_size += sizeof column; });
    }
    MemoryColumn rest;
    rest.name = "(chunks)";
    rest.bytes = snapshot_.chunk_count() * (allocated(sizeof(OrderChunk) + 16) - columns_size + sizeof(std::shared_ptr<OrderChunk>));
    add(orders, std::move(rest));
  }

  void lines() {
    columns(table("lines", snapshot_.line_count()),
            [](const OrderChunk& chunk, auto&& visit) { for_each_line_column(chunk, visit); },
            [](const OrderChunk& chunk) { return chunk.line_net.size(); });
  }

  void documents() {
    std::uint64_t count = 0;
    for (std::size_t c = 0; c < snapshot_.chunk_count(); ++c) count += snapshot_.chunk(c).file_begin.size();
    columns(table("files", count), [](const OrderChunk& chunk, auto&& visit) { for_each_file_column(chunk, visit); },
            [](const OrderChunk& chunk) { return chunk.file_begin.size(); });
  }

  void heaps() {
    std::vector<MemoryColumn> found;
    for (std::size_t c = 0; c < snapshot_.chunk_count(); ++c) {
      const OrderChunk& chunk = snapshot_.chunk(c);
      std::size_t i = 0;
      for_each_heap(chunk, [&](const char* name, const std::vector<char>& heap) {
        if (i == found.size()) {
          found.emplace_back();
          found.back().name = name;
        }
        found[i].bytes += allocated(heap.capacity());
        found[i++].bytes_plain += heap.size();
      });
      // As they would be: a number and a reference for each row, a path for each document.
      found[0].bytes_plain += chunk.used * 2 * sizeof(std::string);
      found[2].bytes_plain += chunk.file_begin.size() * sizeof(std::string);
    }
    MemoryTable& texts = table("texts and records", snapshot_.order_count());
    for (MemoryColumn& column : found) add(texts, std::move(column));
  }

  void numbers() {
    MemoryTable& index = table("order number index", snapshot_.order_count());
    MemoryColumn entries;
    entries.name = "entries";
    for (const auto& shard : snapshot_.numbers()) {
      entries.bytes += sizeof shard;
      if (shard != nullptr) entries.bytes += allocated(sizeof(NumberShard) + 16) + allocated(shard->entries.capacity() * sizeof(NumberEntry));
    }
    entries.bytes_plain = snapshot_.order_count() * (sizeof(std::string) + number_bytes);
    add(index, std::move(entries));
  }

  // Plain: a text and a row in a map of lists.
  void customers() {
    MemoryTable& index = table("customer index", snapshot_.order_count());
    MemoryColumn codes, rows;
    codes.name = "codes", rows.name = "rows";
    codes.bytes = snapshot_.customers().code_bytes();
    rows.bytes = snapshot_.customers().row_bytes();
    codes.bytes_plain = snapshot_.words(Vocabulary::customer).size() * (sizeof(std::string) + sizeof(std::vector<RowId>));
    rows.bytes_plain = snapshot_.order_count() * sizeof(RowId);
    add(index, std::move(codes));
    add(index, std::move(rows));
  }

  void kept() {
    constexpr std::array<const char*, kept_group_count> names{"customer", "item", "manufacturer", "salesman", "status", "due_day"};
    MemoryTable& sums = table("kept sums", 0);
    for (std::size_t g = 0; g < kept_group_count; ++g) {
      MemoryColumn column;
      column.name = names[g];
      for (const auto& block : snapshot_.kept(static_cast<KeptGroup>(g))) {
        column.bytes += sizeof block;
        if (block == nullptr) continue;
        column.bytes += allocated(sizeof(KeptBlock) + 16) + allocated(block->entries.capacity() * sizeof(KeptEntry));
        column.bytes_plain += block->entries.size() * sizeof(KeptEntry);
        sums.rows += block->entries.size();
      }
      add(sums, std::move(column));
    }
  }

  void dictionaries() {
    constexpr std::array<const char*, vocabulary_count> names{"status", "customer", "customer_name", "salesman", "format", "source",
                                                              "revision", "item", "item_name", "manufacturer", "word"};
    MemoryTable& words = table("dictionaries", 0);
    for (std::size_t v = 0; v < vocabulary_count; ++v) {
      const Words& one = snapshot_.words(static_cast<Vocabulary>(v));
      MemoryColumn column;
      column.name = names[v];
      column.bytes = one.heap_bytes();
      column.distinct = one.size();
      for (Code code = 0; code < one.size(); ++code) column.bytes_plain += plain_text(one.text(code).size());
      words.rows += one.size();
      add(words, std::move(column));
    }
    MemoryColumn articles;
    articles.name = "articles";
    if (!sampled_.empty() && sampled_.front()->articles != nullptr) articles.bytes = sampled_.front()->articles->heap_bytes();
    add(words, std::move(articles));
  }

  void rejections() {
    MemoryTable& list = table("rejections", snapshot_.rejections().size());
    MemoryColumn column;
    column.name = "rejections";
    for (const auto& rejection : snapshot_.rejections()) {
      column.bytes += sizeof rejection + allocated(sizeof(feed::Rejection) + 16);
      for (const std::string* text : {&rejection->source, &rejection->path, &rejection->place, &rejection->reason,
                                      &rejection->value, &rejection->order_number}) {
        if (text->capacity() > short_text) column.bytes += allocated(text->capacity() + 1);
      }
    }
    column.bytes_plain = column.bytes;
    add(list, std::move(column));
  }

  const Snapshot& snapshot_;
  std::vector<const OrderChunk*> sampled_;
  std::vector<MemoryTable> tables_;
};

}  // namespace

std::vector<MemoryTable> memory_report(const Snapshot& snapshot) { return Report(snapshot).all(); }

}  // namespace millrace::readmodel
