// What every backend of the record must do. A backend's test program calls `record_conforms` with a way to open
// (and open again) an empty record of its own.
#pragma once
#include <functional>
#include <memory>

#include "store/record.h"

namespace millrace::store {

class RecordUnderTest {
 public:
  virtual ~RecordUnderTest() = default;
  // Opens the same record every time; the former handle is gone by then.
  virtual std::unique_ptr<Record> open(const Clock& clock) = 0;
};

void record_conforms(const std::function<std::unique_ptr<RecordUnderTest>()>& fresh);

}  // namespace millrace::store
