// Whether a chunk that came from outside (a file on disk) can be read without leaving its columns, heaps and words.
// It says nothing about truth: a checksum does. It is what keeps a forged file from becoming a crash.
#pragma once
#include "readmodel/order_chunk.h"

namespace millrace::readmodel {

// Every place that reading row, line or document of this chunk can lead to exists. `articles` of the chunk is set.
bool is_sound(const OrderChunk& chunk, const WordLists& words, std::uint32_t article_count);

}  // namespace millrace::readmodel
