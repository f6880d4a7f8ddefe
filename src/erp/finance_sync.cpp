#include "erp/finance_sync.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "base/turns.h"
#include "erp/service_sink.h"

namespace millrace::erp {
namespace {

// Raised when the same rows make other documents: what was made by older rules is made again at the next start.
constexpr std::string_view rules_number = "1";
constexpr std::string_view made_key = "made";

// "invoice 9001": a document in a row of papers.
std::string line_of(const FinanceDocument& document) { return std::string(word(document.kind)) + " " + finance_key(document); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) lines.emplace_back(line);
  return lines;
}

// What stands before the first blank, and the rest.
std::pair<std::string, std::string> first_word(const std::string& line) {
  const std::size_t blank = std::min(line.find(' '), line.size());
  return {line.substr(0, blank), blank < line.size() ? line.substr(blank + 1) : ""};
}

std::optional<Day> day_of(const std::optional<RemoteStamp>& stamp) {
  if (!stamp) return std::nullopt;
  return Day(std::chrono::sys_days(std::chrono::days(stamp->day)));
}

}  // namespace

// What one commit is to say, as far as it is known.
struct FinanceSync::Work {
  ingest::FinanceWriter::Wishes wishes;
  std::map<std::pair<FinanceKind, std::string>, std::string> holders;  // numbers given in this commit -> key of the row
  std::map<std::string, Currency> currencies;                         // of documents put, by line_of
  std::map<std::pair<StreamName, std::string>, std::string> papers;    // rows of papers as they will be; "" none
  std::map<std::string, std::string> awaited;                          // the same of the awaited
  std::map<std::string, std::string, std::less<>> orders;              // numbers by key, "" not known
  std::vector<store::KeptRow> rows;
  std::vector<store::KeptKey> rows_removed;
};

// Numbers for keys, from this commit and the record.
struct FinanceSync::Names final : PaperNames {
  Names(FinanceSync& of, Work& with) : sync(of), work(with) {}
  FinanceSync& sync;
  Work& work;

  Result<std::optional<Paper>> paper(StreamName stream, std::string_view key) override {
    const StreamDescriptor* const other = find_stream(sync.dialect_, word(stream));
    if (other == nullptr) return std::optional<Paper>();
    const auto papers = sync.papers_of(*other, std::string(key), work);
    if (!papers) return pass_on(papers);
    const auto lines = lines_of(*papers);
    if (lines.empty()) return std::optional<Paper>();
    const auto [kind, number] = first_word(lines.front());
    if (const auto now = work.currencies.find(lines.front()); now != work.currencies.end()) return std::optional(Paper{number, now->second});
    const auto standing = sync.writer_.standing(sync.source_, parse_finance_kind(kind).value_or(FinanceKind::invoice), number);
    if (!standing) return pass_on(standing);
    if (!*standing) return std::optional<Paper>();
    return std::optional(Paper{number, (*standing)->currency});
  }

  Result<std::string> order(std::string_view key) override {
    if (const auto known = work.orders.find(key); known != work.orders.end()) return known->second;
    std::string& number = work.orders[std::string(key)];
    const StreamDescriptor* const orders = find_stream(sync.dialect_, word(StreamName::orders));
    if (orders == nullptr || key.empty()) return number;
    const auto bytes = sync.record_.kept_one(rows_space(sync.source_, *orders), std::string(key));
    if (!bytes) return pass_on(bytes);
    if (!*bytes) return number;
    const auto row = decode_stored_row(**bytes);
    if (!row) return pass_on(row);
    if (row->row.gone_at) return number;
    const auto held = sync.record_.candidate(sync.source_, path_of(*orders, key_of(*orders, key), row->row.status), 0);
    if (!held && held.error().code() == ErrorCode::not_found) return number;  // never readable
    if (!held) return pass_on(held);
    number = held->order->number.text;
    return number;
  }

  Result<std::string> number(FinanceKind kind, const std::string& number, const std::string& key) override {
    const std::string with_key = number + "/" + key;
    for (const std::string& wish : {with_key, number}) {
      const auto taken = holder(kind, wish);
      if (!taken) return pass_on(taken);
      const bool free = taken->empty() && wish == number;
      if (free || *taken == key) {
        work.holders[{kind, wish}] = key;
        return wish;
      }
    }
    work.holders[{kind, with_key}] = key;
    return with_key;
  }

  // The key of the row whose document has the number, "" when none has.
  Result<std::string> holder(FinanceKind kind, const std::string& number) {
    if (const auto now = work.holders.find({kind, number}); now != work.holders.end()) return now->second;
    const auto standing = sync.writer_.standing(sync.source_, kind, number);
    if (!standing) return pass_on(standing);
    return *standing ? (*standing)->source_key : std::string();
  }
};

FinanceSync::FinanceSync(std::string source, store::Record& record, Dialect dialect, const std::vector<std::string>& streams, bool wanted)
    : source_(std::move(source)), record_(record), writer_(record), dialect_(dialect), wanted_(wanted) {
  const auto name = word(StreamName::payments);
  payments_come_ = find_stream(dialect, name) != nullptr && (streams.empty() || std::ranges::find(streams, name) != streams.end());
}

