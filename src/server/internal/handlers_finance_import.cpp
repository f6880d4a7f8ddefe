// Files of finance documents: what taking one would do, taking it, and taking it back.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "server/internal/author.h"
#include "server/internal/finance_answers.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

using ingest::ImportRow;

constexpr std::size_t name_bytes_max = 200;

Result<void> take_map(const Request& request, ingest::ImportOptions& options) {
  for (const auto& [name, text] : request.parameters) {
    if (name != "map") continue;
    const std::size_t colon = text.find(':');
    const auto field = ingest::parse_import_field(std::string_view(text).substr(0, colon));
    if (colon == std::string::npos || !field || colon + 1 == text.size())
      return fail(ErrorCode::invalid_input, "\"map\" is field:column, like map=posted:Datum or map=amount:C, not \"" + printable(std::string_view(text).substr(0, 64)) + "\"");
    options.columns[*field] = text.substr(colon + 1);
  }
  return {};
}

Result<ingest::ImportWish> wish_of(const Request& request, const Moment& at) {
  ingest::ImportWish wish;
  const auto bad = [](std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); };
  if (const std::string_view kind = request.parameter("kind"); !kind.empty()) {
    wish.kind = parse_finance_kind(kind);
    if (!wish.kind) return bad("\"kind\" is one of the kinds of finance documents, like cost or invoice");
  }
  wish.file = printable(request.parameter("name").substr(0, name_bytes_max));
  wish.options.today = at.today;
  if (const std::string_view currency = request.parameter("currency"); !currency.empty()) {
    const auto known = Currency::from_source_word(currency);
    if (!known) return bad("\"currency\" is three capital letters like EUR");
    wish.options.currency = *known;
  }
  if (const std::string_view mark = request.parameter("decimal"); !mark.empty()) {
    if (mark != "." && mark != ",") return bad("\"decimal\" is . or ,");
    wish.options.decimal_mark = mark.front();
  }
  wish.options.date_order = request.parameter("date");
  if (!wish.options.date_order.empty() && wish.options.date_order != "dmy" && wish.options.date_order != "mdy" && wish.options.date_order != "ymd") return bad("\"date\" is dmy, mdy or ymd");
  if (const std::string_view row = request.parameter("header_row"); !row.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), number);
    if (error != std::errc() || end != row.data() + row.size()) return bad("\"header_row\" is the number of a row, from 1; 0 when there is none");
    wish.options.header_row = number;
  }
  if (auto taken = take_map(request, wish.options); !taken) return pass_on(taken);
  return wish;
}

void write_guess(JsonWriter& json, const ingest::ImportGuess& guess) {
  json.key("guess").begin_object().field("separator", guess.separator).field("encoding", guess.encoding).field("sheet", guess.sheet).field("decimal", guess.decimal).field("date", guess.date);
  json.field("sign", guess.sign).field("currency", guess.currency).field("header_row", std::uint64_t{guess.header_row}).key("columns").begin_object();
  for (const auto& [field, header] : guess.columns) json.field(ingest::word(field), header);
  json.end_object().key("unused").begin_array();
  for (const std::string& header : guess.unused) json.text(header);
  json.end_array().end_object();
}

void write_row(JsonWriter& json, const ImportRow& row) {
  json.begin_object().field("row", std::uint64_t{row.row}).field("state", ingest::word(row.state)).key("cells").begin_array();
  for (const ingest::ImportCell& cell : row.cells) {
    json.begin_object().field("field", ingest::word(cell.field)).field("text", cell.text).field("value", cell.value);
    if (!cell.doubt.empty()) json.field("doubt", cell.doubt);
    json.end_object();
  }
  json.end_array().field("reason", row.reason);
  if (!row.document.number.empty()) json.field("number", finance_key(row.document));
  json.end_object();
}

// At most `limit` rows in the order of the file: those that need a person come before the others.
std::vector<const ImportRow*> shown_rows(const std::vector<ImportRow>& rows, std::size_t limit) {
  std::vector<const ImportRow*> shown;
  for (const bool urgent : {true, false})
    for (const ImportRow& row : rows) {
      const bool needs_eyes = row.state == ImportRow::State::doubtful || row.state == ImportRow::State::refused;
      if (needs_eyes == urgent && shown.size() < limit) shown.push_back(&row);
    }
  std::ranges::sort(shown, {}, &ImportRow::row);
  return shown;
}

Response preview_response(const ingest::FinancePreview& answer, std::size_t limit) {
  const ingest::ImportPreview& preview = answer.preview;
  Response response = finance_json_response(200);
  JsonWriter json(response.body);
  json.begin_object().field("preview", answer.id);
  write_instant(json, "until", answer.until);
  json.field("kind", word(preview.kind)).field("format", ingest::word(preview.format));
  write_guess(json, preview.guess);
  json.key("missing").begin_array();
  for (const ingest::ImportField field : preview.missing) json.text(ingest::word(field));
  const auto rows = shown_rows(preview.rows, limit);
  json.end_array().key("rows").begin_array();
  for (const ImportRow* row : rows) write_row(json, *row);
  const ingest::ImportCounts& counts = preview.counts;
  json.end_array().field("rows_left_out", std::uint64_t{preview.rows.size() - rows.size()}).key("counts").begin_object();
  json.field("new", counts.fresh).field("changed", counts.changed).field("same", counts.same).field("doubtful", counts.doubtful).field("refused", counts.refused).field("skipped", counts.skipped);
  json.end_object().end_object();
  return response;
}

