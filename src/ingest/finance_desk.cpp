#include "ingest/finance_desk.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr auto preview_kept_for = std::chrono::minutes(30);
constexpr std::size_t conflicts_told_max = 100;

std::string random_id() {
  std::random_device random;
  std::string id = "p";
  for (int i = 0; i < 4; ++i)
    for (std::uint32_t word = random(), digits = 0; digits < 8; ++digits, word >>= 4) id += "0123456789abcdef"[word & 15];
  return id;
}

std::string padded(std::uint64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}
std::string import_key(std::uint64_t id) { return padded(id, 12); }
std::string part_key(std::uint64_t id, std::uint32_t part) { return import_key(id) + "-" + padded(part, 6); }

std::string spoken(FinanceKind kind, const std::string& key) {
  std::string text(word(kind));
  std::ranges::replace(text, '_', ' ');
  return text + " " + printable(std::string_view(key).substr(0, 200));
}

Failure not_ours(FinanceKind kind, const std::string& key, const std::string& source) {
  return fail(ErrorCode::conflict, spoken(kind, key) + " comes from " + printable(source) + "; change it there");
}

bool fits(const FinanceBase& base, const std::optional<FinanceDocument>& now) {
  if (base.version == "*") return true;
  return base.version == (now ? finance_version(*now) : std::string());
}

FinanceAnswer answer_of(std::optional<FinanceDocument> now, bool is_conflict = false) {
  FinanceAnswer answer;
  answer.is_conflict = is_conflict;
  if (now) answer.version = finance_version(*now);
  answer.now = std::move(now);
  return answer;
}

}  // namespace

FinanceDesk::FinanceDesk(store::Record& record, FinanceWriter& writer, std::optional<ParserPoolOptions> parsers) : record_(record), writer_(writer), reader_(std::move(parsers)) {}

// What stands of the documents that people write, entered ones before imported ones.
Result<std::optional<FinanceDocument>> FinanceDesk::own(FinanceKind kind, const std::string& key) {
  for (const std::string_view source : {entered_source, import_source}) {
    auto document = writer_.standing(source, kind, key);
    if (!document || *document) return document;
  }
  return std::optional<FinanceDocument>();
}

Result<std::optional<StandingDocument>> FinanceDesk::standing(FinanceKind kind, const std::string& key, const Others& others) {
  auto own = this->own(kind, key);
  if (!own) return pass_on(own);
  if (*own) return std::optional(StandingDocument{std::move(**own), true});
  auto other = others(kind, key);
  // The read model may not have heard yet that one of ours is gone.
  if (other && *other && ((*other)->document.source == entered_source || (*other)->document.source == import_source)) return std::optional<StandingDocument>();
  if (other && *other) (*other)->ours = false;
  return other;
}

// ---- one document

Result<FinanceAnswer> FinanceDesk::show(FinanceKind kind, const std::string& key) {
  auto now = own(kind, key);
  if (!now) return pass_on(now);
  if (!*now) return fail(ErrorCode::not_found, "no " + spoken(kind, key) + " was entered or imported here");
  return answer_of(std::move(*now));
}

Result<FinanceAnswer> FinanceDesk::put(FinanceDocument document, const FinanceBase& base, const FinanceAsker& asker, const Others& others) {
  document.source = entered_source;
  document.origin = asker.author;
  document.place = {};
  if (auto fine = check_finance_document(document); !fine) return pass_on(fine);
  const std::string key = finance_key(document);
  const std::lock_guard lock(mutex_);
  auto now = standing(document.kind, key, others);
  if (!now) return pass_on(now);
  if (*now && !(*now)->ours) return not_ours(document.kind, key, (*now)->document.source);
  std::optional<FinanceDocument> before;
  if (*now) before = std::move((*now)->document);
  if (!fits(base, before)) return answer_of(std::move(before), true);
  if (before) {
    document.source = before->source;  // an imported document stays the file's: the next import finds it
    document.source_key = before->source_key;
    if (finance_version(document) == finance_version(*before)) return answer_of(std::move(before));
  }
  FinanceWriter::Wishes wishes;
  wishes.put.push_back(document);
  wishes.by = asker.author;
  if (auto written = writer_.write(std::move(wishes)); !written) return pass_on(written);
  FinanceAnswer answer = answer_of(std::move(document));
  answer.is_new = !before;
  return answer;
}

