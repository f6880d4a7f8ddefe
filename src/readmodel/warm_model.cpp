#include "readmodel/warm_model.h"

#include <algorithm>

#include "base/bytes.h"
#include "domain/finance_codec.h"
#include "readmodel/chunk_check.h"

namespace millrace::readmodel {
namespace {

constexpr std::uint32_t head_section = 1, words_section = 2, chunk_section = 3, kept_section = 4, rejections_section = 5,
                        articles_section = 6, finance_section = 7, documents_section = 8;
constexpr std::size_t section_bytes = 1u << 20;

// ---- one chunk

void put_column(ByteWriter& out, const PackedColumn& column) {
  const PackedColumn::Form form = column.form();
  out.varint(form.base);
  out.varint(form.step);
  out.varint(form.size);
  out.u8(form.bits);
  out.u8(form.nones);
  out.u8(form.open ? 1 : 0);
  out.text({reinterpret_cast<const char*>(form.bytes.data()), form.bytes.size()});
}

bool take_column(ByteReader& in, PackedColumn& column) {
  PackedColumn::Form form;
  form.base = in.varint();
  form.step = in.varint();
  const std::uint64_t size = in.varint();
  form.bits = in.u8();
  form.nones = in.u8();
  form.open = in.u8() != 0;
  const std::string_view bytes = in.text();
  if (!in.ok() || size > std::numeric_limits<std::uint32_t>::max()) return false;
  form.size = static_cast<std::uint32_t>(size);
  form.bytes = {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  return column.restore(form);
}

std::string chunk_bytes(const OrderChunk& from, std::size_t index) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(index);
  out.varint(from.used);
  out.varint(from.line_waste);
  out.varint(from.text_waste);
  out.varint(from.record_waste);
  for_each_column(from, [&](const char*, const auto& column) { put_column(out, column); });
  for_each_heap(from, [&](const char*, const auto& heap) { out.text({heap.data(), heap.size()}); });
  return bytes;
}

// ---- kept sums

void put_sum(ByteWriter& out, const Sum& sum) {
  out.varint(sum.orders);
  out.varint(sum.lines);
  out.varint(sum.open_orders);
  for (const std::int64_t amount : {sum.net, sum.total, sum.open_amount, sum.open_orders_amount}) out.signed_varint(amount);
}
Sum take_sum(ByteReader& in) {
  Sum sum;
  sum.orders = in.varint();
  sum.lines = in.varint();
  sum.open_orders = in.varint();
  for (std::int64_t* amount : {&sum.net, &sum.total, &sum.open_amount, &sum.open_orders_amount}) *amount = in.signed_varint();
  return sum;
}

std::string kept_bytes(const KeptSpine& spine, std::size_t group) {
  std::string entries, names, bytes;
  ByteWriter entries_out(entries), names_out(names), out(bytes);
  std::uint64_t entry_count = 0, name_count = 0;
  for (std::size_t b = 0; b < spine.size(); ++b) {
    if (spine[b] == nullptr) continue;
    for (const KeptEntry& entry : spine[b]->entries) {
      ++entry_count;
      entries_out.varint(entry.key);
      entries_out.varint(entry.currency);
      put_sum(entries_out, entry.sum);
    }
    for (std::size_t i = 0; i < spine[b]->names.size(); ++i) {
      if (spine[b]->names[i] == 0) continue;
      ++name_count;
      names_out.varint(b * kept_block_keys + i);
      names_out.varint(spine[b]->names[i]);
    }
  }
  out.varint(group);
  out.varint(entry_count);
  out.varint(name_count);
  return bytes + entries + names;
}

// Only codes that a chunk holds are anybody's; the table itself may have grown since.
std::uint32_t article_count(const Snapshot& snapshot) {
  std::uint32_t count = 1;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const auto& codes = snapshot.chunk(c).line_article;
    for (std::size_t i = 0; i < codes.size(); ++i) count = std::max(count, codes[i] + 1);
  }
  return count;
}

void write_finance(const FinanceView& finance, const WarmSection& section) {
  std::string bytes;
  ByteWriter out(bytes);
  std::uint64_t documents = 0;
  for (const std::uint64_t count : finance.parts().counts) documents += count;
  out.varint(finance.version());
  out.varint(documents);
  out.varint(finance.party_count());
  for (std::uint32_t code = 0; code < finance.party_count(); ++code) {
    const PartyBlock::Party& party = finance.party_entry(code);
    out.u8(static_cast<std::uint8_t>(party.side));
    out.text(party.code);
    out.text(party.name);
  }
  section(finance_section, bytes);
  bytes.clear();
  const auto& chunks = *finance.parts().documents;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    for (std::size_t i = 0; chunks[c] != nullptr && i < document_chunk_rows; ++i) {
      if (chunks[c]->kind[i] == 0) continue;
      out.varint(c * document_chunk_rows + i);
      out.text(chunks[c]->bytes(i));
    }
    if (bytes.size() < section_bytes && c + 1 < chunks.size()) continue;
    section(documents_section, bytes);
    bytes.clear();
  }
}

}  // namespace

