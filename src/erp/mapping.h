// An ERP document in its own words to ours: the one table of field names per dialect.
//
// Invariants
//   * Amounts go from their text to decimals, never through double.
//   * What cannot be read exactly is a finding with key and field, and the document adds nothing.
//   * `hash` covers mapped fields only, in canonical form: fields we do not map may change without a trace.
//   * Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time_zone.h"
#include "erp/remote.h"
#include "erp/stream.h"
#include "ingest/document.h"

namespace millrace::erp {

// Names for codes, from other streams: what the row itself does not say.
class Names {
 public:
  virtual ~Names() = default;
  virtual std::string manufacturer_of_item(std::string_view item_code) const = 0;  // "" when not known (yet)
  virtual std::string salesperson(std::string_view code) const = 0;
};

struct Mapped {
  ContentHash hash;
  bool open = false;
  std::string status;               // "Open", "Closed", "Cancelled": stands for the folder state
  ingest::ParsedDocument document;  // orders: exactly one order; other streams: none
  std::string kept;                 // the mapped fields of other streams, canonical JSON: what the record keeps
};
// Other streams in `kept` have our words: items {"code","name","group_code","manufacturer","stock","unit","valid"},
// manufacturers {"code","name"}, ...; the whole list is the table in mapping_fields.cpp.
// Stamps of days and times of day are of the clock in `zone`.
Mapped map_document(Dialect dialect, const StreamDescriptor& stream, std::string_view json, const Names& names, const TimeZone& zone = {});

// The instant at which a clock of that zone shows the stamp; stamps of StampKind::instant are UTC already.
Instant instant_of(const StreamDescriptor& stream, const RemoteStamp& stamp, const TimeZone& zone);

// A plain field of the header in `Mapped::kept`, "" when it is not there: kept_field(item, "manufacturer") is its code.
std::string kept_field(std::string_view kept, std::string_view name);

}  // namespace millrace::erp
