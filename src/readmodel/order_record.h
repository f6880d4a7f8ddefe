// The part of an order that no column of its chunk holds, as compact bytes; and the whole order back from both.
// Most orders have no such part: their record is empty.
//
// Invariants
//   * decode_record(encode_record(put)) == put, once the columns of the row are set.
//   * The bytes belong to this version of the program; files that keep them carry its format number.
#pragma once
#include <string>

#include "readmodel/order_chunk.h"

namespace millrace::readmodel {

std::string encode_record(const feed::OrderPut& put, const OrderChunk& chunk, std::size_t row, Dictionaries& words);

feed::OrderPut decode_record(const OrderChunk& chunk, std::size_t row, const WordLists& words);

// What a person wrote into a field of the order, "" when nobody did: found without reading the order back.
std::string_view overlay_text(const OrderChunk& chunk, std::size_t row, std::string_view field);

// The day from which the days of lines are counted: they mostly lie a fixed time before or after it.
std::int64_t line_day_anchor(const OrderChunk& chunk, std::size_t row);

}  // namespace millrace::readmodel