Result<FinanceAnswer> FinanceDesk::remove(FinanceKind kind, const std::string& key, const FinanceBase& base, const FinanceAsker& asker, const Others& others) {
  const std::lock_guard lock(mutex_);
  auto now = standing(kind, key, others);
  if (!now) return pass_on(now);
  if (!*now) return fail(ErrorCode::not_found, "there is no " + spoken(kind, key) + "; it may be removed already");
  if (!(*now)->ours) return not_ours(kind, key, (*now)->document.source);
  if (!fits(base, (*now)->document)) return answer_of(std::move((*now)->document), true);
  FinanceWriter::Wishes wishes;
  wishes.removed.push_back({kind, (*now)->document.source, key});
  wishes.by = asker.author;
  if (auto written = writer_.write(std::move(wishes)); !written) return pass_on(written);
  return answer_of(std::nullopt);
}

// ---- files

Result<FinancePreview> FinanceDesk::preview(std::string_view file, const ImportWish& wish, const FinanceAsker& asker, const Others& others) {
  const auto table = reader_.read(file, finance_table_name);
  if (!table) return pass_on(table);
  return preview_table(*table, wish, asker, others);
}

Result<FinancePreview> FinanceDesk::preview_table(const ParsedDocument& table, const ImportWish& wish, const FinanceAsker& asker, const Others& others) {
  const auto kind = wish.kind ? wish.kind : guess_finance_kind(table, wish.file);
  if (!kind) return fail(ErrorCode::invalid_input, "what the file holds is not told by its name or its columns; say which kind, like kind=cost");
  ImportOptions options = wish.options;
  options.kind = *kind;
  options.origin = wish.file.empty() ? asker.author : wish.file;
  auto read = preview_finance_table(table, options, [&](FinanceKind of, const std::string& key) { return standing(of, key, others); });
  if (!read) return pass_on(read);
  FinancePreview answer{random_id(), asker.at + preview_kept_for, std::move(*read)};
  Preview kept{asker.author, wish.file, *kind, answer.until, {}, answer.preview.counts.refused, std::nullopt};
  for (ImportRow& row : answer.preview.rows) {
    const bool doubtful = row.state == ImportRow::State::doubtful;
    if (doubtful || row.state == ImportRow::State::fresh || row.state == ImportRow::State::changed)
      kept.wishes.push_back({row.document, row.before ? finance_version(*row.before) : std::string(), doubtful});
  }
  const std::lock_guard lock(mutex_);
  keep_preview(answer.id, std::move(kept), asker.at);
  return answer;
}

void FinanceDesk::keep_preview(const std::string& id, Preview preview, Instant now) {
  std::erase_if(previews_, [&](const auto& known) { return known.second.until <= now; });
  const auto rows = [&] {
    std::size_t sum = preview.wishes.size();
    for (const auto& [name, known] : previews_) sum += known.wishes.size();
    return sum;
  };
  while (!previews_.empty() && (previews_.size() >= previews_max || rows() > preview_rows_max))
    previews_.erase(std::ranges::min_element(previews_, {}, [](const auto& known) { return known.second.until; }));
  previews_[id] = std::move(preview);
}

