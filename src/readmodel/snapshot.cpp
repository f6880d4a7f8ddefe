#include "readmodel/snapshot.h"

#include "readmodel/order_record.h"

namespace millrace::readmodel {

std::string_view Snapshot::name_of(KeptGroup group, Code code) const {
  const KeptSpine& spine = kept(group);
  const std::size_t block = code / kept_block_keys;
  if (block >= spine.size() || spine[block] == nullptr) return {};
  const Vocabulary names = group == KeptGroup::item ? Vocabulary::item_name : Vocabulary::customer_name;
  return words(names).text(spine[block]->names[code % kept_block_keys]);
}

std::optional<RowId> Snapshot::find(std::string_view order_number) const {
  return find_number(*parts_.numbers, *parts_.chunks, order_number);
}

feed::OrderPut Snapshot::order(RowId row) const { return decode_record(chunk_of(row), row % chunk_rows, parts_.words); }

}  // namespace millrace::readmodel
