#include "query/order_detail.h"

#include <algorithm>

#include "base/text.h"
#include "query/internal/rows.h"

namespace millrace::query {

Failure no_such_order(std::string_view number) {
  return fail(ErrorCode::not_found, "there is no order " + printable(number.substr(0, 64)) +
                                        "; check the number without the source's prefix, and the rejections: its "
                                        "file may have been refused or removed");
}

Result<OrderDetail> order_detail(const readmodel::Snapshot& snapshot, std::string_view number, Day today) {
  const auto row = snapshot.find(number);
  if (!row) return no_such_order(number);
  return OrderDetail{.as_of = snapshot.as_of(),
                     .as_of_time = snapshot.as_of_time(),
                     .row = internal::make_row(snapshot, *row, day_number(today)),
                     .put = snapshot.order(*row)};
}

WrittenOn written_on(const readmodel::Snapshot& snapshot, std::string_view number) {
  const auto row = snapshot.find(number);
  if (!row || (snapshot.chunk_of(*row).bits[*row % readmodel::chunk_rows] & readmodel::order_has_overlay) == 0) return {};
  feed::OrderPut put = snapshot.order(*row);
  return {put.overlay_version, std::move(put.overlay)};
}

std::vector<feed::Rejection> rejections(const readmodel::Snapshot& snapshot) {
  std::vector<feed::Rejection> all;
  all.reserve(snapshot.rejections().size());
  for (const auto& rejection : snapshot.rejections()) all.push_back(*rejection);
  std::sort(all.begin(), all.end(), [](const feed::Rejection& left, const feed::Rejection& right) {
    return left.since != right.since ? left.since > right.since : left.id > right.id;
  });
  return all;
}

}  // namespace millrace::query
