#include "erp/finance_mapping.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <new>
#include <simdjson.h>

#include "base/text.h"
#include "base/time.h"
#include "domain/decimal.h"

namespace millrace::erp {
namespace {

namespace od = simdjson::ondemand;

using Fields = std::map<std::string, std::string, std::less<>>;

// A row as it is kept: plain fields, and lists of them.
struct Paper {
  Fields fields;
  std::map<std::string, std::vector<Fields>, std::less<>> lists;
};

std::string_view text_of(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::string plain_text(od::value value) {
  if (value.type().value() == od::json_type::string) return std::string(value.get_string().value());
  return std::string(trim(value.raw_json_token()));  // never through double
}

Fields read_fields(od::object object) {
  Fields fields;
  for (auto field : object) {
    std::string name(field.unescaped_key().value());
    fields[std::move(name)] = plain_text(field.value().value());
  }
  return fields;
}

Result<Paper> read_paper(std::string_view kept) {
  Paper paper;
  try {
    const simdjson::padded_string padded(kept);
    od::parser parser;
    od::document document = parser.iterate(padded).value();
    for (auto field : document.get_object().value()) {
      std::string name(field.unescaped_key().value());
      od::value value = field.value().value();
      if (value.type().value() != od::json_type::array) {
        paper.fields[std::move(name)] = plain_text(value);
        continue;
      }
      std::vector<Fields>& rows = paper.lists[std::move(name)];
      for (auto element : value.get_array().value()) rows.push_back(read_fields(element.get_object().value()));
    }
  } catch (const simdjson::simdjson_error& error) {
    if (error.error() == simdjson::MEMALLOC) throw std::bad_alloc();
    return fail(ErrorCode::corrupt, std::string("what is kept of a paper is not JSON (") + error.what() + "); sync the source whole");
  }
  return paper;
}

// Thrown inside of one mapping only: why the row makes no document.
struct Refused {
  std::string why;
};

FinanceKind kind_of(StreamName stream) {
  switch (stream) {
    case StreamName::payments: return FinanceKind::payment;
    case StreamName::purchase_orders: return FinanceKind::purchase_order;
    case StreamName::credit_notes: return FinanceKind::credit_note;
    case StreamName::bills: return FinanceKind::bill;
    case StreamName::supplier_payments: return FinanceKind::supplier_payment;
    default: return FinanceKind::invoice;
  }
}

class PaperReader {
 public:
  PaperReader(const PaperRow& row, const Paper& paper, PaperNames& names) : row_(row), paper_(paper), names_(names) {}

  Result<MappedPaper> read() {
    const std::string_view status = field("status");
    if (status == "draft") return MappedPaper{};  // nothing anybody owes yet
    auto head = header();
    if (!head) return pass_on(head);
    Result<void> read;
    switch (row_.stream.name) {
      case StreamName::payments:
      case StreamName::supplier_payments: read = payment(*head); break;
      case StreamName::credit_notes: read = credit_note(*head); break;
      case StreamName::purchase_orders: purchase_order(*head); break;
      default: read = invoice(*head); break;
    }
    if (!read) return pass_on(read);
    head->closed = status == "closed" || !field("fully_received").empty();
    answer_.documents.insert(answer_.documents.begin(), std::move(*head));
    for (const FinanceDocument& document : answer_.documents)
      if (const auto fine = check_finance_document(document); !fine) throw Refused{fine.error().text()};
    return std::move(answer_);
  }

 private:
  std::string_view field(std::string_view name) const { return text_of(paper_.fields, name); }

  Result<FinanceDocument> header() {
    FinanceDocument made;
    made.kind = kind_of(row_.stream.name);
    made.source = row_.source;
    made.source_key = row_.key;
    made.origin = std::string(row_.stream.entity_set) + "(" + row_.key + ")";
    auto number = names_.number(made.kind, std::string(field("number").empty() ? row_.key : field("number")), row_.key);
    if (!number) return pass_on(number);
    made.number = std::move(*number);
    const bool supplier = party_of(made.kind) == FinanceParty::supplier;
    made.party_code = field(supplier ? "supplier_code" : "customer_code");
    made.party_name = field(supplier ? "supplier_name" : "customer_name");
    made.reference = field(supplier ? "supplier_reference" : "customer_reference");
    const std::string_view currency = field("currency");
    if (!currency.empty()) {
      const auto known = Currency::from_source_word(currency);
      if (!known) throw Refused{"the currency " + printable(currency) + " is not known"};
      made.currency = *known;
    }
    made.posted = parse_iso_day(field("posting_date"));
    made.cancelled = field("cancelled") == "Y" || field("cancel_status") == "Y" || field("status") == "cancelled";
    return made;
  }

  std::int64_t amount(const Fields& fields, std::string_view name, Currency currency) const {
    const std::string_view text = text_of(fields, name);
    if (text.empty()) return 0;
    const auto decimal = parse_decimal(text);
    const auto money = decimal ? to_money(*decimal, currency) : pass_on(decimal);
    if (!money) throw Refused{std::string(name) + " " + printable(text) + ": " + money.error().text()};
    return money->minor;
  }
  std::int64_t amount(std::string_view name, Currency currency) const { return amount(paper_.fields, name, currency); }

  static std::int64_t micros(const Fields& fields, std::string_view name) {
    const std::string_view text = text_of(fields, name);
    if (text.empty()) return 0;
    const auto decimal = parse_decimal(text);
    const auto made = decimal ? to_micros(*decimal, name) : pass_on(decimal);
    if (!made) throw Refused{std::string(name) + " " + printable(text) + ": " + made.error().text()};
    return *made;
  }

  const std::vector<Fields>& list(std::string_view name) const {
    static const std::vector<Fields> nothing;
    const auto found = paper_.lists.find(name);
    return found == paper_.lists.end() ? nothing : found->second;
  }

  // ---- invoices, bills, credit notes

  Result<void> invoice(FinanceDocument& made) {
    made.due = parse_iso_day(field("due_date"));
    made.amount = amount("document_total", made.currency);
    made.tax = amount("tax", made.currency);
    instalments(made);
    if (auto read = lines(made); !read) return read;
    if (row_.paid_from_invoice && made.kind == FinanceKind::invoice) paid_part(made);
    return {};
  }

  // It takes back the invoice that its lines are based on, where that is one; otherwise it is on account.
  Result<void> credit_note(FinanceDocument& made) {
    constexpr std::string_view of_invoice = "13";  // BaseType
    made.amount = amount("document_total", made.currency);
    made.tax = amount("tax", made.currency);
    if (auto read = lines(made); !read) return read;
    std::string_view taken;
    for (const Fields& line : list("lines")) {
      if (text_of(line, "base_type") != of_invoice) return {};
      if (!taken.empty() && taken != text_of(line, "base_key")) return {};
      taken = text_of(line, "base_key");
    }
    if (taken.empty() || made.amount <= 0) return {};
    const auto paper = names_.paper(StreamName::invoices, taken);
    if (!paper) return pass_on(paper);
    if (!*paper) answer_.awaited.push_back(std::string(word(StreamName::invoices)) + " " + std::string(taken));
    else if ((*paper)->currency == made.currency) made.allocations.push_back({FinanceKind::invoice, (*paper)->number, 0, made.amount});
    return {};
  }

  // Where they do not add up (rounding differences that were not posted) the whole is due on the due day.
  void instalments(FinanceDocument& made) const {
    Int128 sum = 0;
    for (const Fields& part : list("instalments")) {
      made.instalments.push_back({parse_iso_day(text_of(part, "due_date")), amount(part, "amount", made.currency)});
      sum += made.instalments.back().amount;
    }
    if (sum != made.amount || made.instalments.empty()) made.instalments.assign(1, {made.due, made.amount});
  }

  Result<void> lines(FinanceDocument& made) {
    constexpr std::string_view of_sales_order = "17";  // BaseType
    for (const Fields& line : list("lines")) {
      FinanceLine part;
      part.quantity = {micros(line, "quantity")};
      part.amount = amount(line, "line_total", made.currency);
      part.text = text_of(line, "item_name");
      if (text_of(line, "base_type") == of_sales_order) {
        auto order = names_.order(text_of(line, "base_key"));
        if (!order) return pass_on(order);
        std::int32_t number = 0;
        const std::string_view base = text_of(line, "base_line");
        const auto read = std::from_chars(base.data(), base.data() + base.size(), number);
        part.order.text = std::move(*order);
        if (!part.order.text.empty() && read.ec == std::errc()) part.order_line = number + 1;  // as orders are read
      }
      made.lines.push_back(std::move(part));
    }
    if (made.lines.empty() && !field("order_number").empty()) {  // which of its lines is not said
      FinanceLine whole;
      whole.order.text = field("order_number");
      whole.amount = made.amount - made.tax;
      made.lines.push_back(std::move(whole));
    }
    return {};
  }

  // Its day is that of the change that told it: nothing else says when the money came.
  void paid_part(const FinanceDocument& invoice) {
    const std::int64_t open = field("open_amount").empty() ? invoice.amount : amount("open_amount", invoice.currency);
    const std::int64_t paid = field("paid").empty() ? invoice.amount - open : amount("paid", invoice.currency);
    if (paid <= 0 || invoice.cancelled) return;
    FinanceDocument made;
    made.kind = FinanceKind::payment;
    made.source = invoice.source;
    made.source_key = invoice.source_key;
    made.origin = invoice.origin;
    made.number = invoice.number + " paid";
    made.party_code = invoice.party_code;
    made.party_name = invoice.party_name;
    made.currency = invoice.currency;
    made.posted = row_.changed ? row_.changed : invoice.posted;
    made.amount = std::min(paid, invoice.amount);
    made.allocations.push_back({FinanceKind::invoice, invoice.number, 0, made.amount});
    answer_.documents.push_back(std::move(made));
  }

  // ---- payments

  struct Settled {
    StreamName stream;
    FinanceKind kind;
  };
  // Down payments and the like have no document of ours: their money is on account of the same party.
  static std::optional<Settled> settled(std::string_view type, FinanceParty side) {
    if (side == FinanceParty::supplier) {
      if (type == "it_PurchaseInvoice" || type == "18") return Settled{StreamName::bills, FinanceKind::bill};
      return std::nullopt;
    }
    if (type.empty() || type == "it_Invoice" || type == "13") return Settled{StreamName::invoices, FinanceKind::invoice};
    if (type == "it_CredItnote" || type == "14") return Settled{StreamName::credit_notes, FinanceKind::credit_note};
    return std::nullopt;
  }

  Result<void> payment(FinanceDocument& made) {
    std::int64_t named = 0;  // settled in the payment's own currency, known or not
    for (const Fields& line : list("invoices")) {
      const auto what = settled(text_of(line, "invoice_type"), party_of(made.kind));
      const std::string key(text_of(line, "invoice_key"));
      if (!what || key.empty()) continue;
      const auto paper = names_.paper(what->stream, key);
      if (!paper) return pass_on(paper);
      if (!*paper) answer_.awaited.push_back(std::string(word(what->stream)) + " " + key);
      const Currency currency = *paper ? (*paper)->currency : made.currency;
      const std::int64_t part = std::abs(amount(line, "amount", currency));  // of a credit note with either sign
      if (currency == made.currency) named += what->kind == FinanceKind::credit_note ? -part : part;
      if (!*paper || part == 0) continue;
      Allocation settles{what->kind, (*paper)->number, instalment(line), part};
      if (currency != made.currency) settles.currency = currency;
      made.allocations.push_back(std::move(settles));
    }
    // Cheques and cards are lists of their own there; what a payment settles has come, by whatever means.
    made.amount = std::max(amount("cash", made.currency) + amount("transfer", made.currency), named);
    return {};
  }

  static std::int32_t instalment(const Fields& line) {
    std::int32_t number = 0;
    const std::string_view text = text_of(line, "instalment");
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && number > 0 ? number : 0;
  }

  // ---- purchase orders

  // What is not received yet, with its share of the tax: what was received comes as a bill.
  void purchase_order(FinanceDocument& made) {
    made.due = parse_iso_day(field("requested_date"));
    made.amount = amount("document_total", made.currency);
    if (field("status") == "closed" || !field("fully_received").empty()) return;
    Int128 all = 0, open = 0;
    for (const Fields& line : list("lines")) {
      const std::int64_t total = amount(line, "line_total", made.currency), ordered = micros(line, "quantity_ordered");
      all += total;
      if (ordered <= 0 || text_of(line, "status") == "closed") continue;
      const std::int64_t left = line.contains("quantity_open")       ? micros(line, "quantity_open")
                                : line.contains("quantity_received") ? ordered - micros(line, "quantity_received")
                                                                     : ordered;
      open += divide_half_away(Int128{total} * std::clamp<std::int64_t>(left, 0, ordered), ordered);
    }
    if (all > 0) made.amount = static_cast<std::int64_t>(divide_half_away(Int128{made.amount} * open, all));
  }

  const PaperRow& row_;
  const Paper& paper_;
  PaperNames& names_;
  MappedPaper answer_;
};

}  // namespace

bool makes_papers(StreamName stream) {
  return stream == StreamName::invoices || stream == StreamName::payments || stream == StreamName::purchase_orders ||
         stream == StreamName::credit_notes || stream == StreamName::bills || stream == StreamName::supplier_payments;
}

Result<MappedPaper> map_paper(const PaperRow& row, PaperNames& names) {
  const auto paper = read_paper(row.kept);
  if (!paper) return pass_on(paper);
  try {
    return PaperReader(row, *paper, names).read();
  } catch (const Refused& refused) {
    MappedPaper nothing;
    nothing.refusal = refused.why;
    return nothing;
  }
}

}  // namespace millrace::erp
