// What happened to a finance document, in one sentence.
#pragma once
#include "query/wording.h"

namespace millrace::query {

// Fills what `worded` says of a change of kind finance_put or finance_removed; `before` as there.
void word_finance(WordedChange& worded, const feed::Change& change, const feed::Change* before);

}  // namespace millrace::query
