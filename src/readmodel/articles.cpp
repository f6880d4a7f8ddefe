#include "readmodel/articles.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"

namespace millrace::readmodel {
namespace {

struct ArticleHash {
  using is_avalanching = void;
  std::size_t operator()(const Article& article) const {
    const std::array<Code, 3> codes{article.item, article.item_name, article.manufacturer};
    return hash64(std::string_view(reinterpret_cast<const char*>(codes.data()), sizeof codes));
  }
};

}  // namespace

struct Articles::Writer {
  boost::unordered_flat_map<Article, Code, ArticleHash> codes;
};

Articles::Articles() : writer_(std::make_unique<Writer>()) { code(Article{}); }
Articles::~Articles() = default;

Code Articles::code(const Article& article) {
  if (const auto found = writer_->codes.find(article); found != writer_->codes.end()) return found->second;
  const auto [segment, offset] = segment_place(size_);
  check(segment < segment_count, "there are fewer than four billion articles");
  if (!segments_[segment]) {
    segments_[segment] = std::make_unique<Article[]>(std::size_t{first_segment} << segment);
    segment_bytes_ += (std::size_t{first_segment} << segment) * sizeof(Article);
  }
  segments_[segment][offset] = article;
  writer_->codes.emplace(article, size_);
  heap_bytes_.store(segment_bytes_ + writer_->codes.bucket_count() * (sizeof(Article) + sizeof(Code) + 1), std::memory_order_relaxed);
  return size_++;
}

}  // namespace millrace::readmodel
