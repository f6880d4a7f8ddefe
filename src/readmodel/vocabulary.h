// The dictionaries of the order book, one per kind of word.
#pragma once
#include <array>
#include <memory>

#include "readmodel/articles.h"
#include "readmodel/dictionary.h"

namespace millrace::readmodel {

enum class Vocabulary : std::uint8_t {
  status, customer, customer_name, salesman, format, source, revision, item, item_name, manufacturer,
  word,  // units, warehouses, payment terms, names of extra fields
};
inline constexpr std::size_t vocabulary_count = 11;

class Dictionaries {
 public:
  Dictionaries() {
    for (auto& dictionary : all_) dictionary = std::make_shared<Dictionary>();
  }
  Code code(Vocabulary vocabulary, std::string_view text) {
    return all_[static_cast<std::size_t>(vocabulary)]->code(text);
  }
  Code article(const Article& article) { return articles_->code(article); }
  std::shared_ptr<const Articles> articles() const { return articles_; }
  // Everything written so far.
  Words words(Vocabulary vocabulary) const {
    const auto& dictionary = all_[static_cast<std::size_t>(vocabulary)];
    return Words(dictionary, dictionary->size());
  }
  std::array<Words, vocabulary_count> publish() const {
    std::array<Words, vocabulary_count> words;
    for (std::size_t i = 0; i < vocabulary_count; ++i) words[i] = Words(all_[i], all_[i]->size());
    return words;
  }

 private:
  std::array<std::shared_ptr<Dictionary>, vocabulary_count> all_;
  std::shared_ptr<Articles> articles_ = std::make_shared<Articles>();
};

class WordLists {
 public:
  WordLists() = default;
  explicit WordLists(std::array<Words, vocabulary_count> words) : words_(std::move(words)) {}
  const Words& operator[](Vocabulary vocabulary) const { return words_[static_cast<std::size_t>(vocabulary)]; }

 private:
  std::array<Words, vocabulary_count> words_;
};

}  // namespace millrace::readmodel