void write_warm(const Snapshot& snapshot, const WarmSection& section) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(snapshot.as_of().value);
  out.signed_varint(snapshot.as_of_time().time_since_epoch().count());
  out.varint(snapshot.order_count());
  out.varint(snapshot.line_count());
  out.varint(snapshot.chunk_count());
  out.varint(snapshot.rejections().size());
  for (std::size_t v = 0; v < vocabulary_count; ++v) out.varint(snapshot.words(static_cast<Vocabulary>(v)).size());
  section(head_section, bytes);
  for (std::size_t v = 0; v < vocabulary_count; ++v) {
    const Words& texts = snapshot.words(static_cast<Vocabulary>(v));
    for (Code code = 0; code < texts.size();) {
      bytes.clear();
      out.varint(v);
      out.varint(code);
      for (; code < texts.size() && bytes.size() < section_bytes; ++code) out.text(texts.text(code));
      section(words_section, bytes);
    }
  }
  bytes.clear();
  if (snapshot.chunk_count() > 0) {
    const Articles& articles = *snapshot.chunk(0).articles;
    for (Code code = 0, count = article_count(snapshot); code < count; ++code) {
      const Article& article = articles[code];
      for (const Code part : {article.item, article.item_name, article.manufacturer}) out.varint(part);
    }
  }
  section(articles_section, bytes);
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) section(chunk_section, chunk_bytes(snapshot.chunk(c), c));
  for (std::size_t g = 0; g < kept_group_count; ++g) section(kept_section, kept_bytes(snapshot.kept(static_cast<KeptGroup>(g)), g));
  bytes.clear();
  for (const auto& rejection : snapshot.rejections()) out.text(feed::encode_payload(feed::rejection_put(*rejection)));
  section(rejections_section, bytes);
  write_finance(snapshot.finance(), section);
}

// ---- reading

Result<void> WarmReader::add(std::uint32_t number, std::string_view bytes) {
  bool right = false;
  switch (number) {
    case head_section: right = !has_head_ && add_head(bytes); break;
    case words_section: right = has_head_ && add_words(bytes); break;
    case articles_section: right = has_head_ && add_articles(bytes); break;
    case chunk_section: right = has_head_ && add_chunk(bytes); break;
    case kept_section: right = has_head_ && add_kept(bytes); break;
    case rejections_section: right = has_head_ && add_rejections(bytes); break;
    case finance_section: right = has_head_ && !document_count_ && add_finance(bytes); break;
    case documents_section: right = document_count_ && add_documents(bytes); break;
    default: break;
  }
  if (!right) return fail(ErrorCode::corrupt, "section " + std::to_string(number) + " of the read model makes no sense");
  return {};
}

