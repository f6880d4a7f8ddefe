// Routes of finance documents that people look through, write and import.
#include "server/internal/handlers.h"
#include "server/internal/route_parts.h"

namespace millrace::server {

std::vector<Route> finance_routes() {
  const ParameterRow kind = {"kind", "string", "What it is: invoice, payment, bill, cost, recurring_cost, budget, tax, balance, credit_line, rate, ...", "cost"};
  const ParameterRow number = {"number", "string", "Its key: the number; of a rate with its day, \"USD/EUR 2026-11-20\".", "C-17"};
  return {
      {Method::get, "/api/v1/finance", list_finance, Answer::data, 200, true, Right::see_money, Own::closed, "listFinance", "Finance documents of a kind, newest day first, with the sums of all that match.", false,
       {kind,
        {"q", "string", "Part of number, party, category, account, reference or comment.", ""},
        {"party", "string", "Code of the customer or supplier.", ""},
        {"source", "string", "Id of the source; entered and import for what people wrote.", ""},
        {"from", "string", "First day.", ""},
        {"to", "string", "Last day.", ""},
        {"limit", "integer", "At most this many documents, up to 1000.", "5"},
        {"cursor", "string", "next_cursor of the page before.", ""}},
       ""},
      {Method::get, "/api/v1/finance/{kind}/{number}", show_finance, Answer::document, 200, true, Right::see_money, Own::closed, "showFinance", "One finance document; the ETag of one that people wrote is its version.", false, {kind, number}, ""},
      {Method::put, "/api/v1/finance/{kind}/{number}", put_finance, Answer::document, 200, true, Right::edit_money, Own::closed, "putFinance",
       "Write a finance document, with If-Match its version when it stands already. 409 when a source brought it, 412 with what stands when somebody changed it.", false, {kind, number},
       R"({"posted":"2026-11-22","category":"Operating","amount":"120.50","currency":"EUR","comment":"","account":""})"},
      {Method::remove, "/api/v1/finance/{kind}/{number}", remove_finance, Answer::document, 200, true, Right::edit_money, Own::closed, "removeFinance", "Remove a finance document that people wrote, with If-Match.", false, {kind, number}, ""},
      {Method::post, "/api/v1/finance/import", import_finance, Answer::document, 200, true, Right::edit_money, Own::closed, "importFinance",
       "With preview=1: send a CSV file or workbook, see what each row would do and which cells could mean something else. With apply=1 and preview=ID: write it in one commit.", false,
       {{"preview", "string", "1, or with apply the preview's id.", ""},
        {"apply", "integer", "1: write what the preview showed.", ""},
        {"doubtful", "string", "take or leave the rows with doubtful cells; leave when not said.", ""},
        {"kind", "string", "What the rows are; guessed from name and columns when not said.", "cost"},
        {"name", "string", "The file's name.", ""},
        {"currency", "string", "Of amounts that name none.", ""},
        {"decimal", "string", "The decimal mark, . or ,; by vote of the column when not said.", ""},
        {"date", "string", "dmy, mdy or ymd; by vote of the column when not said.", ""},
        {"header_row", "integer", "The row with the names of columns, from 1; 0: there is none.", ""},
        {"map", "string", "field:column, as often as needed: posted:Datum, amount:C.", ""},
        {"limit", "integer", "At most this many rows in the answer; doubtful and refused ones first.", ""}},
       ""},
      {Method::get, "/api/v1/finance/imports", list_finance_imports, Answer::document, 200, true, Right::edit_money, Own::closed, "listFinanceImports", "Files that were taken, newest first: who, when, how much, and whether it can be undone.", false,
       {{"limit", "integer", "At most this many, up to 1000.", "5"}, {"before", "string", "next of the page before.", ""}}, ""},
      {Method::post, "/api/v1/finance/imports/{import}/undo", undo_finance_import, Answer::document, 200, true, Right::edit_money, Own::closed, "undoFinanceImport",
       "What stood before the import stands again, exactly and in one commit; 409 with the documents that were changed since.", false, {{"import", "string", "The import's id.", "i1"}}, ""},
  };
}

}  // namespace millrace::server
