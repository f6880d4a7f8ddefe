#include "ingest/finance_writer.h"

#include <algorithm>
#include <unordered_map>

#include "base/turns.h"
#include "domain/finance_codec.h"

namespace millrace::ingest {

std::string finance_space(std::string_view source, FinanceKind kind) {
  return "finance/" + std::string(source) + "/" + std::string(word(kind));
}

Result<std::optional<FinanceDocument>> FinanceWriter::standing(std::string_view source, FinanceKind kind, const std::string& key) const {
  const auto bytes = record_.kept_one(finance_space(source, kind), key);
  if (!bytes) return pass_on(bytes);
  if (!*bytes) return std::optional<FinanceDocument>();
  auto document = decode_finance_document(**bytes);
  if (!document) return pass_on(document, "reading the " + std::string(word(kind)) + " " + key);
  return std::optional(std::move(*document));
}

Result<FinanceWriter::Plan> FinanceWriter::plan(Wishes wishes) const {
  Plan plan;
  plan.kept_put = std::move(wishes.kept_put);
  plan.kept_removed = std::move(wishes.kept_removed);
  std::unordered_map<std::string, std::size_t> last;  // of the documents with one key
  const auto name = [](const std::string& space, const std::string& key) { return space + "\n" + key; };
  for (std::size_t i = 0; i < wishes.put.size(); ++i) {
    const FinanceDocument& document = wishes.put[i];
    if (auto fine = check_finance_document(document); !fine) plan.refused.push_back({i, fine.error().text()});
    else last[name(finance_space(document.source, document.kind), finance_key(document))] = i;
  }
  for (const Removal& removal : wishes.removed) {
    const std::string space = finance_space(removal.source, removal.kind);
    if (last.contains(name(space, removal.key))) continue;
    const auto there = record_.kept_one(space, removal.key);
    if (!there) return pass_on(there);
    if (!*there) continue;
    plan.kept_removed.push_back({space, removal.key});
    plan.changes.push_back(feed::finance_removed({removal.kind, removal.source, removal.key, removal.reason, wishes.by}));
    ++plan.removed;
  }
  for (std::size_t i = 0; i < wishes.put.size(); ++i) {
    give_turn();
    FinanceDocument& document = wishes.put[i];
    const std::string space = finance_space(document.source, document.kind), key = finance_key(document);
    const auto counts = last.find(name(space, key));
    if (counts == last.end() || counts->second != i) continue;  // refused, or said again further down
    const auto before = standing(document.source, document.kind, key);
    if (!before) return pass_on(before);
    if (*before && equal_but_origin(**before, document)) {
      ++plan.unchanged;
      continue;
    }
    ++plan.put;
    plan.kept_put.push_back({space, key, encode(document)});
    plan.changes.push_back(feed::finance_put(std::move(document), wishes.by));
  }
  return plan;
}

Result<FinanceWriter::Plan> FinanceWriter::write(Wishes wishes) {
  const std::lock_guard lock(mutex_);
  auto plan = this->plan(std::move(wishes));
  if (!plan) return plan;
  if (!plan->refused.empty()) return fail(ErrorCode::invalid_input, plan->refused.front().reason);
  store::Batch batch;
  batch.changes = plan->changes;
  batch.kept_put = plan->kept_put;
  batch.kept_removed = plan->kept_removed;
  if (batch.empty()) return plan;
  auto committed = record_.commit(std::move(batch));
  if (!committed) return pass_on(committed);
  plan->changes = std::move(committed->changes);
  return plan;
}

}  // namespace millrace::ingest