void write_import(JsonWriter& json, const ingest::KeptImport& import) {
  json.field("import", "i" + std::to_string(import.id)).field("kind", word(import.kind)).field("file", import.file).field("by", import.author);
  write_instant(json, "at", import.at);
  json.field("applied", import.created + import.changed).field("created", import.created).field("changed", import.changed).field("left", import.left);
  json.field("undoable", import.parts != 0 && !import.undone_at).field("undone_by", import.undone_by);
  write_instant(json, "undone_at", import.undone_at);
}

Response import_response(const Request& request, const Result<ingest::ImportAnswer>& answer, std::string_view what_to_do) {
  if (!answer) return problem_response(request, problem_of(answer.error()));
  if (answer->conflicts.empty()) {
    Response response = finance_json_response(200);
    JsonWriter json(response.body);
    json.begin_object();
    write_import(json, answer->import);
    json.field("replayed", answer->replayed).end_object();
    return response;
  }
  Response response = problem_response(request, {409, "conflict", answer->conflicts.front().text + (answer->conflicts.size() > 1 ? " and " + std::to_string(answer->conflicts.size() - 1) + " more" : "") + "; nothing was written. " + std::string(what_to_do), {}});
  std::string more;
  JsonWriter json(more);
  json.begin_object().key("conflicts").begin_array();
  for (const ingest::ImportConflict& conflict : answer->conflicts) json.begin_object().field("number", conflict.number).field("text", conflict.text).end_object();
  json.end_array().end_object();
  more.front() = ',';
  response.body.pop_back();
  response.body += more;
  return response;
}

template <class Act>
Response do_it(const Request& request, Backend& backend, const Deed& deed, std::string_view what_to_do, Act act) {
  const Result<ingest::ImportAnswer> answer = do_and_write_down(request, backend, deed, act);
  if (answer && !answer->conflicts.empty()) write_down_refusal(request, backend, deed, Error(ErrorCode::conflict, answer->conflicts.front().text));
  return import_response(request, answer, what_to_do);
}

// "i7" or "7".
std::optional<std::uint64_t> import_number(std::string_view text) {
  if (text.starts_with('i')) text.remove_prefix(1);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::optional<Response> cannot_write(const Request& request, Backend& backend) {
  if (backend.services.finance == nullptr) return problem_response(request, {503, "unavailable", "This server keeps no finance documents.", {}});
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  return std::nullopt;
}

}  // namespace

Response import_finance(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"preview", "apply", "doubtful", "kind", "name", "currency", "decimal", "date", "header_row", "map", "limit"})) return problem_response(request, *problem);
  if (auto no = cannot_write(request, backend)) return std::move(*no);
  const std::string_view preview = request.parameter("preview"), doubtful = request.parameter("doubtful");
  const bool apply = request.parameter("apply") == "1";
  if (preview.empty() || (request.has_parameter("apply") && !apply) || (!apply && preview != "1"))
    return problem_response(request, {400, "bad-value", "Send the file with preview=1, or apply=1 with the id of its preview.", {}});
  if (!doubtful.empty() && doubtful != "take" && doubtful != "leave") return problem_response(request, {400, "bad-value", "\"doubtful\" is take or leave.", {}});
  const Moment at = moment(backend.services);
  const ingest::FinanceAsker asker{author_of(request), at.now};
  if (apply) {
    const std::string id(preview);
    return do_it(request, backend, {"finance.import", "preview:" + printable(std::string_view(id).substr(0, 64)), {}, std::string("{\"doubtful\":\"") + (doubtful == "take" ? "take" : "leave") + "\"}"},
                 "Upload the file again to see what it would do now.", [&] { return backend.services.finance->apply(id, doubtful == "take", asker); });
  }
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", 1'000, 1, ingest::import_rows_max}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const auto wish = wish_of(request, at);
  if (!wish) return problem_response(request, problem_of(wish.error()));
  const auto read = backend.services.finance->preview(request.body, *wish, asker, others_of(backend));
  if (!read) return problem_response(request, problem_of(read.error()));
  return preview_response(*read, static_cast<std::size_t>(*limit));
}

Response list_finance_imports(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"limit", "before"})) return problem_response(request, *problem);
  if (backend.services.finance == nullptr) return problem_response(request, {503, "unavailable", "This server keeps no finance documents.", {}});
  std::vector<query::ParameterError> errors;
  const auto limit = number_parameter(request, {"limit", 50, 1, 1000}, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const std::string_view before = request.parameter("before");
  const auto from = before.empty() ? std::nullopt : import_number(before);
  if (!before.empty() && !from) return problem_response(request, {400, "bad-value", "\"before\" is an import like i7.", {}});
  const auto page = backend.services.finance->imports(from, static_cast<std::size_t>(*limit));
  if (!page) return problem_response(request, problem_of(page.error()));
  Response response = finance_json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("imports").begin_array();
  for (const ingest::KeptImport& import : page->imports) {
    json.begin_object();
    write_import(json, import);
    json.end_object();
  }
  json.end_array().key("next");
  if (page->next) json.text("i" + std::to_string(*page->next));
  else json.null();
  json.end_object();
  return response;
}

Response undo_finance_import(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (auto no = cannot_write(request, backend)) return std::move(*no);
  const auto id = import_number(request.path_values.at(0));
  if (!id) return problem_response(request, {404, "not-found", "There is no such import; the list of imports names those there are.", {}});
  return do_it(request, backend, {"finance.undo", "import:i" + std::to_string(*id)}, "Undo those changes first, or correct the documents by hand.",
               [&] { return backend.services.finance->undo(*id, {author_of(request), backend.services.clock.now()}); });
}

}  // namespace millrace::server
