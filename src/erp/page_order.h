// Whether two keys can stand one after the other in a list that the other side ordered by key.
//
// Numbers order everywhere the same. Texts do not: HANA and SQLite compare bytes, SQL Server ignores case and, by its
// linguistic rules, hyphens and apostrophes; its GUIDs are compared from their last group to their first. A page is refused
// only when no such order explains it: then it was not ordered, or filtered, at all.
#pragma once
#include "erp/remote.h"

namespace millrace::erp {

bool may_follow(const StreamDescriptor& stream, const Key& before, const Key& after);

}  // namespace millrace::erp