std::string FinanceSync::papers_space() const { return states_space(source_) + "/papers"; }
std::string FinanceSync::papers_space(StreamName stream) const { return papers_space() + "/" + std::string(word(stream)); }
std::string FinanceSync::awaited_space() const { return papers_space() + "/awaited"; }
std::string FinanceSync::rules() const { return std::string(rules_number) + (payments_come_ ? " payments" : " paid"); }

Result<std::string> FinanceSync::papers_of(const StreamDescriptor& stream, const std::string& key, const Work& work) const {
  if (const auto now = work.papers.find({stream.name, key}); now != work.papers.end()) return now->second;
  auto there = record_.kept_one(papers_space(stream.name), key);
  if (!there) return pass_on(there);
  return there->value_or("");
}

// The day of what an invoice says is paid stays while the amount does: an edit of its text is no payment.
Result<void> FinanceSync::keep_paid_days(std::vector<FinanceDocument>& documents) const {
  for (std::size_t i = 1; i < documents.size(); ++i) {
    const auto before = writer_.standing(source_, documents[i].kind, finance_key(documents[i]));
    if (!before) return pass_on(before);
    if (*before && (*before)->amount == documents[i].amount && (*before)->currency == documents[i].currency) documents[i].posted = (*before)->posted;
  }
  return {};
}

Result<void> FinanceSync::put(const StreamDescriptor& stream, const std::string& key, std::string_view kept, const std::optional<RemoteStamp>& stamp,
                              Work& work, std::string* refusal) {
  Names names(*this, work);
  auto paper = map_paper({source_, stream, key, kept, day_of(stamp), !payments_come_}, names);
  if (!paper) return pass_on(paper, std::string(stream.entity_set) + "(" + key + ")");
  if (!paper->refusal.empty()) {
    if (refusal != nullptr) *refusal = std::move(paper->refusal);
    return {};
  }
  if (auto kept_days = keep_paid_days(paper->documents); !kept_days) return kept_days;
  const auto before = papers_of(stream, key, work);
  if (!before) return pass_on(before);
  std::string now;
  for (FinanceDocument& document : paper->documents) {
    const std::string line = line_of(document);
    now += line + "\n";
    work.currencies[line] = document.currency;
    work.wishes.put.push_back(std::move(document));
  }
  for (const std::string& line : lines_of(*before))
    if (("\n" + now).find("\n" + line + "\n") == std::string::npos) {
      const auto [kind, number] = first_word(line);
      work.wishes.removed.push_back({parse_finance_kind(kind).value_or(FinanceKind::invoice), source_, number, "the ERP has it under another number or as a draft"});
    }
  if (now != *before) work.papers[{stream.name, key}] = now;
  for (const std::string& awaited : paper->awaited)
    if (auto noted = note_awaited(awaited, std::string(word(stream.name)) + " " + key, work); !noted) return noted;
  return {};
}

Result<void> FinanceSync::gone(const StreamDescriptor& stream, const std::string& key, Work& work) {
  const auto before = papers_of(stream, key, work);
  if (!before) return pass_on(before);
  for (const std::string& line : lines_of(*before)) {
    const auto [kind, number] = first_word(line);
    work.wishes.removed.push_back({parse_finance_kind(kind).value_or(FinanceKind::invoice), source_, number, "it is gone from the ERP"});
  }
  if (!before->empty()) work.papers[{stream.name, key}] = "";
  return {};
}

Result<void> FinanceSync::note_awaited(const std::string& paper, const std::string& row, Work& work) {
  auto known = work.awaited.find(paper);
  if (known == work.awaited.end()) {
    auto there = record_.kept_one(awaited_space(), paper);
    if (!there) return pass_on(there);
    known = work.awaited.emplace(paper, there->value_or("")).first;
  }
  if (("\n" + known->second).find("\n" + row + "\n") == std::string::npos) known->second += row + "\n";
  return {};
}

// The rows that settle this one and came before it are made again, now that its number is known.
Result<void> FinanceSync::take_awaited(const StreamDescriptor& stream, const std::string& key, Work& work) {
  const std::string paper = std::string(word(stream.name)) + " " + key;
  if (const auto now = papers_of(stream, key, work); !now || now->empty()) return now ? Result<void>() : pass_on(now);
  const auto there = record_.kept_one(awaited_space(), paper);
  if (!there) return pass_on(there);
  if (!*there || (*there)->empty()) return {};
  work.awaited[paper] = "";
  for (const std::string& line : lines_of(**there)) {
    const auto [name, row] = first_word(line);
    if (const StreamDescriptor* const other = find_stream(dialect_, name))
      if (auto made = remake({other, row}, work); !made) return made;
  }
  return {};
}

