// What is particular about one stream of an ERP (its orders, its items); the sync is one and the same for all.
//
// Facts and their sources are in docs/erp.md.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::erp {

//   sap_b1_v1, sap_b1_v2   SAP Business One's Service Layer as OData v3 and v4
//   odata_v4               Business Central (API v2.0)
//   odata_v4_b1            any OData v4 service with the Service Layer's names, where lines are a navigation
enum class Dialect : std::uint8_t { sap_b1_v1, sap_b1_v2, odata_v4, odata_v4_b1 };
std::string_view word(Dialect dialect);  // "sap-b1-v2", "odata-v4": as in settings
std::optional<Dialect> find_dialect(std::string_view word);
inline bool is_service_layer(Dialect dialect) { return dialect == Dialect::sap_b1_v1 || dialect == Dialect::sap_b1_v2; }

enum class StreamName : std::uint8_t {
  orders, items, manufacturers, partners, invoices, payments, purchase_orders, production_orders, product_trees,
  credit_notes, bills, supplier_payments
};
inline constexpr std::size_t stream_count = 12;
std::string_view word(StreamName stream);  // "orders", "purchase-orders": as in addresses and settings

// How the other side tells that a row changed, best first; `hash` means only reading it whole tells.
enum class Version : std::uint8_t { etag, stamp, hash };
enum class StampKind : std::uint8_t { none, day_and_time, instant };
enum class Lines : std::uint8_t { none, inline_, expand };

struct StreamDescriptor {
  StreamName name{};
  std::string_view entity_set{};    // "Orders", "salesOrders"
  std::string_view key{};           // "DocEntry", "CardCode", "id"
  bool key_is_number = true;      // else compared as text, quoted with doubled quotes; Guid keys are not quoted
  bool key_is_guid = false;
  Version version = Version::etag;
  StampKind stamp = StampKind::none;
  std::string_view stamp_day{}, stamp_time{};  // "UpdateDate", "UpdateTime"; `instant` uses stamp_day alone
  std::string_view open_filter{};            // "DocumentStatus eq 'bost_Open'"; "" has no open set
  std::string_view open_field{}, open_value{}; // the same, as a scan answers it; several values stand between '|'
  Lines lines = Lines::none;
  std::string_view expand{};                 // "salesOrderLines" when lines is expand
  std::string_view lines_field{};            // where a whole row carries its lines: a row without it is not whole
  // Optional parts of questions: a system that refuses them is asked without from then on.
  std::string_view stamp_created{};          // "CreateDate": a row may have no stamp before its first edit
  std::string_view select{};                 // of whole reads: the mapped fields, where all of them are plain; "" reads everything
  bool read_whole = false;                 // small and without stamps: read all of it, compare by hash (manufacturers)
  std::size_t page_of_documents = 500;     // first wish; adapts
  std::size_t page_of_keys = 2000;
  std::size_t keys_in_one_fetch = 40;
};

// The streams a dialect has, in the order they are synced: what others are looked up in comes first.
std::span<const StreamDescriptor> streams_of(Dialect dialect);
const StreamDescriptor* find_stream(Dialect dialect, std::string_view name);

}  // namespace millrace::erp
