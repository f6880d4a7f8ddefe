// The order list, one order, where its values came from and what it was.
#include <algorithm>

#include "base/text.h"
#include "domain/order_rules.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"

namespace millrace::server {

using query::OrderField;

OrderQuestion order_question(const Request& request, Day today, std::initializer_list<std::string_view> also_known) {
  const std::vector<std::string_view> known(also_known);
  return read_order_question(request.parameters, view_of(*request.caller), today, known);
}

namespace {

// Looking at so few rows costs no more than writing their page.
inline constexpr std::uint64_t examined_cheaply_max = 2048;

std::string page_url(const Request& request, std::string_view cursor) {
  std::string url(request.raw_path);
  char separator = '?';
  for (const auto& [name, value] : request.parameters) {
    if (name == "cursor") continue;
    url += separator + percent_encoded(name) + "=" + percent_encoded(value);
    separator = '&';
  }
  return url + separator + "cursor=" + percent_encoded(cursor);
}

// `out` is what `json` writes to.
void write_page(JsonWriter& json, std::string& out, const query::OrderPage& page, const std::vector<OrderField>& fields, bool money) {
  out.reserve(1024 + page.rows.size() * (fields.empty() ? 1024 : 48 * (fields.size() + 1)));
  json.key("data").begin_array();
  // Rows go where the writer writes; between its brackets it has nothing else to say.
  const RowWriter writer(fields);
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    if (i > 0) out += ',';
    writer.append(out, page.rows[i]);
  }
  json.end_array();
  const auto cursor = [&](std::string_view name, const std::string& text) {
    json.key(name);
    if (text.empty()) {
      json.null();
    } else {
      json.text(text);
    }
  };
  cursor("next_cursor", page.next_cursor);
  cursor("prev_cursor", page.prev_cursor);
  json.field("total", page.matching).field("total_is_exact", true);
  write_sums(json, "sums", page.sums, money);
}

// `offset` of the first row, for windows: they say their page too when they begin at one.
Built built_page(const query::OrderPage& page, const query::OrderQuery& query, const View& view, std::optional<std::int64_t> offset) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (offset) {
    const auto limit = static_cast<std::int64_t>(query.limit);
    json.field("offset", *offset).key("page");
    if (*offset % limit == 0) {
      json.number(*offset / limit + 1);
    } else {
      json.null();
    }
  }
  write_page(json, out, page, query.fields, view.money);
  json.end_object();
  Built built(std::move(out));
  return page.examined <= examined_cheaply_max ? std::move(built).cheap() : std::move(built);
}

// A kept answer must give the same Link header as a fresh one, so the cursors are read back. They stand behind the rows,
// before the sums; a quote inside a text is escaped, so nothing else looks like them.
std::string cursor_in(std::string_view answer, std::string_view name) {
  constexpr std::size_t tail = 4096;  // mostly enough, and the rows are not searched
  const std::string needle = "\"" + std::string(name) + "\":\"";
  std::size_t start = answer.find(needle, answer.size() - std::min(tail, answer.size()));
  if (start == std::string_view::npos && answer.size() > tail) start = answer.find(needle);
  if (start == std::string_view::npos) return {};
  const std::size_t end = answer.find('"', start + needle.size());
  return std::string(answer.substr(start + needle.size(), end - start - needle.size()));
}

Problem cursor_problem(const Error& error) {
  Problem problem = problem_of(error);
  if (error.code() == ErrorCode::invalid_input) {
    problem.code = "cursor-mismatch";
    problem.errors.push_back({"cursor", "", "cursor-mismatch", error.text()});
  }
  return problem;
}