Result<void> FinanceDesk::load_imports() {
  if (imports_known_) return {};
  std::optional<Error> damage;
  std::map<std::uint64_t, KeptImport> known;
  const auto read = record_.kept(std::string(finance_imports_space), [&](store::KeptRow row) {
    auto import = decode_kept_import(row.content);
    if (!import) damage = import.error();
    else known[import->id] = std::move(*import);
    return !damage;
  });
  if (!read) return pass_on(read);
  if (damage) return fail(damage->code(), damage->text());
  imports_ = std::move(known);
  imports_known_ = true;
  return {};
}

Result<ImportAnswer> FinanceDesk::apply(const std::string& id, bool take_doubtful, const FinanceAsker& asker) {
  const std::lock_guard lock(mutex_);  // the same preview from two windows: one after the other
  const auto found = previews_.find(id);
  if (found == previews_.end() || found->second.until <= asker.at || found->second.author != asker.author)
    return fail(ErrorCode::not_found, "there is no preview \"" + printable(std::string_view(id).substr(0, 64)) + "\" (any more); upload the file again");
  Preview& preview = found->second;
  if (preview.applied) {
    ImportAnswer again = *preview.applied;
    again.replayed = true;
    return again;
  }
  if (auto known = load_imports(); !known) return pass_on(known);
  ImportAnswer answer;
  std::vector<FinanceDocument> put;
  std::vector<ImportTrace> traces;
  answer.import = {0, preview.kind, asker.author, preview.file, asker.at, 0, 0, preview.left, 0, "", std::nullopt};
  for (const Wish& wish : preview.wishes) {
    if (wish.is_doubtful && !take_doubtful) {
      ++answer.import.left;
      continue;
    }
    const std::string key = finance_key(wish.document);
    auto before = own(preview.kind, key);
    if (!before) return pass_on(before);
    if (wish.before != (*before ? finance_version(**before) : std::string()) && answer.conflicts.size() < conflicts_told_max)
      answer.conflicts.push_back({key, spoken(preview.kind, key) + " was changed since the preview"});
    ++(*before ? answer.import.changed : answer.import.created);
    traces.push_back({key, finance_version(wish.document), wish.document.source, std::move(*before)});
    put.push_back(wish.document);
  }
  if (!answer.conflicts.empty()) return answer;
  if (put.empty()) return fail(ErrorCode::invalid_input, "there is nothing to take in this file: its rows stand there already, are doubtful or refused");
  auto committed = commit_import(answer.import, std::move(put), traces);
  if (!committed) return pass_on(committed);
  answer.import = std::move(*committed);
  preview.applied = answer;
  preview.wishes.clear();
  return answer;
}

Result<KeptImport> FinanceDesk::commit_import(KeptImport import, std::vector<FinanceDocument> put, const std::vector<ImportTrace>& traces) {
  import.id = imports_.empty() ? 1 : imports_.rbegin()->first + 1;
  FinanceWriter::Wishes wishes;
  wishes.put = std::move(put);
  wishes.by = import.author;
  for (std::size_t begin = 0; begin < traces.size(); begin += part_size) {
    const std::vector<ImportTrace> part(traces.begin() + static_cast<std::ptrdiff_t>(begin), traces.begin() + static_cast<std::ptrdiff_t>(std::min(begin + part_size, traces.size())));
    wishes.kept_put.push_back({std::string(finance_import_parts_space), part_key(import.id, import.parts++), encode(part)});
  }
  wishes.kept_put.push_back({std::string(finance_imports_space), import_key(import.id), encode(import)});
  // Of old imports it is kept that they were; of very old ones nothing.
  std::map<std::uint64_t, KeptImport> after = imports_;
  std::size_t undoable = 0;
  for (auto known = after.rbegin(); known != after.rend(); ++known) {
    if (known->second.parts == 0 || ++undoable < undo_max) continue;
    for (std::uint32_t part = 0; part < known->second.parts; ++part) wishes.kept_removed.push_back({std::string(finance_import_parts_space), part_key(known->first, part)});
    known->second.parts = 0;
    wishes.kept_put.push_back({std::string(finance_imports_space), import_key(known->first), encode(known->second)});
  }
  while (after.size() >= imports_max) {
    std::erase_if(wishes.kept_put, [&](const store::KeptRow& row) { return row.space == finance_imports_space && row.key == import_key(after.begin()->first); });
    wishes.kept_removed.push_back({std::string(finance_imports_space), import_key(after.begin()->first)});
    after.erase(after.begin());
  }
  if (auto written = writer_.write(std::move(wishes)); !written) return pass_on(written);
  after[import.id] = import;
  imports_ = std::move(after);
  return import;
}

