// The warm-start file of a data folder: the read model and the order book as they were, so that a start reads neither
// the record's tables nor the order files.
//
//   section 100       who wrote it, for which record, how far the record was
//   sections 1 .. 8   the read model (readmodel/warm_model.h)
//   section 200       the order book (ingest::BookImage)
//
// Invariants
//   * Only a copy: it can be deleted at any time. What is damaged, cut short, written by another program, for another
//     record or ahead of the record is refused, and everything is rebuilt from the record, equal to the byte.
//   * The codecs inside belong to one program: the mark of the running program must be the writer's.
#pragma once
#include <memory>
#include <string>

#include "base/section_file.h"
#include "ingest/intake.h"
#include "readmodel/read_model.h"
#include "store/record.h"

namespace millrace::app {

class WarmFile {
 public:
  // Reads and checks everything but the sections' bytes.
  // Errors   not_found    there is none
  //          conflict     another program, record or version wrote it: nothing is wrong
  //          corrupt      damaged
  //          unavailable  cannot be read
  static Result<std::shared_ptr<const WarmFile>> open(const std::string& path, const store::RecordPosition& record);

  // Errors   corrupt, unavailable
  Result<readmodel::WarmParts> model() const;
  feed::Sequence model_as_of() const { return model_as_of_; }
  std::uint64_t revision() const { return revision_; }  // of the record, when the order book was taken

  // Reads from `file` when asked.
  static ingest::WarmBook book(std::shared_ptr<const WarmFile> file);

  // Writes the file in pieces of about a megabyte; readers of the old one are not disturbed. Answers its bytes.
  // Errors   unavailable  disk full or read-only; the old file stays
  static Result<std::uint64_t> write(const std::string& path, const store::RecordIdentity& record,
                                     const readmodel::Snapshot& snapshot, const ingest::Intake::Image& book);

 private:
  explicit WarmFile(SectionFile file) : file_(std::move(file)) {}
  bool take_manifest(std::string_view bytes);

  SectionFile file_;
  std::string program_;
  store::RecordIdentity identity_;
  std::uint64_t revision_ = 0;
  feed::Sequence model_as_of_;
  std::size_t file_count_ = 0, order_count_ = 0;
  std::vector<std::string> sources_;
};

// Tells this very program from every other build: its linker's build id, else version and commit.
std::string program_mark();

}  // namespace millrace::app
