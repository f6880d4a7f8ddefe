#include "erp/mapping_fields.h"

#include <array>

namespace millrace::erp {
namespace {

using enum FieldKind;

// ---- SAP Business One ------------------------------------------------------------------------------------------------

constexpr std::array b1_order{
    FieldRule{"DocEntry", "DocEntry", whole},
    FieldRule{"DocNum", "DocNum", whole},
    FieldRule{"Series", "Series", code},
    FieldRule{"DocType", "DocType"},
    FieldRule{"CardCode", "CardCode"},
    FieldRule{"CardName", "CardName"},
    FieldRule{"NumAtCard", "NumAtCard"},
    FieldRule{"DocDate", "DocDate", day},
    FieldRule{"DocDueDate", "DocDueDate", day},
    FieldRule{"TaxDate", "TaxDate", day},
    FieldRule{"DocCurrency", "DocCurrency"},
    FieldRule{"DocRate", "DocRate", rate},
    FieldRule{"DocTotal", "DocTotal", amount, "DocTotalFc"},
    FieldRule{"VatSum", "VatSum", amount, "VatSumFc"},
    FieldRule{"DiscountPercent", "DiscountPercent", rate},
    FieldRule{"DocumentStatus", "DocumentStatus", status},
    FieldRule{"Cancelled", "Cancelled", flag},
    FieldRule{"CancelStatus", "CancelStatus", flag},
    FieldRule{"SalesPersonCode", "SalesPersonCode", code},
    FieldRule{"PaymentGroupCode", "PaymentGroupCode", code},
    FieldRule{"BPL_IDAssignedToInvoice", "Branch", code},
    FieldRule{"Comments", "Comments"},
    FieldRule{"U_Revision", "U_Revision"},
    FieldRule{"U_PromiseDate", "U_PromiseDate", day},
};
constexpr std::array b1_order_line{
    FieldRule{"LineNum", "LineNum", whole},
    FieldRule{"ItemCode", "ItemCode"},
    FieldRule{"ItemDescription", "ItemDescription"},
    FieldRule{"Quantity", "Quantity", amount},
    FieldRule{"RemainingOpenQuantity", "RemainingOpenQuantity", amount},
    FieldRule{"UnitPrice", "UnitPrice", amount},
    FieldRule{"Price", "Price", amount},
    FieldRule{"DiscountPercent", "DiscountPercent", rate},
    FieldRule{"LineTotal", "LineTotal", amount, "RowTotalFC"},
    FieldRule{"OpenAmount", "OpenAmount", amount, "OpenAmountFC"},
    FieldRule{"Currency", "Currency"},
    FieldRule{"WarehouseCode", "WarehouseCode"},
    FieldRule{"MeasureUnit", "MeasureUnit"},
    FieldRule{"UoMCode", "UoMCode"},
    FieldRule{"LineStatus", "LineStatus", status},
    FieldRule{"ShipDate", "ShipDate", day},
    FieldRule{"U_LinePromiseDate", "U_LinePromiseDate", day},
    FieldRule{"U_Cancelled", "U_Cancelled", flag},
};
constexpr std::array b1_expense{FieldRule{"LineTotal", "LineTotal", amount, "LineTotalFC"}};

constexpr std::array b1_item{
    FieldRule{"ItemCode", "code"},
    FieldRule{"ItemName", "name"},
    FieldRule{"ItemsGroupCode", "group_code", code},
    FieldRule{"Manufacturer", "manufacturer", code},
    FieldRule{"QuantityOnStock", "stock", amount},
    FieldRule{"InventoryUOM", "unit"},
    FieldRule{"Valid", "valid", flag},
};
constexpr std::array b1_manufacturer{
    FieldRule{"Code", "code", whole},
    FieldRule{"ManufacturerName", "name"},
};
constexpr std::array b1_partner{
    FieldRule{"CardCode", "code"},
    FieldRule{"CardName", "name"},
    FieldRule{"CardType", "type"},
    FieldRule{"Currency", "currency"},
    FieldRule{"SalesPersonCode", "salesperson_code", code},
    FieldRule{"CreditLimit", "credit_limit", amount},
    FieldRule{"Valid", "valid", flag},
};
constexpr std::array b1_invoice{
    FieldRule{"DocEntry", "source_key", whole},
    FieldRule{"DocNum", "number", whole},
    FieldRule{"CardCode", "customer_code"},
    FieldRule{"CardName", "customer_name"},
    FieldRule{"NumAtCard", "customer_reference"},
    FieldRule{"DocDate", "posting_date", day},
    FieldRule{"DocDueDate", "due_date", day},
    FieldRule{"DocCurrency", "currency"},
    FieldRule{"DocTotal", "document_total", amount, "DocTotalFc"},
    FieldRule{"VatSum", "tax", amount, "VatSumFc"},
    FieldRule{"PaidToDate", "paid", amount, "PaidToDateFC"},
    FieldRule{"DocumentStatus", "status", status},
    FieldRule{"Cancelled", "cancelled", flag},
    FieldRule{"CancelStatus", "cancel_status", flag},
};
constexpr std::array b1_invoice_line{
    FieldRule{"LineNum", "line", whole},
    FieldRule{"ItemDescription", "item_name"},
    FieldRule{"Quantity", "quantity", amount},
    FieldRule{"LineTotal", "line_total", amount, "RowTotalFC"},
    FieldRule{"BaseType", "base_type", code},
    FieldRule{"BaseEntry", "base_key", code},
    FieldRule{"BaseLine", "base_line", code},
};
constexpr std::array b1_instalment{
    FieldRule{"DueDate", "due_date", day},
    FieldRule{"Total", "amount", amount, "TotalFC"},
};
constexpr std::array b1_payment{
    FieldRule{"DocEntry", "source_key", whole},
    FieldRule{"DocNum", "number", whole},
    FieldRule{"CardCode", "customer_code"},
    FieldRule{"DocDate", "posting_date", day},
    FieldRule{"DueDate", "due_date", day},
    FieldRule{"DocCurrency", "currency"},
    FieldRule{"CashSum", "cash", amount, "CashSumFC"},
    FieldRule{"TransferSum", "transfer", amount},
    FieldRule{"Cancelled", "cancelled", flag},
};
constexpr std::array b1_paid_invoice{
    FieldRule{"DocEntry", "invoice_key", whole},
    FieldRule{"InvoiceType", "invoice_type"},
    FieldRule{"InstallmentId", "instalment", whole},
    FieldRule{"SumApplied", "amount", amount, "AppliedFC"},
};
constexpr std::array b1_bill{
    FieldRule{"DocEntry", "source_key", whole},
    FieldRule{"DocNum", "number", whole},
    FieldRule{"CardCode", "supplier_code"},
    FieldRule{"CardName", "supplier_name"},
    FieldRule{"NumAtCard", "supplier_reference"},
    FieldRule{"DocDate", "posting_date", day},
    FieldRule{"DocDueDate", "due_date", day},
    FieldRule{"DocCurrency", "currency"},
    FieldRule{"DocTotal", "document_total", amount, "DocTotalFc"},
    FieldRule{"VatSum", "tax", amount, "VatSumFc"},
    FieldRule{"DocumentStatus", "status", status},
    FieldRule{"Cancelled", "cancelled", flag},
    FieldRule{"CancelStatus", "cancel_status", flag},
};
constexpr std::array b1_supplier_payment{
    FieldRule{"DocEntry", "source_key", whole},
    FieldRule{"DocNum", "number", whole},
    FieldRule{"CardCode", "supplier_code"},
    FieldRule{"DocDate", "posting_date", day},
    FieldRule{"DocCurrency", "currency"},
    FieldRule{"CashSum", "cash", amount, "CashSumFC"},
    FieldRule{"TransferSum", "transfer", amount},
    FieldRule{"Cancelled", "cancelled", flag},
};
constexpr std::array b1_purchase_order{
    FieldRule{"DocEntry", "source_key", whole},
    FieldRule{"DocNum", "number", whole},
    FieldRule{"CardCode", "supplier_code"},
    FieldRule{"CardName", "supplier_name"},
    FieldRule{"DocDate", "posting_date", day},
    FieldRule{"DocDueDate", "requested_date", day},
    FieldRule{"DocCurrency", "currency"},
    FieldRule{"DocTotal", "document_total", amount, "DocTotalFc"},
    FieldRule{"DocumentStatus", "status", status},
    FieldRule{"Cancelled", "cancelled", flag},
};
constexpr std::array b1_purchase_line{
    FieldRule{"LineNum", "line", whole},
    FieldRule{"ItemCode", "item_code"},
    FieldRule{"ItemDescription", "item_name"},
    FieldRule{"Quantity", "quantity_ordered", amount},
    FieldRule{"RemainingOpenQuantity", "quantity_open", amount},
    FieldRule{"UnitPrice", "unit_price", amount},
    FieldRule{"Price", "price_after_discount", amount},
    FieldRule{"LineTotal", "line_total", amount, "RowTotalFC"},
    FieldRule{"WarehouseCode", "warehouse_code"},
    FieldRule{"MeasureUnit", "unit"},
    FieldRule{"LineStatus", "status", status},
    FieldRule{"ShipDate", "requested_date", day},
};
constexpr std::array b1_production_order{
    FieldRule{"AbsoluteEntry", "source_key", whole},
    FieldRule{"DocumentNumber", "number", whole},
    FieldRule{"ItemNo", "item_code"},
    FieldRule{"ProductionOrderStatus", "status", status},
    FieldRule{"PlannedQuantity", "quantity_planned", amount},
    FieldRule{"CompletedQuantity", "quantity_completed", amount},
    FieldRule{"RejectedQuantity", "quantity_rejected", amount},
    FieldRule{"PostingDate", "posting_date", day},
    FieldRule{"StartDate", "start_date", day},
    FieldRule{"DueDate", "due_date", day},
    FieldRule{"Warehouse", "warehouse_code"},
    FieldRule{"CustomerCode", "customer_code"},
    FieldRule{"ProductionOrderOriginEntry", "sales_order_key", code},
};
constexpr std::array b1_production_line{
    FieldRule{"LineNumber", "line", whole},
    FieldRule{"ItemNo", "item_code"},
    FieldRule{"BaseQuantity", "quantity_each", amount},
    FieldRule{"PlannedQuantity", "quantity_planned", amount},
    FieldRule{"IssuedQuantity", "quantity_issued", amount},
    FieldRule{"Warehouse", "warehouse_code"},
};
constexpr std::array b1_product_tree{
    FieldRule{"TreeCode", "item_code"},
    FieldRule{"TreeType", "type"},
    FieldRule{"Quantity", "quantity", amount},
    FieldRule{"Warehouse", "warehouse_code"},
};
constexpr std::array b1_tree_line{
    FieldRule{"ChildNum", "line", whole},
    FieldRule{"ItemCode", "item_code"},
    FieldRule{"Quantity", "quantity", amount},
    FieldRule{"Warehouse", "warehouse_code"},
};

// ---- Business Central ------------------------------------------------------------------------------------------------

constexpr std::array bc_order{
    FieldRule{"id", "DocEntry"},
    FieldRule{"number", "DocNum"},
    FieldRule{"customerNumber", "CardCode"},
    FieldRule{"customerName", "CardName"},
    FieldRule{"externalDocumentNumber", "NumAtCard"},
    FieldRule{"orderDate", "DocDate", day},
    FieldRule{"requestedDeliveryDate", "DocDueDate", day},
    FieldRule{"currencyCode", "DocCurrency"},
    FieldRule{"totalAmountIncludingTax", "DocTotal", amount},
    FieldRule{"totalTaxAmount", "VatSum", amount},
    FieldRule{"status", "Status"},
    FieldRule{"fullyShipped", "FullyShipped", flag},
    FieldRule{"salesperson", "SalesPersonName"},
};
constexpr std::array bc_order_line{
    FieldRule{"sequence", "LineNo", whole},
    FieldRule{"lineObjectNumber", "ItemCode"},
    FieldRule{"description", "ItemDescription"},
    FieldRule{"quantity", "Quantity", amount},
    FieldRule{"shippedQuantity", "DeliveredQuantity", amount},
    FieldRule{"unitPrice", "UnitPrice", amount},
    FieldRule{"discountPercent", "DiscountPercent", rate},
    FieldRule{"amountExcludingTax", "LineTotal", amount},
    FieldRule{"unitOfMeasureCode", "MeasureUnit"},
    FieldRule{"shipmentDate", "ShipDate", day},
};
constexpr std::array bc_item{
    FieldRule{"id", "source_key"},
    FieldRule{"number", "code"},
    FieldRule{"displayName", "name"},
    FieldRule{"itemCategoryCode", "group_code"},
    FieldRule{"inventory", "stock", amount},
    FieldRule{"baseUnitOfMeasureCode", "unit"},
    FieldRule{"blocked", "blocked", flag},
};
constexpr std::array bc_customer{
    FieldRule{"id", "source_key"},
    FieldRule{"number", "code"},
    FieldRule{"displayName", "name"},
    FieldRule{"currencyCode", "currency"},
    FieldRule{"salespersonCode", "salesperson_code"},
    FieldRule{"creditLimit", "credit_limit", amount},
};
constexpr std::array bc_invoice{
    FieldRule{"id", "source_key"},
    FieldRule{"number", "number"},
    FieldRule{"customerNumber", "customer_code"},
    FieldRule{"customerName", "customer_name"},
    FieldRule{"externalDocumentNumber", "customer_reference"},
    FieldRule{"orderNumber", "order_number"},
    FieldRule{"invoiceDate", "posting_date", day},
    FieldRule{"dueDate", "due_date", day},
    FieldRule{"currencyCode", "currency"},
    FieldRule{"totalAmountIncludingTax", "document_total", amount},
    FieldRule{"totalTaxAmount", "tax", amount},
    FieldRule{"remainingAmount", "open_amount", amount},
    FieldRule{"status", "status", status},
};
constexpr std::array bc_purchase_order{
    FieldRule{"id", "source_key"},
    FieldRule{"number", "number"},
    FieldRule{"vendorNumber", "supplier_code"},
    FieldRule{"vendorName", "supplier_name"},
    FieldRule{"orderDate", "posting_date", day},
    FieldRule{"requestedReceiptDate", "requested_date", day},
    FieldRule{"currencyCode", "currency"},
    FieldRule{"totalAmountIncludingTax", "document_total", amount},
    FieldRule{"fullyReceived", "fully_received", flag},
};
constexpr std::array bc_purchase_line{
    FieldRule{"sequence", "line", whole},
    FieldRule{"lineObjectNumber", "item_code"},
    FieldRule{"description", "item_name"},
    FieldRule{"quantity", "quantity_ordered", amount},
    FieldRule{"receivedQuantity", "quantity_received", amount},
    FieldRule{"directUnitCost", "unit_price", amount},
    FieldRule{"amountExcludingTax", "line_total", amount},
    FieldRule{"unitOfMeasureCode", "unit"},
    FieldRule{"expectedReceiptDate", "requested_date", day},
};

constexpr LineTable none{{}, {}, {}, {}};

constexpr std::array<FieldTable, stream_count> b1_tables{
    FieldTable{b1_order, {"DocumentLines", "DocumentLines", "LineNum", b1_order_line},
               {"DocumentAdditionalExpenses", "DocumentAdditionalExpenses", {}, b1_expense}},
    FieldTable{b1_item, none, none},
    FieldTable{b1_manufacturer, none, none},
    FieldTable{b1_partner, none, none},
    FieldTable{b1_invoice, {"DocumentLines", "lines", "line", b1_invoice_line},
               {"DocumentInstallments", "instalments", {}, b1_instalment}},
    FieldTable{b1_payment, none, {"PaymentInvoices", "invoices", {}, b1_paid_invoice}},
    FieldTable{b1_purchase_order, {"DocumentLines", "lines", "line", b1_purchase_line}, none},
    FieldTable{b1_production_order, {"ProductionOrderLines", "lines", {}, b1_production_line}, none},
    FieldTable{b1_product_tree, {"ProductTreeLines", "lines", {}, b1_tree_line}, none},
    FieldTable{b1_invoice, {"DocumentLines", "lines", "line", b1_invoice_line}, none},
    FieldTable{b1_bill, {"DocumentLines", "lines", "line", b1_invoice_line},
               {"DocumentInstallments", "instalments", {}, b1_instalment}},
    FieldTable{b1_supplier_payment, none, {"PaymentInvoices", "invoices", {}, b1_paid_invoice}},
};

constexpr FieldTable not_there{{}, none, none};
constexpr std::array<FieldTable, stream_count> bc_tables{
    FieldTable{bc_order, {"salesOrderLines", "DocumentLines", "LineNo", bc_order_line}, none},
    FieldTable{bc_item, none, none},
    not_there,
    FieldTable{bc_customer, none, none},
    FieldTable{bc_invoice, none, none},
    not_there,
    FieldTable{bc_purchase_order, {"purchaseOrderLines", "lines", "line", bc_purchase_line}, none},
    not_there,
    not_there,
    not_there,
    not_there,
    not_there,
};

}  // namespace

const FieldTable& field_table(Dialect dialect, StreamName stream) {
  const auto place = static_cast<std::size_t>(stream);
  return dialect == Dialect::odata_v4 ? bc_tables[place] : b1_tables[place];
}

}  // namespace millrace::erp
