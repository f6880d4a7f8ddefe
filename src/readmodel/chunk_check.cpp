#include "readmodel/chunk_check.h"

#include <algorithm>

namespace millrace::readmodel {
namespace {

template <class Column>
bool all_below(const Column& column, std::size_t count, std::uint64_t bound) {
  for (std::size_t i = 0; i < count; ++i)
    if (column[i] >= bound) return false;
  return true;
}

bool sizes_agree(const OrderChunk& chunk) {
  bool agree = chunk.used <= chunk_rows;
  for_each_order_column(chunk, [&](const char*, const auto& column) { agree = agree && column.size() == chunk_rows; });
  for_each_line_column(chunk, [&](const char*, const auto& column) { agree = agree && column.size() == chunk.line_net.size(); });
  for_each_file_column(chunk, [&](const char*, const auto& column) { agree = agree && column.size() == chunk.file_begin.size(); });
  return agree;
}

bool within(std::uint64_t begin, std::uint64_t size, std::uint64_t bound) { return begin <= bound && size <= bound - begin; }

bool rows_lie_inside(const OrderChunk& chunk) {
  for (std::size_t row = 0; row < chunk.used; ++row) {
    if (!within(chunk.line_begin[row], chunk.lines[row], chunk.line_net.size())) return false;
    if (!within(chunk.text_begin[row], chunk.text_size[row], chunk.texts.size())) return false;
    if (!within(chunk.record_begin[row], chunk.record_size[row], chunk.records.size())) return false;
    if (!chunk.live[row]) continue;
    if (chunk.number_size[row] >= chunk.text_size[row]) return false;
    if ((chunk.bits[row] & order_has_document) != 0 && chunk.file[row] >= chunk.file_begin.size()) return false;
  }
  return true;
}

bool files_lie_inside(const OrderChunk& chunk) {
  std::uint64_t end = chunk.files.size();
  for (std::size_t i = chunk.file_begin.size(); i-- > 0;) {
    if (!within(chunk.file_begin[i], sizeof ContentHash::bytes, end)) return false;
    end = chunk.file_begin[i];
  }
  return true;
}

}  // namespace

bool is_sound(const OrderChunk& chunk, const WordLists& words, std::uint32_t article_count) {
  if (chunk.articles == nullptr || !sizes_agree(chunk) || !rows_lie_inside(chunk) || !files_lie_inside(chunk)) return false;
  const auto known = [&](const OrderChunk::Column<Code>& column, std::size_t count, Vocabulary vocabulary) {
    return all_below(column, count, words[vocabulary].size());
  };
  const std::size_t lines = chunk.line_net.size();
  return known(chunk.status, chunk.used, Vocabulary::status) && known(chunk.customer, chunk.used, Vocabulary::customer) &&
         known(chunk.customer_name, chunk.used, Vocabulary::customer_name) &&
         known(chunk.salesman, chunk.used, Vocabulary::salesman) &&
         known(chunk.payment_terms, chunk.used, Vocabulary::word) && known(chunk.format, chunk.used, Vocabulary::format) &&
         known(chunk.source, chunk.used, Vocabulary::source) && known(chunk.revision, chunk.used, Vocabulary::revision) &&
         known(chunk.line_warehouse, lines, Vocabulary::word) && known(chunk.line_unit, lines, Vocabulary::word) &&
         all_below(chunk.line_article, lines, article_count);
}

}  // namespace millrace::readmodel