Result<ingest::Intake::Kept> FinanceSync::kept_of(const StreamDescriptor& stream, SyncBatch& batch) {
  if (!wanted_ || !makes_papers(stream.name)) return ingest::Intake::Kept{};
  Work work;
  for (RowPut& put : batch.put) {
    give_turn();
    if (put.mapped.kept.empty()) continue;  // cannot be read now: what it said before stays
    std::string refusal;
    const std::string key = key_text(put.key);
    if (auto made = this->put(stream, key, put.mapped.kept, put.stamp, work, &refusal); !made) return pass_on(made);
    if (!refusal.empty())
      put.mapped.document.findings.push_back({feed::Outcome::reject, std::string(stream.key) + " " + printable(key),
                                              "it counts in no figure of money: " + refusal, "", kept_field(put.mapped.kept, "number")});
  }
  for (const RowGone& row : batch.gone)
    if (auto removed = gone(stream, key_text(row.key), work); !removed) return pass_on(removed);
  if (stream.name == StreamName::invoices || stream.name == StreamName::credit_notes || stream.name == StreamName::bills)
    for (const RowPut& put : batch.put)
      if (auto taken = take_awaited(stream, key_text(put.key), work); !taken) return pass_on(taken);
  if (std::exchange(unmarked_, false)) work.rows.push_back({papers_space(), std::string(made_key), rules()});
  return kept_of(std::move(work));
}

Result<ingest::Intake::Kept> FinanceSync::kept_of(Work work) const {
  auto plan = writer_.plan(std::move(work.wishes));
  if (!plan) return pass_on(plan);
  ingest::Intake::Kept kept;
  kept.put = std::move(plan->kept_put);
  kept.removed = std::move(plan->kept_removed);
  kept.changes = std::move(plan->changes);
  std::ranges::move(work.rows, std::back_inserter(kept.put));
  std::ranges::move(work.rows_removed, std::back_inserter(kept.removed));
  const auto keep = [&](std::string space, const std::string& key, const std::string& content) {
    if (content.empty()) kept.removed.push_back({std::move(space), key});
    else kept.put.push_back({std::move(space), key, content});
  };
  for (const auto& [row, content] : work.papers) keep(papers_space(row.first), row.second, content);
  for (const auto& [paper, content] : work.awaited) keep(awaited_space(), paper, content);
  return kept;
}

// ---- rows that are there already

// From what the record holds of the row.
Result<void> FinanceSync::remake(const Remaking& row, Work& work) {
  if (!wanted_) return gone(*row.stream, row.key, work);
  const auto bytes = record_.kept_one(rows_space(source_, *row.stream), row.key);
  if (!bytes) return pass_on(bytes);
  if (!*bytes) return {};
  const auto stored = decode_stored_row(**bytes);
  if (!stored) return pass_on(stored);
  if (stored->row.gone_at || stored->content.empty()) return {};
  return put(*row.stream, row.key, stored->content, stored->row.stamp, work, nullptr);
}

Result<std::vector<std::string>> FinanceSync::keys_in(const std::string& space) const {
  std::vector<std::string> keys;
  const auto read = record_.kept(space, [&](const store::KeptRow& row) {
    keys.push_back(row.key);
    return true;
  });
  if (!read) return pass_on(read);
  return keys;
}

Result<bool> FinanceSync::list_remaking() {
  const auto made = record_.kept_one(papers_space(), std::string(made_key));
  if (!made) return pass_on(made);
  rules_changed_ = made->value_or("") != (wanted_ ? rules() : "");
  if (!rules_changed_) return false;
  for (const StreamDescriptor& stream : streams_of(dialect_)) {
    if (!makes_papers(stream.name)) continue;
    const auto keys = keys_in(wanted_ ? rows_space(source_, stream) : papers_space(stream.name));
    if (!keys) return pass_on(keys);
    for (const std::string& key : *keys) remaking_.push_back({&stream, key});
  }
  std::ranges::reverse(remaking_);  // invoices before what settles them
  unmarked_ = wanted_ && remaking_.empty();
  if (unmarked_) rules_changed_ = false;
  return true;
}

Result<std::optional<ingest::Intake::Kept>> FinanceSync::next_portion() {
  if (!looked_) {
    const auto listed = list_remaking();
    if (!listed) return pass_on(listed);
    looked_ = true;
  }
  if (!rules_changed_) return std::optional<ingest::Intake::Kept>();
  Work work;
  std::size_t rows = 0;
  for (; rows < std::min(rows_in_portion, remaking_.size()); ++rows)
    if (auto made = remake(remaking_[remaking_.size() - 1 - rows], work); !made) return pass_on(made);
  remaking_.resize(remaking_.size() - rows);
  if (remaking_.empty()) {
    rules_changed_ = false;
    if (wanted_) work.rows.push_back({papers_space(), std::string(made_key), rules()});
    else work.rows_removed.push_back({papers_space(), std::string(made_key)});
  }
  auto kept = kept_of(std::move(work));
  if (!kept) return pass_on(kept);
  return std::optional(std::move(*kept));
}

}  // namespace millrace::erp