enum class Format { json, csv, xlsx, ndjson, none };
Format format_of(std::string_view accept) {
  if (accept.empty()) return Format::json;
  for (const std::string_view part : split(accept, ',')) {
    const std::string_view type = trim(part.substr(0, part.find(';')));
    if (type == "*/*" || type == "application/*" || equal_ignoring_case(type, "application/json")) return Format::json;
    if (equal_ignoring_case(type, "text/csv")) return Format::csv;
    if (equal_ignoring_case(type, "application/x-ndjson")) return Format::ndjson;
    if (equal_ignoring_case(type, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
      return Format::xlsx;
  }
  return Format::none;
}

}  // namespace

Response list_orders(const Request& request, Backend& backend) {
  switch (format_of(request.header("Accept"))) {
    case Format::csv:
      return orders_csv(request, backend);
    case Format::ndjson:
      return orders_ndjson(request, backend);
    case Format::xlsx:
      return problem_response(request, {406, "not-acceptable", "For a sheet ask /api/v1/orders.xlsx.", {}});
    case Format::none:
      return problem_response(
          request,
          {406, "not-acceptable", "This list comes as application/json, text/csv or application/x-ndjson.", {}});
    case Format::json:
      break;
  }
  Response response = data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    OrderQuestion question = order_question(request, at.today);
    if (question.problem) return *question.problem;
    const auto page = query::orders(*at.snapshot, question.query, at.today);
    if (!page) return cursor_problem(page.error());
    return built_page(*page, question.query, view_of(*request.caller), std::nullopt);
  });
  // A packed answer keeps its cursors inside; the Link header is for clients that read plain JSON by hand.
  if (response.status == 200 && !response.encoded) {
    std::string link;
    for (const auto& [name, relation] : {std::pair{"next_cursor", "next"}, std::pair{"prev_cursor", "prev"}}) {
      const std::string cursor = cursor_in(response.second(), name);
      if (!cursor.empty())
        link += (link.empty() ? "<" : ", <") + page_url(request, cursor) + ">; rel=\"" + relation + "\"";
    }
    if (!link.empty()) response.header("Link", std::move(link));
  }
  return response;
}

Response window_orders(const Request& request, Backend& backend) {
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    OrderQuestion question = order_question(request, at.today, {"offset", "page"});
    std::vector<query::ParameterError> errors;
    auto offset = number_parameter(request, {"offset", 0, 0, 1'000'000'000}, errors);
    const auto page_number = number_parameter(request, {"page", 0, 1, 1'000'000}, errors);
    if (request.has_parameter("page") && request.has_parameter("offset"))
      errors.push_back({"page", "bad-value", "page and offset say the same in two ways; give one of them."});
    if (!errors.empty() && !question.problem) question.problem = problem_of(errors);
    if (question.problem) return *question.problem;
    if (*page_number > 0) offset = (*page_number - 1) * static_cast<std::int64_t>(question.query.limit);
    const auto page = query::orders_window(*at.snapshot, question.query, static_cast<std::size_t>(*offset), at.today);
    if (!page) return problem_of(page.error());
    return built_page(*page, question.query, view_of(*request.caller), offset);
  });
}

namespace {

void write_line(JsonWriter& json, const SalesOrder& order, const OrderLine& line, bool money) {
  json.begin_object();
  json.field("line_number", std::int64_t{line.line_number}).field("item", line.item_code);
  json.field("item_name", line.item_name).field("manufacturer", line.manufacturer);
  json.field("warehouse", line.warehouse_code).field("unit", line.unit);
  json.field("quantity", decimal_text(line.quantity_ordered));
  json.field("open_quantity", decimal_text(line.quantity_open));
  if (money) {
    json.field("unit_price", decimal_text(line.unit_price)).field("discount", decimal_text(line.discount));
    write_money(json, "line_total", line.line_total, order.currency);
    write_money(json, "open_amount", line.open_amount, order.currency);
  }
  json.field("status", word(line.status));
  write_day(json, "requested", line.requested_date);
  write_day(json, "promise", line.promise_date);
  write_day(json, "due", due_date(order, line));
  json.field("place", place_text(line.place));
  json.end_object();
}

void write_documents(JsonWriter& json, const query::OrderDetail& detail, bool money) {
  json.key("documents").begin_array();
  bool first = true;
  for (const auto& document : detail.put.documents) {
    write_document(json, document, detail.put.documents.front(), detail.row.currency, first, money);
    first = false;
  }
  json.end_array();
}

}  // namespace

namespace {

// Columns of the source that we do not know, sentences about what does not fit, and what sources say differently: any of
// them may hold an amount.
void write_what_names_amounts(JsonWriter& json, const feed::OrderPut& put, bool money) {
  const SalesOrder& order = *put.order;
  if (!money) {
    json.key("document_total").null().key("extra").begin_object().end_object();
    for (const std::string_view name : {"flags", "differences", "origins"}) json.key(name).begin_array().end_array();
    return;
  }
  if (order.document_total) {
    write_money(json, "document_total", *order.document_total, order.currency);
  } else {
    json.key("document_total").null();
  }
  json.key("extra").begin_object();
  for (const auto& [name, value] : order.extra) json.field(name, value);
  json.end_object();
  json.key("flags").begin_array();
  for (const std::string& flag : put.flags) json.text(flag);
  json.end_array();
  write_joined(json, put);
}

}  // namespace