Result<std::vector<ImportTrace>> FinanceDesk::traces(const KeptImport& import) {
  std::vector<ImportTrace> all;
  for (std::uint32_t part = 0; part < import.parts; ++part) {
    const auto bytes = record_.kept_one(std::string(finance_import_parts_space), part_key(import.id, part));
    if (!bytes) return pass_on(bytes);
    if (!*bytes) return fail(ErrorCode::corrupt, "a part of import " + std::to_string(import.id) + " is missing; restore the last backup");
    auto traces = decode_import_part(**bytes);
    if (!traces) return pass_on(traces);
    std::ranges::move(*traces, std::back_inserter(all));
  }
  return all;
}

Result<ImportAnswer> FinanceDesk::undo(std::uint64_t id, const FinanceAsker& asker) {
  const std::lock_guard lock(mutex_);
  if (auto known = load_imports(); !known) return pass_on(known);
  const auto found = imports_.find(id);
  const std::string name = "import " + std::to_string(id);
  if (found == imports_.end()) return fail(ErrorCode::not_found, "there is no " + name + "; the list of imports names those there are");
  if (found->second.undone_at) return fail(ErrorCode::conflict, name + " was undone already, by " + printable(found->second.undone_by) + " at " + rfc3339(*found->second.undone_at));
  if (found->second.parts == 0) return fail(ErrorCode::conflict, name + " is too old to be undone; only the last " + std::to_string(undo_max) + " can be");
  const auto traces = this->traces(found->second);
  if (!traces) return pass_on(traces);
  ImportAnswer answer{found->second, {}, false};
  FinanceWriter::Wishes wishes;
  wishes.by = asker.author;
  for (const ImportTrace& trace : *traces) {
    auto now = own(found->second.kind, trace.key);
    if (!now) return pass_on(now);
    if (!*now || finance_version(**now) != trace.made) {
      if (answer.conflicts.size() < conflicts_told_max)
        answer.conflicts.push_back({trace.key, spoken(found->second.kind, trace.key) + (*now ? " was changed since the import" : " was removed since the import")});
      continue;
    }
    if (trace.before) wishes.put.push_back(*trace.before);
    else wishes.removed.push_back({found->second.kind, trace.source, trace.key});
  }
  if (!answer.conflicts.empty()) return answer;
  answer.import.undone_by = asker.author;
  answer.import.undone_at = asker.at;
  const std::uint32_t parts = std::exchange(answer.import.parts, 0);  // nobody needs them any more
  for (std::uint32_t part = 0; part < parts; ++part) wishes.kept_removed.push_back({std::string(finance_import_parts_space), part_key(id, part)});
  wishes.kept_put.push_back({std::string(finance_imports_space), import_key(id), encode(answer.import)});
  if (auto written = writer_.write(std::move(wishes)); !written) return pass_on(written);
  found->second = answer.import;
  return answer;
}

Result<FinanceImports> FinanceDesk::imports(std::optional<std::uint64_t> before, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  if (auto known = load_imports(); !known) return pass_on(known);
  FinanceImports page;
  auto end = before ? imports_.lower_bound(*before) : imports_.end();
  while (end != imports_.begin() && page.imports.size() < limit) page.imports.push_back((--end)->second);
  if (end != imports_.begin() && !page.imports.empty()) page.next = page.imports.back().id;
  return page;
}

}  // namespace millrace::ingest
