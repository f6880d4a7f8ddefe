#include "simulator/fields.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

namespace millrace::simulator {
namespace {

constexpr std::array yes_no = {Choice{"tNO", "N"}, Choice{"tYES", "Y"}};
constexpr std::array document_status = {Choice{"bost_Open", "O"}, Choice{"bost_Close", "C"}, Choice{"bost_Paid", "P"},
                                        Choice{"bost_Delivered", "D"}};
constexpr std::array cancel_status = {Choice{"csNo", "N"}, Choice{"csYes", "Y"}, Choice{"csCancellation", "C"}};
constexpr std::array document_type = {Choice{"dDocument_Items", "I"}, Choice{"dDocument_Service", "S"}};
constexpr std::array card_type = {Choice{"cCustomer", "C"}, Choice{"cSupplier", "S"}, Choice{"cLid", "L"}};
constexpr std::array production_status = {Choice{"boposPlanned", "P"}, Choice{"boposReleased", "R"},
                                          Choice{"boposClosed", "L"}, Choice{"boposCancelled", "C"}};
constexpr std::array tree_type = {Choice{"iNotATree", "N"}, Choice{"iProductionTree", "P"}};

Value number(std::int64_t value) { return {false, value, {}}; }
Value text(std::string_view value) { return {false, 0, value}; }
Value nothing() { return {true, 0, {}}; }
Value stamp_day(const std::optional<Stamp>& stamp) { return stamp ? number(stamp->day) : nothing(); }
Value stamp_time(const std::optional<Stamp>& stamp) { return stamp ? number(stamp->seconds) : nothing(); }
bool is_foreign(std::string_view currency) { return currency != "EUR"; }

// `get` is a lambda without captures on the row's own type.
template <class Row, class Get>
constexpr Field field(std::string_view name, Kind kind, Get, std::span<const Choice> choices = {}) {
  return {.name = name,
          .kind = kind,
          .get = [](const void* row) -> Value { return Get{}(*static_cast<const Row*>(row)); },
          .choices = choices};
}
template <class Row, auto Member>
constexpr Field rows(std::string_view name, const Table& table) {
  return {.name = name,
          .kind = Kind::collection,
          .rows = &table,
          .count = [](const void* row) { return (static_cast<const Row*>(row)->*Member).size(); },
          .at = [](const void* row, std::size_t index) -> const void* {
            return &(static_cast<const Row*>(row)->*Member)[index];
          }};
}

template <class Get>
constexpr Field of_line(std::string_view name, Kind kind, Get get, std::span<const Choice> choices = {}) {
  return field<Line>(name, kind, get, choices);
}
constexpr std::array line_fields = {
    of_line("LineNum", Kind::integer, [](const Line& row) { return number(row.number); }),
    of_line("ItemCode", Kind::text,
            [](const Line& row) { return row.item_code.empty() ? nothing() : text(row.item_code); }),
    of_line("ItemDescription", Kind::text, [](const Line& row) { return text(row.description); }),
    of_line("Quantity", Kind::decimal, [](const Line& row) { return number(row.quantity); }),
    of_line("ShipDate", Kind::day,
            [](const Line& row) { return row.ship_day == 0 ? nothing() : number(row.ship_day); }),
    of_line("Price", Kind::decimal, [](const Line& row) { return number(price_after_discount(row)); }),
    of_line("UnitPrice", Kind::decimal, [](const Line& row) { return number(row.price); }),
    of_line("Currency", Kind::text, [](const Line& row) { return text(row.currency); }),
    of_line("Rate", Kind::decimal, [](const Line& row) { return number(is_foreign(row.currency) ? row.rate : 0); }),
    of_line("DiscountPercent", Kind::decimal, [](const Line& row) { return number(row.discount); }),
    of_line("LineTotal", Kind::decimal, [](const Line& row) { return number(to_local(line_total(row), row.rate)); }),
    of_line("RowTotalFC", Kind::decimal,
            [](const Line& row) { return number(is_foreign(row.currency) ? line_total(row) : 0); }),
    of_line("OpenAmount", Kind::decimal, [](const Line& row) { return number(to_local(open_amount(row), row.rate)); }),
    of_line("OpenAmountFC", Kind::decimal,
            [](const Line& row) { return number(is_foreign(row.currency) ? open_amount(row) : 0); }),
    of_line("RemainingOpenQuantity", Kind::decimal, [](const Line& row) { return number(row.open); }),
    of_line("InventoryQuantity", Kind::decimal, [](const Line& row) { return number(row.quantity); }),
    of_line(
        "LineStatus", Kind::choice, [](const Line& row) { return number(row.closed ? 1 : 0); }, document_status),
    of_line("WarehouseCode", Kind::text, [](const Line& row) { return text(row.warehouse); }),
    of_line("MeasureUnit", Kind::text, [](const Line& row) { return text(row.unit); }),
    of_line("UoMCode", Kind::text, [](const Line&) { return text("Manual"); }),
    of_line("FreeText", Kind::text, [](const Line&) { return nothing(); }),
    of_line("BaseType", Kind::integer, [](const Line& row) { return number(row.base_entry == 0 ? -1 : row.base_type); }),
    of_line("BaseEntry", Kind::integer, [](const Line& row) { return row.base_entry == 0 ? nothing() : number(row.base_entry); }),
    of_line("BaseLine", Kind::integer, [](const Line& row) { return row.base_entry == 0 ? nothing() : number(row.base_line); }),
    of_line(
        "TreeType", Kind::choice, [](const Line&) { return number(0); }, tree_type),
};
constexpr Table line_table{"DocumentLine", line_fields};

constexpr std::array expense_fields = {
    field<Expense>("ExpenseCode", Kind::integer, [](const Expense&) { return number(1); }),
    field<Expense>("LineTotal", Kind::decimal,
                   [](const Expense& row) { return number(to_local(row.amount, row.rate)); }),
    field<Expense>("LineTotalFC", Kind::decimal,
                   [](const Expense& row) { return number(is_foreign(row.currency) ? row.amount : 0); }),
};
constexpr Table expense_table{"DocumentAdditionalExpense", expense_fields};

template <class Get>
constexpr Field of_document(std::string_view name, Kind kind, Get get, std::span<const Choice> choices = {}) {
  return field<Document>(name, kind, get, choices);
}
constexpr std::array document_fields = {
    of_document("DocEntry", Kind::integer, [](const Document& row) { return number(row.entry); }),
    of_document("DocNum", Kind::integer, [](const Document& row) { return number(row.number); }),
    of_document(
        "DocType", Kind::choice, [](const Document&) { return number(0); }, document_type),
    of_document("DocDate", Kind::day, [](const Document& row) { return number(row.posted_day); }),
    of_document("DocDueDate", Kind::day,
                [](const Document& row) { return row.due_day == 0 ? nothing() : number(row.due_day); }),
    of_document("TaxDate", Kind::day, [](const Document& row) { return number(row.posted_day); }),
    of_document("CreationDate", Kind::day, [](const Document& row) { return number(row.posted_day); }),
    of_document("CancelDate", Kind::day, [](const Document& row) { return number(row.due_day + 30); }),
    of_document("CardCode", Kind::text, [](const Document& row) { return text(row.card_code); }),
    of_document("CardName", Kind::text, [](const Document& row) { return text(row.card_name); }),
    of_document("NumAtCard", Kind::text,
                [](const Document& row) { return row.reference ? text(*row.reference) : nothing(); }),
    of_document("DocTotal", Kind::decimal,
                [](const Document& row) { return number(to_local(document_total(row), row.rate)); }),
    of_document("DocTotalFc", Kind::decimal,
                [](const Document& row) { return number(is_foreign(row.currency) ? document_total(row) : 0); }),
    of_document("DocTotalSys", Kind::decimal,
                [](const Document& row) { return number(to_local(document_total(row), row.rate)); }),
    of_document("VatSum", Kind::decimal, [](const Document& row) { return number(to_local(row.tax, row.rate)); }),
    of_document("VatSumFc", Kind::decimal,
                [](const Document& row) { return number(is_foreign(row.currency) ? row.tax : 0); }),
    of_document("DiscountPercent", Kind::decimal, [](const Document&) { return number(0); }),
    of_document("TotalDiscount", Kind::decimal, [](const Document&) { return number(0); }),
    of_document("DocCurrency", Kind::text, [](const Document& row) { return text(row.currency); }),
    of_document("DocRate", Kind::decimal,
                [](const Document& row) { return number(is_foreign(row.currency) ? row.rate : one); }),
    of_document(
        "DocumentStatus", Kind::choice, [](const Document& row) { return number(row.open ? 0 : 1); }, document_status),
    of_document(
        "Cancelled", Kind::choice, [](const Document& row) { return number(row.cancelled ? 1 : 0); }, yes_no),
    of_document(
        "CancelStatus", Kind::choice, [](const Document& row) { return number(row.cancelled ? 1 : 0); }, cancel_status),
    of_document(
        "Confirmed", Kind::choice, [](const Document&) { return number(1); }, yes_no),
    of_document("SalesPersonCode", Kind::integer, [](const Document& row) { return number(row.salesperson); }),
    of_document("PaymentGroupCode", Kind::integer, [](const Document&) { return number(-1); }),
    of_document("PaidToDate", Kind::decimal,
                [](const Document& row) { return number(to_local(row.open ? row.paid : document_total(row), row.rate)); }),
    of_document(
        "PaidToDateFC", Kind::decimal,
        [](const Document& row) { return number(!is_foreign(row.currency) ? 0 : row.open ? row.paid : document_total(row)); }),
    of_document("Series", Kind::integer, [](const Document& row) { return number(row.series); }),
    of_document("Comments", Kind::text,
                [](const Document& row) { return row.comment.empty() ? nothing() : text(row.comment); }),
    of_document("RequriedDate", Kind::day, [](const Document&) { return nothing(); }),
    of_document("UpdateDate", Kind::day, [](const Document& row) { return stamp_day(row.stamp); }),
    of_document("UpdateTime", Kind::time, [](const Document& row) { return stamp_time(row.stamp); }),
    of_document("U_Priority", Kind::text, [](const Document&) { return nothing(); }),
    of_document("U_Revision", Kind::text,
                [](const Document& row) { return row.revision.empty() ? nothing() : text(row.revision); }),
    rows<Document, &Document::expenses>("DocumentAdditionalExpenses", expense_table),
    rows<Document, &Document::lines>("DocumentLines", line_table),
};
constexpr Table document_table{"Document", document_fields};

template <class Get>
constexpr Field of_item(std::string_view name, Kind kind, Get get, std::span<const Choice> choices = {}) {
  return field<Item>(name, kind, get, choices);
}
constexpr std::array item_fields = {
    of_item("ItemCode", Kind::text, [](const Item& row) { return text(row.code); }),
    of_item("ItemName", Kind::text, [](const Item& row) { return text(row.name); }),
    of_item("ItemsGroupCode", Kind::integer, [](const Item&) { return number(100); }),
    of_item("Manufacturer", Kind::integer, [](const Item& row) { return number(row.manufacturer); }),
    of_item("InventoryUOM", Kind::text, [](const Item& row) { return text(row.unit); }),
    of_item("SalesUnit", Kind::text, [](const Item& row) { return text(row.unit); }),
    of_item("QuantityOnStock", Kind::decimal, [](const Item& row) { return number(row.on_hand); }),
    of_item(
        "Valid", Kind::choice, [](const Item&) { return number(1); }, yes_no),
    of_item(
        "TreeType", Kind::choice, [](const Item&) { return number(0); }, tree_type),
    of_item("CreateDate", Kind::day, [](const Item& row) { return number(row.created_day); }),
    of_item("CreateTime", Kind::time, [](const Item&) { return number(8 * 3600); }),
    of_item("UpdateDate", Kind::day, [](const Item& row) { return stamp_day(row.stamp); }),
    of_item("UpdateTime", Kind::time, [](const Item& row) { return stamp_time(row.stamp); }),
};
constexpr Table item_table{"Item", item_fields};

constexpr std::array manufacturer_fields = {
    field<Manufacturer>("Code", Kind::integer, [](const Manufacturer& row) { return number(row.code); }),
    field<Manufacturer>("ManufacturerName", Kind::text, [](const Manufacturer& row) { return text(row.name); }),
};
constexpr Table manufacturer_table{"Manufacturer", manufacturer_fields};

constexpr std::array partner_fields = {
    field<Partner>("CardCode", Kind::text, [](const Partner& row) { return text(row.code); }),
    field<Partner>("CardName", Kind::text, [](const Partner& row) { return text(row.name); }),
    field<Partner>(
        "CardType", Kind::choice, [](const Partner& row) { return number(row.supplier ? 1 : 0); }, card_type),
    field<Partner>("Currency", Kind::text, [](const Partner& row) { return text(row.currency); }),
    field<Partner>("SalesPersonCode", Kind::integer, [](const Partner&) { return number(-1); }),
    field<Partner>("CreditLimit", Kind::decimal, [](const Partner&) { return number(0); }),
    field<Partner>("CreateDate", Kind::day, [](const Partner& row) { return stamp_day(row.stamp); }),
    field<Partner>(
        "Valid", Kind::choice, [](const Partner&) { return number(1); }, yes_no),
    field<Partner>("UpdateDate", Kind::day, [](const Partner& row) { return stamp_day(row.stamp); }),
    field<Partner>("UpdateTime", Kind::time, [](const Partner& row) { return stamp_time(row.stamp); }),
};
constexpr Table partner_table{"BusinessPartner", partner_fields};

constexpr std::array paid_fields = {
    field<PaidInvoice>("DocEntry", Kind::integer, [](const PaidInvoice& row) { return number(row.document); }),
    field<PaidInvoice>("SumApplied", Kind::decimal, [](const PaidInvoice& row) { return number(row.amount); }),
    field<PaidInvoice>("InvoiceType", Kind::text, [](const PaidInvoice& row) { return text(row.type); }),
};
constexpr Table paid_table{"PaymentInvoice", paid_fields};
Micros paid(const Payment& payment) {
  Micros sum = 0;
  for (const PaidInvoice& invoice : payment.invoices) sum += invoice.amount;
  return sum;
}
constexpr std::array payment_fields = {
    field<Payment>("DocEntry", Kind::integer, [](const Payment& row) { return number(row.entry); }),
    field<Payment>("DocNum", Kind::integer, [](const Payment& row) { return number(row.number); }),
    field<Payment>("DocDate", Kind::day, [](const Payment& row) { return number(row.day); }),
    field<Payment>("CardCode", Kind::text, [](const Payment& row) { return text(row.card_code); }),
    field<Payment>("DocCurrency", Kind::text, [](const Payment& row) { return text(row.currency); }),
    field<Payment>("TransferSum", Kind::decimal, [](const Payment& row) { return number(paid(row)); }),
    field<Payment>("CashSum", Kind::decimal, [](const Payment&) { return number(0); }),
    field<Payment>(
        "Cancelled", Kind::choice, [](const Payment& row) { return number(row.cancelled ? 1 : 0); }, yes_no),
    rows<Payment, &Payment::invoices>("PaymentInvoices", paid_table),
};
constexpr Table payment_table{"Payment", payment_fields};

constexpr std::array production_line_fields = {
    field<Component>("LineNumber", Kind::integer, [](const Component& row) { return number(row.number); }),
    field<Component>("ItemNo", Kind::text, [](const Component& row) { return text(row.item_code); }),
    field<Component>("PlannedQuantity", Kind::decimal, [](const Component& row) { return number(row.quantity); }),
    field<Component>("Warehouse", Kind::text, [](const Component& row) { return text(row.warehouse); }),
};
constexpr Table production_line_table{"ProductionOrderLine", production_line_fields};
constexpr std::array production_fields = {
    field<ProductionOrder>("AbsoluteEntry", Kind::integer,
                           [](const ProductionOrder& row) { return number(row.entry); }),
    field<ProductionOrder>("DocumentNumber", Kind::integer,
                           [](const ProductionOrder& row) { return number(row.number); }),
    field<ProductionOrder>("ItemNo", Kind::text, [](const ProductionOrder& row) { return text(row.item_code); }),
    field<ProductionOrder>("PlannedQuantity", Kind::decimal,
                           [](const ProductionOrder& row) { return number(row.planned); }),
    field<ProductionOrder>("CompletedQuantity", Kind::decimal,
                           [](const ProductionOrder& row) { return number(row.completed); }),
    field<ProductionOrder>("RejectedQuantity", Kind::decimal, [](const ProductionOrder&) { return number(0); }),
    field<ProductionOrder>("PostingDate", Kind::day, [](const ProductionOrder& row) { return number(row.start_day); }),
    field<ProductionOrder>("StartDate", Kind::day, [](const ProductionOrder& row) { return number(row.start_day); }),
    field<ProductionOrder>("DueDate", Kind::day, [](const ProductionOrder& row) { return number(row.due_day); }),
    field<ProductionOrder>("Warehouse", Kind::text, [](const ProductionOrder& row) { return text(row.warehouse); }),
    field<ProductionOrder>(
        "ProductionOrderStatus", Kind::choice,
        [](const ProductionOrder& row) { return number(static_cast<int>(row.status)); }, production_status),
    rows<ProductionOrder, &ProductionOrder::components>("ProductionOrderLines", production_line_table),
};
constexpr Table production_table{"ProductionOrder", production_fields};

constexpr std::array tree_line_fields = {
    field<Component>("ItemCode", Kind::text, [](const Component& row) { return text(row.item_code); }),
    field<Component>("Quantity", Kind::decimal, [](const Component& row) { return number(row.quantity); }),
    field<Component>("Warehouse", Kind::text, [](const Component& row) { return text(row.warehouse); }),
};
constexpr Table tree_line_table{"ProductTreeLine", tree_line_fields};
constexpr std::array tree_fields = {
    field<ProductTree>("TreeCode", Kind::text, [](const ProductTree& row) { return text(row.code); }),
    field<ProductTree>(
        "TreeType", Kind::choice, [](const ProductTree&) { return number(1); }, tree_type),
    field<ProductTree>("Quantity", Kind::decimal, [](const ProductTree& row) { return number(row.quantity); }),
    rows<ProductTree, &ProductTree::components>("ProductTreeLines", tree_line_table),
};
constexpr Table tree_table{"ProductTree", tree_fields};

template <auto Member>
void each(const Company& company, std::int64_t least, const std::function<bool(const void*)>& row) {
  const auto& rows = company.*Member;
  auto at = rows.begin();
  if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(at->first)>>) {
    using Key = std::remove_cvref_t<decltype(at->first)>;
    if (least > std::numeric_limits<Key>::max()) return;
    at = rows.lower_bound(static_cast<Key>(std::max<std::int64_t>(least, std::numeric_limits<Key>::min())));
  }
  for (; at != rows.end(); ++at) {
    if (!row(&at->second)) return;
  }
}
template <class Row>
std::uint64_t version(const void* row) {
  return static_cast<const Row*>(row)->version;
}

constexpr std::array sets = {
    EntitySet{"Orders", "DocEntry", false, &document_table, each<&Company::orders>, version<Document>},
    EntitySet{"Invoices", "DocEntry", false, &document_table, each<&Company::invoices>, version<Document>},
    EntitySet{"PurchaseOrders", "DocEntry", false, &document_table, each<&Company::purchase_orders>, version<Document>},
    EntitySet{"Items", "ItemCode", true, &item_table, each<&Company::items>, version<Item>},
    EntitySet{"BusinessPartners", "CardCode", true, &partner_table, each<&Company::partners>, version<Partner>},
    EntitySet{"Manufacturers", "Code", false, &manufacturer_table, each<&Company::manufacturers>, nullptr},
    EntitySet{"IncomingPayments", "DocEntry", false, &payment_table, each<&Company::payments>, nullptr},
    EntitySet{"CreditNotes", "DocEntry", false, &document_table, each<&Company::credit_notes>, version<Document>},
    EntitySet{"PurchaseInvoices", "DocEntry", false, &document_table, each<&Company::bills>, version<Document>},
    EntitySet{"VendorPayments", "DocEntry", false, &payment_table, each<&Company::supplier_payments>, nullptr},
    EntitySet{"ProductionOrders", "AbsoluteEntry", false, &production_table, each<&Company::production_orders>,
              nullptr},
    EntitySet{"ProductTrees", "TreeCode", true, &tree_table, each<&Company::product_trees>, nullptr},
};

}  // namespace

const Field* Table::find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

std::span<const EntitySet> entity_sets() { return sets; }

const EntitySet* find_entity_set(std::string_view name) {
  const auto found = std::ranges::find(sets, name, &EntitySet::name);
  return found == sets.end() ? nullptr : &*found;
}

}  // namespace millrace::simulator
