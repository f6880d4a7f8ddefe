// People over a record in a folder of its own, with passwords that cost nearly nothing.
#pragma once
#include <stdexcept>

#include "people/directory.h"
#include "store/record.h"
#include "testing/temporary_folder.h"

namespace millrace::testing {

class Office {
 public:
  Office(const Clock& clock, metrics::Registry& metrics) {
    record_ = must(store::open_sqlite_record({.path = folder_ / "record.sqlite", .clock = &clock}));
    audit_ = must(people::Audit::open(*record_, clock));
    people::DirectoryOptions cheap;
    cheap.cost = {64u << 10, 1};
    directory_ = must(people::Directory::open(*record_, *audit_, clock, metrics, cheap));
  }
  people::Directory& directory() { return *directory_; }
  people::Audit& audit() { return *audit_; }

 private:
  template <class T>
  static T must(Result<T> made) {
    if (!made) throw std::runtime_error(made.error().text());
    return std::move(*made);
  }

  TemporaryFolder folder_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<people::Audit> audit_;
  std::unique_ptr<people::Directory> directory_;
};

}  // namespace millrace::testing
