// The part of an order that no column of its chunk holds, as compact bytes; and the whole order back from both.
//
// Invariants
//   * decode_record(encode_record(put)) == put.
//   * The bytes live and die with the process; there is no version in them.
#pragma once
#include <string>

#include "feed/change.h"
#include "readmodel/order_chunk.h"

namespace millrace::readmodel {

// The columns of `row` are already set.
std::string encode_record(const feed::OrderPut& put, const OrderChunk& chunk, std::size_t row, Dictionaries& words);
feed::OrderPut decode_record(const OrderChunk& chunk, std::size_t row, const WordLists& words);

}  // namespace millrace::readmodel
