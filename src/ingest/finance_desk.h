// What people write of a company's money: single documents on the screen, and whole files with a preview before and an undo
// after.
//
//   kept row   space "finance_imports",       key import id as 12 digits,            content `encode(KeptImport)`
//   kept row   space "finance_import_parts",  key import id and part as 12-6 digits, content `encode(KeptImportPart)`: what
//              stood before each document, and the version that the import made of it
//
// Invariants
//   * A document is changed by whom he saw: with the version it had. What a source brought is never changed here.
//   * A file is applied in one commit with its kept rows, and undone in one: all of it or nothing.
//   * Undo puts back exactly what stood before, and is refused when one of the documents was changed since.
//   * At most `previews_max` previews with `preview_rows_max` rows together wait, half an hour each, for their author only.
//     The newest `undo_max` imports can be undone; of older ones it is kept that they were.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/finance_import.h"
#include "ingest/finance_writer.h"
#include "ingest/table_reader.h"
#include "store/record.h"

namespace millrace::ingest {

inline constexpr std::string_view finance_imports_space = "finance_imports", finance_import_parts_space = "finance_import_parts";

struct FinanceAsker {
  std::string author;
  Instant at;
};

// The version somebody saw: "3f2a...", "*" whatever stands, "" nothing stands yet.
struct FinanceBase {
  std::string version;
};

// What stands now, and that it is not what the asker saw.
struct FinanceAnswer {
  bool is_conflict = false;
  std::optional<FinanceDocument> now;
  std::string version;  // of it
  bool is_new = false;
};

struct KeptImport {
  std::uint64_t id = 0;
  FinanceKind kind = FinanceKind::cost;
  std::string author, file;
  Instant at;
  std::uint64_t created = 0, changed = 0, left = 0;  // documents; rows that were not taken
  std::uint32_t parts = 0;  // 0: too old to be undone
  std::string undone_by;    // "" it stands
  std::optional<Instant> undone_at;
  bool operator==(const KeptImport&) const = default;
};
std::string encode(const KeptImport& row);
Result<KeptImport> decode_kept_import(std::string_view bytes);

// What an import did to one document.
struct ImportTrace {
  std::string key;
  std::string made;                       // version of what it wrote
  std::string source;                     // under which it wrote
  std::optional<FinanceDocument> before;  // what stood there
  bool operator==(const ImportTrace&) const = default;
};
std::string encode(const std::vector<ImportTrace>& part);
Result<std::vector<ImportTrace>> decode_import_part(std::string_view bytes);

struct FinancePreview {
  std::string id;
  Instant until;
  ImportPreview preview;
};

// Documents that are not any more what they have to be; then nothing was written.
struct ImportConflict {
  std::string number;
  std::string text;  // one sentence
};
struct ImportAnswer {
  KeptImport import;
  std::vector<ImportConflict> conflicts;
  bool replayed = false;  // the preview was applied before
};

struct FinanceImports {
  std::vector<KeptImport> imports;  // newest first
  std::optional<std::uint64_t> next;
};

struct ImportWish {
  std::optional<FinanceKind> kind;  // nothing: guessed
  std::string file;                 // its name, for people
  ImportOptions options;
};

// What the server asks. Every call waits for the record; any thread may call.
class FinanceDoor {
 public:
  virtual ~FinanceDoor() = default;

  // Documents of sources, which are not written here. `others` of every call: by kind and key.
  using Others = FinanceLookup;

  // Errors   not_found  neither entered nor imported
  virtual Result<FinanceAnswer> show(FinanceKind kind, const std::string& key) = 0;
  // Errors   invalid_input  it cannot be what it says
  //          conflict       a source brought it
  virtual Result<FinanceAnswer> put(FinanceDocument document, const FinanceBase& base, const FinanceAsker& asker, const Others& others) = 0;
  // Errors   not_found  there is none
  //          conflict   a source brought it
  virtual Result<FinanceAnswer> remove(FinanceKind kind, const std::string& key, const FinanceBase& base, const FinanceAsker& asker, const Others& others) = 0;

  // What taking the file would do; it is read in a sandboxed process.
  // Errors   invalid_input, limit_reached  those of preview_finance_table; no kind could be guessed
  //          unavailable                   another file is being read, or no parser could be started
  virtual Result<FinancePreview> preview(std::string_view file, const ImportWish& wish, const FinanceAsker& asker, const Others& others) = 0;
  // Errors   not_found      there is no such preview (any more), or it is somebody else's
  //          invalid_input  there is nothing in it to take
  virtual Result<ImportAnswer> apply(const std::string& preview, bool take_doubtful, const FinanceAsker& asker) = 0;
  // Errors   not_found  there is no such import
  //          conflict   it was undone already, or is too old
  virtual Result<ImportAnswer> undo(std::uint64_t import, const FinanceAsker& asker) = 0;
  // Those before `before`, newest first.
  virtual Result<FinanceImports> imports(std::optional<std::uint64_t> before, std::size_t limit) = 0;
};

class FinanceDesk final : public FinanceDoor {
 public:
  // Without parsers no file can be read.
  FinanceDesk(store::Record& record, FinanceWriter& writer, std::optional<ParserPoolOptions> parsers = std::nullopt);
  void stop() { reader_.stop(); }

  Result<FinanceAnswer> show(FinanceKind kind, const std::string& key) override;
  Result<FinanceAnswer> put(FinanceDocument document, const FinanceBase& base, const FinanceAsker& asker, const Others& others) override;
  Result<FinanceAnswer> remove(FinanceKind kind, const std::string& key, const FinanceBase& base, const FinanceAsker& asker, const Others& others) override;
  Result<FinancePreview> preview(std::string_view file, const ImportWish& wish, const FinanceAsker& asker, const Others& others) override;
  Result<ImportAnswer> apply(const std::string& preview, bool take_doubtful, const FinanceAsker& asker) override;
  Result<ImportAnswer> undo(std::uint64_t import, const FinanceAsker& asker) override;
  Result<FinanceImports> imports(std::optional<std::uint64_t> before, std::size_t limit) override;

  // The same of a table that was read already.
  Result<FinancePreview> preview_table(const ParsedDocument& table, const ImportWish& wish, const FinanceAsker& asker, const Others& others);

  static constexpr std::size_t previews_max = 16, preview_rows_max = 200'000, undo_max = 100, imports_max = 1'000, part_size = 500;

 private:
  struct Wish {
    FinanceDocument document;
    std::string before;  // version of what stood there, "" nothing
    bool is_doubtful = false;
  };
  struct Preview {
    std::string author, file;
    FinanceKind kind = FinanceKind::cost;
    Instant until;
    std::vector<Wish> wishes;
    std::uint64_t left = 0;  // rows that cannot be taken
    std::optional<ImportAnswer> applied;
  };
  Result<std::optional<FinanceDocument>> own(FinanceKind kind, const std::string& key);
  Result<std::optional<StandingDocument>> standing(FinanceKind kind, const std::string& key, const Others& others);
  void keep_preview(const std::string& id, Preview preview, Instant now);
  Result<void> load_imports();
  Result<std::vector<ImportTrace>> traces(const KeptImport& import);
  Result<KeptImport> commit_import(KeptImport import, std::vector<FinanceDocument> put, const std::vector<ImportTrace>& traces);

  store::Record& record_;
  FinanceWriter& writer_;
  TableReader reader_;
  std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, Preview> previews_;
  bool imports_known_ = false;
  std::map<std::uint64_t, KeptImport> imports_;  // by id
};

}  // namespace millrace::ingest