bool WarmReader::add_head(std::string_view bytes) {
  ByteReader in(bytes);
  parts_.as_of = feed::Sequence{in.varint()};
  parts_.as_of_time = Instant{std::chrono::milliseconds{in.signed_varint()}};
  parts_.order_count = in.varint();
  parts_.line_count = in.varint();
  const std::uint64_t chunks = in.varint();
  rejection_count_ = in.varint();
  for (std::uint64_t& count : word_counts_) count = in.varint();
  // Rows are numbered with 32 bits.
  if (!in.ok() || !in.at_end() || chunks > std::numeric_limits<RowId>::max() / chunk_rows) return false;
  parts_.chunks.resize(chunks);
  has_head_ = true;
  return true;
}

bool WarmReader::add_words(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t vocabulary = in.varint();
  if (vocabulary >= vocabulary_count) return false;
  std::uint32_t& read = words_read_[vocabulary];
  if (in.varint() != read) return false;
  // A text that was there before would get its old code: then the codes behind it would mean something else.
  for (; in.ok() && !in.at_end(); ++read)
    if (parts_.words.code(static_cast<Vocabulary>(vocabulary), in.text()) != read) return false;
  return in.ok() && read <= word_counts_[vocabulary];
}

bool WarmReader::add_articles(std::string_view bytes) {
  for (std::size_t v = 0; v < vocabulary_count; ++v)
    if (words_read_[v] != word_counts_[v]) return false;
  lists_ = WordLists(parts_.words.publish());
  ByteReader in(bytes);
  const auto code = [&](Vocabulary vocabulary) {
    const std::uint64_t read = in.varint();
    if (read >= lists_[vocabulary].size()) in.fail();
    return static_cast<Code>(read);
  };
  for (; in.ok() && !in.at_end(); ++articles_read_) {
    Article article;
    article.item = code(Vocabulary::item);
    article.item_name = code(Vocabulary::item_name);
    article.manufacturer = code(Vocabulary::manufacturer);
    if (!in.ok() || parts_.words.article(article) != articles_read_) return false;
  }
  return in.ok();
}

bool WarmReader::add_chunk(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t index = in.varint();
  if (index >= parts_.chunks.size() || parts_.chunks[index] != nullptr) return false;
  auto made = std::make_shared<OrderChunk>();
  const std::uint64_t used = in.varint();
  made->line_waste = in.varint();
  made->text_waste = in.varint();
  made->record_waste = in.varint();
  if (used > chunk_rows) return false;
  made->used = static_cast<std::uint32_t>(used);
  bool right = true;
  for_each_column(*made, [&](const char*, auto& column) { right = right && take_column(in, column); });
  for_each_heap(*made, [&](const char*, auto& heap) {
    const std::string_view text = in.text();
    heap.assign(text.begin(), text.end());
  });
  made->articles = parts_.words.articles();
  if (!right || !in.ok() || !in.at_end() || !is_sound(*made, lists_, articles_read_)) return false;
  parts_.chunks[index] = std::move(made);
  return true;
}

