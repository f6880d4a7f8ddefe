#include "erp/stream.h"

#include <array>

namespace millrace::erp {
namespace {

using enum StreamName;

constexpr std::array<std::string_view, 4> dialect_words{"sap-b1-v1", "sap-b1-v2", "odata-v4", "odata-v4-b1"};
constexpr std::array<std::string_view, stream_count> stream_words{"orders",          "items",             "manufacturers",
                                                                  "partners",        "invoices",          "payments",
                                                                  "purchase-orders", "production-orders", "product-trees",
                                                                  "credit-notes",    "bills",             "supplier-payments"};

constexpr std::string_view open_documents = "DocumentStatus eq 'bost_Open'";

// A marketing document of SAP: one type behind Orders, Invoices and PurchaseOrders.
constexpr StreamDescriptor document(StreamName name, std::string_view entity_set) {
  StreamDescriptor d{.name = name, .entity_set = entity_set, .key = "DocEntry"};
  d.stamp = StampKind::day_and_time;
  d.stamp_day = "UpdateDate";
  d.stamp_time = "UpdateTime";
  d.open_filter = open_documents;
  d.open_field = "DocumentStatus";
  d.open_value = "bost_Open";
  return d;
}

constexpr StreamDescriptor with_lines(StreamDescriptor d, Lines lines) {
  d.lines = lines;
  d.lines_field = "DocumentLines";
  if (lines == Lines::expand) d.expand = "DocumentLines";
  return d;
}

constexpr StreamDescriptor with_select(StreamDescriptor d, std::string_view select) {
  d.select = select;
  d.page_of_documents = 1000;  // a few hundred bytes a row instead of tens of thousands
  return d;
}

constexpr StreamDescriptor manufacturers_of_b1() {
  StreamDescriptor d{.name = manufacturers, .entity_set = "Manufacturers", .key = "Code"};
  d.version = Version::hash;
  d.read_whole = true;
  return d;
}

constexpr StreamDescriptor items_of_b1() {
  StreamDescriptor d{.name = items, .entity_set = "Items", .key = "ItemCode", .key_is_number = false};
  d.stamp = StampKind::day_and_time;
  d.stamp_day = "UpdateDate";
  d.stamp_time = "UpdateTime";
  d.stamp_created = "CreateDate";
  return with_select(d, "ItemCode,ItemName,ItemsGroupCode,Manufacturer,QuantityOnStock,InventoryUOM,Valid,UpdateDate,UpdateTime");
}

constexpr StreamDescriptor partners_of_b1() {
  StreamDescriptor d{.name = partners, .entity_set = "BusinessPartners", .key = "CardCode", .key_is_number = false};
  d.stamp = StampKind::day_and_time;
  d.stamp_day = "UpdateDate";
  d.stamp_time = "UpdateTime";
  d.stamp_created = "CreateDate";
  return with_select(d, "CardCode,CardName,CardType,Currency,SalesPersonCode,CreditLimit,Valid,UpdateDate,UpdateTime");
}

constexpr StreamDescriptor invoices_of_b1() {
  return with_lines(document(invoices, "Invoices"), Lines::inline_);  // whose lines say which order they invoice
}

// Without stamps (2019's metadata): only reading a row tells whether it changed.
constexpr StreamDescriptor unstamped(StreamName name, std::string_view entity_set, std::string_view key, bool number) {
  StreamDescriptor d{.name = name, .entity_set = entity_set, .key = key, .key_is_number = number};
  d.version = Version::hash;
  return d;
}

constexpr StreamDescriptor production_orders_of_b1() {
  StreamDescriptor d = unstamped(production_orders, "ProductionOrders", "AbsoluteEntry", true);
  d.open_filter = "(ProductionOrderStatus eq 'boposPlanned' or ProductionOrderStatus eq 'boposReleased')";
  d.open_field = "ProductionOrderStatus";
  d.open_value = "boposPlanned|boposReleased";
  d.lines = Lines::inline_;
  d.lines_field = "ProductionOrderLines";
  return d;
}

constexpr StreamDescriptor product_trees_of_b1() {
  StreamDescriptor d = unstamped(product_trees, "ProductTrees", "TreeCode", false);
  d.lines = Lines::inline_;
  d.lines_field = "ProductTreeLines";
  return d;
}

constexpr std::array<StreamDescriptor, 12> sap_b1{manufacturers_of_b1(),
                                                 items_of_b1(),
                                                 partners_of_b1(),
                                                 with_lines(document(orders, "Orders"), Lines::inline_),
                                                 invoices_of_b1(),
                                                 with_lines(document(credit_notes, "CreditNotes"), Lines::inline_),
                                                 unstamped(payments, "IncomingPayments", "DocEntry", true),
                                                 with_lines(document(purchase_orders, "PurchaseOrders"), Lines::inline_),
                                                 with_lines(document(bills, "PurchaseInvoices"), Lines::inline_),
                                                 unstamped(supplier_payments, "VendorPayments", "DocEntry", true),
                                                 production_orders_of_b1(),
                                                 product_trees_of_b1()};

constexpr std::array<StreamDescriptor, 4> odata_b1{manufacturers_of_b1(), items_of_b1(), partners_of_b1(),
                                                   with_lines(document(orders, "Orders"), Lines::expand)};

// Business Central: a GUID is the key, an instant the stamp, and every row has an ETag. What is finished there leaves
// the list of orders, so there is no open set to ask for.
constexpr StreamDescriptor central(StreamName name, std::string_view entity_set, std::string_view lines = {}) {
  StreamDescriptor d{.name = name, .entity_set = entity_set, .key = "id", .key_is_number = false, .key_is_guid = true};
  d.stamp = StampKind::instant;
  d.stamp_day = "lastModifiedDateTime";
  if (!lines.empty()) {
    d.lines = Lines::expand;
    d.expand = lines;
    d.lines_field = lines;
  }
  return d;
}

constexpr StreamDescriptor invoices_of_central() {
  StreamDescriptor d = central(invoices, "salesInvoices");
  d.open_filter = "status eq 'Open'";
  d.open_field = "status";
  d.open_value = "Open";
  return d;
}

constexpr std::array<StreamDescriptor, 5> business_central{
    central(items, "items"), central(partners, "customers"), central(orders, "salesOrders", "salesOrderLines"), invoices_of_central(),
    central(purchase_orders, "purchaseOrders", "purchaseOrderLines")};

}  // namespace

std::string_view word(Dialect dialect) { return dialect_words[static_cast<std::size_t>(dialect)]; }

std::optional<Dialect> find_dialect(std::string_view text) {
  for (std::size_t i = 0; i < dialect_words.size(); ++i) {
    if (dialect_words[i] == text) return static_cast<Dialect>(i);
  }
  return std::nullopt;
}

std::string_view word(StreamName stream) { return stream_words[static_cast<std::size_t>(stream)]; }

std::span<const StreamDescriptor> streams_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::odata_v4: return business_central;
    case Dialect::odata_v4_b1: return odata_b1;
    case Dialect::sap_b1_v1:
    case Dialect::sap_b1_v2: break;
  }
  return sap_b1;
}

const StreamDescriptor* find_stream(Dialect dialect, std::string_view name) {
  for (const StreamDescriptor& stream : streams_of(dialect)) {
    if (word(stream.name) == name) return &stream;
  }
  return nullptr;
}

}  // namespace millrace::erp
