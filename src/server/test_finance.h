// What people write of money, in memory: for tests of the server.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "ingest/finance_desk.h"

namespace millrace::server {

// Knows the cost C-17 and one import, i1. Files are read in this process: a test sends no hostile ones.
class TestFinance final : public ingest::FinanceDoor {
 public:
  TestFinance() {
    FinanceDocument cost;
    cost.kind = FinanceKind::cost;
    cost.source = ingest::entered_source;
    cost.number = "C-17";
    cost.category = "Operating";
    cost.currency = *Currency::parse("EUR");
    cost.amount = 9'900;
    cost.posted = parse_iso_day("2026-03-01");
    documents_["cost/C-17"] = cost;
    import_.id = 1;
    import_.file = "costs.csv";
    import_.parts = 1;
  }

  Result<ingest::FinanceAnswer> show(FinanceKind kind, const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(name(kind, key));
    if (found == documents_.end()) return fail(ErrorCode::not_found, "there is no " + name(kind, key));
    return answer(found->second, false);
  }
  Result<ingest::FinanceAnswer> put(FinanceDocument document, const ingest::FinanceBase& base, const ingest::FinanceAsker&, const Others& others) override {
    const std::lock_guard lock(mutex_);
    if (auto fine = check_finance_document(document); !fine) return pass_on(fine);
    const auto other = others(document.kind, finance_key(document));
    if (!other) return pass_on(other);
    if (*other && !(*other)->ours) return fail(ErrorCode::conflict, "it comes from " + (*other)->document.source + "; change it there");
    const auto found = documents_.find(name(document.kind, finance_key(document)));
    const bool is_new = found == documents_.end();
    if (base.version != "*" && base.version != (is_new ? "" : ingest::finance_version(found->second))) {
      if (is_new) return answer(std::nullopt, true);
      return answer(found->second, true);
    }
    document.source = ingest::entered_source;
    documents_[name(document.kind, finance_key(document))] = document;
    auto made = answer(document, false);
    made.is_new = is_new;
    return made;
  }
  Result<ingest::FinanceAnswer> remove(FinanceKind kind, const std::string& key, const ingest::FinanceBase& base, const ingest::FinanceAsker&, const Others&) override {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(name(kind, key));
    if (found == documents_.end()) return fail(ErrorCode::not_found, "there is no " + name(kind, key));
    if (base.version != "*" && base.version != ingest::finance_version(found->second)) return answer(found->second, true);
    documents_.erase(found);
    return answer(std::nullopt, false);
  }
  Result<ingest::FinancePreview> preview(std::string_view file, const ingest::ImportWish& wish, const ingest::FinanceAsker& asker, const Others& others) override {
    const auto table = ingest::parse_finance_table(file);
    if (!table.findings.empty()) return fail(ErrorCode::invalid_input, table.findings.front().reason);
    ingest::ImportOptions options = wish.options;
    options.kind = wish.kind.value_or(FinanceKind::cost);
    auto read = ingest::preview_finance_table(table, options, others);
    if (!read) return pass_on(read);
    return ingest::FinancePreview{"p1", asker.at, std::move(*read)};
  }
  Result<ingest::ImportAnswer> apply(const std::string& preview, bool, const ingest::FinanceAsker&) override {
    if (preview != "p1") return fail(ErrorCode::not_found, "there is no preview " + preview);
    return ingest::ImportAnswer{import_, {}, false};
  }
  Result<ingest::ImportAnswer> undo(std::uint64_t import, const ingest::FinanceAsker& asker) override {
    if (import == 2) return ingest::ImportAnswer{import_, {{"C-17", "cost C-17 was changed since the import"}}, false};
    if (import != 1) return fail(ErrorCode::not_found, "there is no import " + std::to_string(import));
    ingest::ImportAnswer answer{import_, {}, false};
    answer.import.undone_by = asker.author;
    answer.import.undone_at = asker.at;
    return answer;
  }
  Result<ingest::FinanceImports> imports(std::optional<std::uint64_t>, std::size_t) override { return ingest::FinanceImports{{import_}, std::nullopt}; }

 private:
  static std::string name(FinanceKind kind, const std::string& key) { return std::string(word(kind)) + "/" + key; }
  static ingest::FinanceAnswer answer(std::optional<FinanceDocument> now, bool is_conflict) {
    ingest::FinanceAnswer made;
    made.is_conflict = is_conflict;
    if (now) made.version = ingest::finance_version(*now);
    made.now = std::move(now);
    return made;
  }

  std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, FinanceDocument> documents_;
  ingest::KeptImport import_;
};

}  // namespace millrace::server