bool WarmReader::add_kept(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t group = in.varint();
  if (group >= kept_group_count || !parts_.kept[group].empty()) return false;
  const std::uint64_t entries = in.varint(), names = in.varint();
  const bool has_names = static_cast<KeptGroup>(group) == KeptGroup::customer || static_cast<KeptGroup>(group) == KeptGroup::item;
  if (names > 0 && !has_names) return false;
  // Days are spread over slots in the order they were seen; all other keys are codes.
  const std::array<std::uint64_t, kept_group_count> bounds{
      word_counts_[static_cast<std::size_t>(Vocabulary::customer)],     word_counts_[static_cast<std::size_t>(Vocabulary::item)],
      word_counts_[static_cast<std::size_t>(Vocabulary::manufacturer)], word_counts_[static_cast<std::size_t>(Vocabulary::salesman)],
      word_counts_[static_cast<std::size_t>(Vocabulary::status)],       std::uint64_t{1} << 32};
  const Vocabulary name_words = static_cast<KeptGroup>(group) == KeptGroup::item ? Vocabulary::item_name : Vocabulary::customer_name;
  for (std::uint64_t i = 0; i < entries && in.ok(); ++i) {
    const std::uint64_t key = in.varint(), currency = in.varint();
    if (key >= bounds[group] || currency > std::numeric_limits<std::uint32_t>::max()) return false;
    parts_.kept[group].push_back({static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(currency), take_sum(in)});
  }
  for (std::uint64_t i = 0; i < names && in.ok(); ++i) {
    const std::uint64_t slot = in.varint(), name = in.varint();
    if (slot >= bounds[group] || name >= word_counts_[static_cast<std::size_t>(name_words)]) return false;
    parts_.names[group].push_back({static_cast<std::uint32_t>(slot), static_cast<Code>(name)});
  }
  return in.ok() && in.at_end();
}

bool WarmReader::add_rejections(std::string_view bytes) {
  ByteReader in(bytes);
  std::uint64_t last = 0;
  while (in.ok() && !in.at_end()) {
    auto change = feed::decode_payload(feed::ChangeKind::rejection_put, in.text());
    if (!change) return false;
    feed::Rejection& rejection = change->rejection_put.rejection;
    if (!parts_.rejections.empty() && rejection.id <= last) return false;
    last = rejection.id;
    parts_.rejections.push_back(std::make_shared<const feed::Rejection>(std::move(rejection)));
  }
  return in.ok();
}

bool WarmReader::add_finance(std::string_view bytes) {
  ByteReader in(bytes);
  parts_.finance_version = in.varint();
  document_count_ = in.varint();
  parts_.finance_parties.resize(in.count(3));
  for (WarmParts::Party& party : parts_.finance_parties) {
    const std::uint8_t side = in.u8();
    if (side > static_cast<std::uint8_t>(LedgerSide::payables)) return false;
    party.side = static_cast<LedgerSide>(side);
    party.code = in.text();
    party.name = in.text();
  }
  return in.ok() && in.at_end() && parts_.finance_version <= parts_.as_of.value;
}

bool WarmReader::add_documents(std::string_view bytes) {
  ByteReader in(bytes);
  while (in.ok() && !in.at_end()) {
    const std::uint64_t row = in.varint();
    const std::string_view document = in.text();
    // Rows ascend, and leave no more free ones than a book can have.
    const bool follows = parts_.finance_documents.empty() || row > parts_.finance_documents.back().first;
    if (!in.ok() || !follows || row >= std::numeric_limits<std::uint32_t>::max() || !decode_finance_document(document)) return false;
    parts_.finance_documents.emplace_back(static_cast<std::uint32_t>(row), document);
  }
  return in.ok() && parts_.finance_documents.size() <= *document_count_;
}

Result<WarmParts> WarmReader::finish() {
  bool whole = has_head_ && parts_.rejections.size() == rejection_count_ && document_count_ == parts_.finance_documents.size();
  for (std::size_t v = 0; v < vocabulary_count; ++v) whole = whole && words_read_[v] == word_counts_[v];
  std::uint64_t live = 0, lines = 0;
  for (std::size_t c = 0; whole && c < parts_.chunks.size(); ++c) {
    const auto& chunk_read = parts_.chunks[c];
    // Rows are given out one after the other: only the last chunk may have some that were never used.
    whole = chunk_read != nullptr && (c + 1 == parts_.chunks.size() || chunk_read->used == chunk_rows);
    for (std::size_t row = 0; whole && row < chunk_read->used; ++row)
      if (chunk_read->live[row]) ++live, lines += chunk_read->lines[row];
  }
  if (!whole || live != parts_.order_count || lines != parts_.line_count)
    return fail(ErrorCode::corrupt, "the read model in the file is not whole");
  return std::move(parts_);
}

}  // namespace millrace::readmodel
