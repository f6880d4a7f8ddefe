// What an ERP's papers (invoices, credit notes, payments, bills, purchase orders) say about money, as our finance documents.
//
//   Mapped::kept (our words, canonical JSON) ──> MappedPaper ──> FinanceSync ──> ingest::FinanceWriter
//
// Invariants
//   * Only what the record keeps of a row is read, so that documents can be made again without a call.
//   * What cannot be a document (check_finance_document) makes none and says why.
//   * Papers and orders are named by key there and by number here: `PaperNames` knows the numbers.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/finance.h"
#include "erp/stream.h"

namespace millrace::erp {

// Numbers for keys, from what was synced before.
class PaperNames {
 public:
  virtual ~PaperNames() = default;
  struct Paper {
    std::string number;
    Currency currency;
  };
  // Nothing when the other row is not here (yet). Errors   those of the record
  virtual Result<std::optional<Paper>> paper(StreamName stream, std::string_view key) = 0;
  virtual Result<std::string> order(std::string_view key) = 0;  // "" when it is not known
  // The number this row's document is to have: its own, unless another row of the kind has it already.
  virtual Result<std::string> number(FinanceKind kind, const std::string& number, const std::string& key) = 0;
};

struct PaperRow {
  std::string_view source;        // id of the source
  StreamDescriptor stream;
  std::string key;
  std::string_view kept;          // Mapped::kept
  std::optional<Day> changed;     // as the other side states it
  bool paid_from_invoice = false; // nobody brings payments: what an invoice says is paid is one
};

struct MappedPaper {
  std::vector<FinanceDocument> documents;  // none: a draft, or `refusal`
  std::vector<std::string> awaited;        // "invoices 4711": settled, but not known yet
  std::string refusal;                     // why it makes none, for the person who can correct it
};

// Whether rows of the stream make documents.
bool makes_papers(StreamName stream);

// Errors   corrupt  what is kept is not what a mapping wrote;  those of `names`
Result<MappedPaper> map_paper(const PaperRow& row, PaperNames& names);

}  // namespace millrace::erp