void write_order(JsonWriter& json, const query::OrderDetail& detail, bool money) {
  const SalesOrder& order = *detail.put.order;
  json.key("order");
  write_row_and_more(json, detail.row, money, [&](JsonWriter& more) {
    more.field("payment_terms", order.payment_terms).field("comment", order.comment);
    more.field("cancelled", order.cancelled);
    more.field("source_key", order.source_key).key("lines_data").begin_array();
    for (const OrderLine& line : order.lines) write_line(more, order, line, money);
    more.end_array();
    write_documents(more, detail, money);
    write_what_names_amounts(more, detail.put, money);
    write_overlay(more, detail.put);
  });
}

namespace {

// One value with the rule that gave it and what went in.
class ProvenanceWriter {
 public:
  ProvenanceWriter(JsonWriter& json, const query::OrderDetail& detail) : json_(json), detail_(detail) {}

  void value(std::string_view field, std::string_view text, std::string_view rule) {
    open(field, text, rule);
    input("", "", origin(field, 0));
    close();
  }
  template <class Note>
  void sum_of_lines(std::string_view field, std::string_view text, std::string_view rule, Note note) {
    open(field, text, rule);
    for (const OrderLine& line : detail_.put.order->lines) input(place_text(line.place), note(line), origin("line", line.line_number));
    if (detail_.put.order->lines.empty()) input("", "the document has no lines", 0);
    close();
  }

 private:
  void open(std::string_view field, std::string_view text, std::string_view rule) {
    json_.begin_object().field("field", field).field("value", text).field("rule", rule);
    json_.key("inputs").begin_array();
  }
  void close() { json_.end_array().end_object(); }
  // The document that gives the value: the one that counts, unless another source's value does.
  std::size_t origin(std::string_view field, std::int32_t line) const {
    for (const feed::Origin& known : detail_.put.origins)
      if (known.field == field && known.line == line) return known.document;
    return 0;
  }
  void input(std::string_view place, std::string_view note, std::size_t from) {
    if (detail_.put.documents.empty()) return;
    const feed::OrderDocument& document = detail_.put.documents.at(from);
    json_.begin_object().field("source", document.source).field("path", printable(document.path));
    json_.field("place", place).field("format", document.format);
    write_instant(json_, "modified", document.modified);
    json_.field("hash", hex(document.hash)).field("note", note).end_object();
  }

  JsonWriter& json_;
  const query::OrderDetail& detail_;
};

std::string money_text(std::int64_t minor, Currency currency) {
  return decimal_text(Money{minor, currency}) + " " + currency.code();
}

void write_dates(ProvenanceWriter& out, const query::OrderDetail& detail) {
  const SalesOrder& order = *detail.put.order;
  const auto text = [](const std::optional<Day>& day) { return day ? iso(*day) : std::string("none"); };
  out.value("order_date", text(order.order_date), "as the document states it");
  out.value("requested", text(order.requested_date), "the customer's wish, as the document states it");
  const auto promised = std::find_if(detail.put.overlay.begin(), detail.put.overlay.end(),
                                     [](const feed::Overlaid& known) { return known.written.field == overlay_field::promised_date; });
  if (promised == detail.put.overlay.end())
    out.value("promise", text(order.promise_date), "our last answer, as the document states it");
  else
    out.value("promise", text(order.promise_date),
              "written by " + promised->written.author + " at " + rfc3339(promised->written.at) + "; the document states " + (promised->beneath.empty() ? "none" : promised->beneath));
  out.sum_of_lines(
      "due", text(detail.row.due),
      "promise date of the order if there is one, else its requested date, else the earliest date of its lines",
      [&](const OrderLine& line) {
        return "line " + std::to_string(line.line_number) + ": due " + text(due_date(order, line));
      });
  if (detail.row.lateness_days)
    out.value("lateness_days", std::to_string(*detail.row.lateness_days),
              "today minus the due date in days, while something is open; positive is late");
}

void write_amounts(ProvenanceWriter& out, const query::OrderDetail& detail) {
  const SalesOrder& order = *detail.put.order;
  const Currency currency = order.currency;
  const auto number = [](const OrderLine& line) { return "line " + std::to_string(line.line_number) + ": "; };
  out.sum_of_lines(
      "open_amount", money_text(detail.row.open_amount, currency),
      "sum of line total x open / ordered, rounded once per line half away from zero", [&](const OrderLine& line) {
        return number(line) + decimal_text(line.quantity_open) + " open of " + decimal_text(line.quantity_ordered) +
               ", total " + decimal_text(Money{line.line_total, currency}) + ", open " +
               decimal_text(Money{line.open_amount, currency});
      });
  out.sum_of_lines("net", money_text(detail.row.net, currency), "sum of the totals of lines that are not cancelled",
                   [&](const OrderLine& line) {
                     return number(line) + decimal_text(line.quantity_ordered) + " x " + decimal_text(line.unit_price) +
                            (line.discount.micros == 0 ? "" : " less " + decimal_text(line.discount) + " %") + " = " +
                            decimal_text(Money{line.line_total, currency}) +
                            (line.status == LineStatus::cancelled ? ", cancelled: not counted" : "");
                   });
  out.value("tax", money_text(order.tax, currency), "as the document states it");
  out.value("freight", money_text(order.freight, currency), "as the document states it");
  out.value("total", money_text(detail.row.total, currency),
            "net " + decimal_text(Money{detail.row.net, currency}) + " + tax " +
                decimal_text(Money{order.tax, currency}) + " + freight " +
                decimal_text(Money{order.freight, currency}));
  out.sum_of_lines("quantity", decimal_text(Quantity{detail.row.quantity}),
                   "sum of the ordered quantities of the lines",
                   [&](const OrderLine& line) { return number(line) + decimal_text(line.quantity_ordered); });
  out.sum_of_lines("open_quantity", decimal_text(Quantity{detail.row.open_quantity}),
                   "sum of the open quantities of the lines; closed and cancelled lines have none",
                   [&](const OrderLine& line) { return number(line) + decimal_text(line.quantity_open); });
}

void write_provenance(JsonWriter& json, const query::OrderDetail& detail, bool money) {
  json.field("order", detail.row.order);
  json.key("values").begin_array();
  ProvenanceWriter out(json, detail);
  const SalesOrder& order = *detail.put.order;
  write_amounts(out, detail);
  write_dates(out, detail);
  out.value("status", order.status, "the status folder that holds the document");
  out.value("document_status", word(order.document_status), "as the document states it");
  out.value("customer", order.customer_code, "as the document states it");
  out.value("customer_name", order.customer_name, "as the document states it");
  out.value("customer_reference", order.customer_reference, "as the document states it");
  out.value("salesman", order.salesperson, "as the document states it");
  out.value("currency", order.currency.code(), "as the document states it");
  out.value("updated", order.updated ? rfc3339(*order.updated) : "none", "the document's own stamp");
  out.value("lines", std::to_string(order.lines.size()), "count of the lines in the document");
  json.end_array();
  write_joined(json, detail.put);
  write_documents(json, detail, money);
}

// An order that is not the asker's is as if it were not there.
Result<query::OrderDetail> visible_order(const Request& request, const Moment& at) {
  auto detail = query::order_detail(*at.snapshot, request.path_values.at(0), at.today);
  if (!detail || view_of(*request.caller).shows(detail->row.salesman)) return detail;
  return query::no_such_order(request.path_values.at(0));
}

Response about_order(const Request& request, Backend& backend, void (*write)(JsonWriter&, const query::OrderDetail&, bool money)) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Built {
    const auto detail = visible_order(request, at);
    if (!detail) return problem_of(detail.error());
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write(json, *detail, view_of(*request.caller).money);
    json.end_object();
    return Built(std::move(out)).cheap();
  });
}

inline constexpr std::size_t history_changes_max = 1000;

}  // namespace

std::optional<Problem> not_his_order(const Request& request, Backend& backend) {
  const View view = view_of(*request.caller);
  if (view.salesman.empty()) return std::nullopt;
  const auto snapshot = backend.services.snapshot();
  const auto detail = query::order_detail(*snapshot, request.path_values.at(0), utc_day(backend.services.clock.now()));
  if (detail && view.shows(detail->row.salesman)) return std::nullopt;
  return problem_of(Result<void>(query::no_such_order(request.path_values.at(0))).error());
}

Response show_order(const Request& request, Backend& backend) { return about_order(request, backend, write_order); }

Response show_provenance(const Request& request, Backend& backend) {
  return about_order(request, backend, write_provenance);
}

Response show_history(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Result<std::string> {
    const OrderNumber number{request.path_values.at(0)};
    auto changes = backend.services.history.changes_of_order(number, history_changes_max);
    if (!changes) return pass_on(changes);
    // The record may already be ahead of the Snapshot this answer speaks of.
    std::erase_if(*changes, [&](const feed::Change& change) { return change.sequence > at.as_of; });
    // An order that is gone was somebody's, and nobody knows any more whose.
    if (changes->empty() || !request.caller->own_orders.empty()) {
      const auto detail = visible_order(request, at);
      if (!detail) return pass_on(detail);
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (std::size_t i = changes->size(); i-- > 0;)
      write_change(json, query::worded((*changes)[i], i > 0 ? &(*changes)[i - 1] : nullptr));
    json.end_array().end_object();
    return out;
  });
}

}  // namespace millrace::server
