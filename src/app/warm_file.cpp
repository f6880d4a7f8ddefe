#include "app/warm_file.h"

#include <elf.h>
#include <link.h>

#include <algorithm>

#include "app/build_info.h"
#include "base/bytes.h"

namespace millrace::app {
namespace {

constexpr std::string_view kind = "warm";
constexpr std::uint32_t version = 1;
constexpr std::uint32_t manifest_section = 100, book_section = 200;

// The note that the linker leaves in the program: a digest of everything in it.
int find_build_id(dl_phdr_info* info, std::size_t, void* found) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    for (const char* const end = at + segment.p_memsz; at + sizeof(ElfW(Nhdr)) <= end;) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const char* const name = at + sizeof(*note);
      const char* const content = name + (note->n_namesz + 3) / 4 * 4;
      if (note->n_type == NT_GNU_BUILD_ID && std::string_view(name, note->n_namesz) == std::string_view("GNU", 4))
        static_cast<std::string*>(found)->assign(content, note->n_descsz);
      at = content + (note->n_descsz + 3) / 4 * 4;
    }
  }
  return 1;  // the first object is the program itself
}

}  // namespace

std::string program_mark() {
  std::string mark;
  ::dl_iterate_phdr(find_build_id, &mark);
  return mark.empty() ? build_info().version + " " + build_info().commit : mark;
}

Result<std::shared_ptr<const WarmFile>> WarmFile::open(const std::string& path, const store::RecordPosition& record) {
  auto file = SectionFile::open(path, kind, version);
  if (!file) return pass_on(file);
  std::shared_ptr<WarmFile> warm(new WarmFile(std::move(*file)));
  const auto& table = warm->file_.table();
  const auto manifest = std::ranges::find(table, manifest_section, &SectionEntry::number);
  if (manifest == table.end()) return fail(ErrorCode::corrupt, path + " does not say what it is for");
  std::string bytes;
  if (const auto read = warm->file_.read(*manifest, bytes); !read) return pass_on(read, path);
  if (!warm->take_manifest(bytes)) return fail(ErrorCode::corrupt, path + " says something senseless about itself");
  if (warm->program_ != program_mark()) return fail(ErrorCode::conflict, path + " was written by another build of this program");
  if (warm->identity_ != record.identity) return fail(ErrorCode::conflict, path + " belongs to another record");
  if (warm->model_as_of_ > record.sequence || warm->revision_ > record.revision)
    return fail(ErrorCode::conflict, path + " is ahead of the record");
  return warm;
}

bool WarmFile::take_manifest(std::string_view bytes) {
  ByteReader in(bytes);
  program_ = in.text();
  for (std::uint8_t& byte : identity_.bytes) byte = in.u8();
  model_as_of_ = feed::Sequence{in.varint()};
  revision_ = in.varint();
  file_count_ = in.varint();
  order_count_ = in.varint();
  sources_.resize(in.count());
  for (std::string& source : sources_) source = in.text();
  // Counts are only for reserving memory: more than the file could hold would be a lie.
  const std::uint64_t bytes_all = file_.table().empty() ? 0 : file_.table().back().offset + file_.table().back().length;
  return in.ok() && in.at_end() && file_count_ <= bytes_all && order_count_ <= bytes_all;
}

Result<readmodel::WarmParts> WarmFile::model() const {
  readmodel::WarmReader reader;
  std::string bytes;
  for (const SectionEntry& entry : file_.table()) {
    if (!readmodel::WarmReader::owns(entry.number)) continue;
    if (const auto read = file_.read(entry, bytes); !read) return pass_on(read);
    if (const auto added = reader.add(entry.number, bytes); !added) return pass_on(added);
  }
  auto parts = reader.finish();
  if (!parts) return parts;
  if (parts->as_of != model_as_of_) return fail(ErrorCode::corrupt, "the read model is of another moment than its file says");
  return parts;
}

ingest::WarmBook WarmFile::book(std::shared_ptr<const WarmFile> file) {
  ingest::WarmBook book;
  book.revision = file->revision_;
  book.sources = file->sources_;
  book.file_count = file->file_count_;
  book.order_count = file->order_count_;
  book.sections = [file](const std::function<Result<void>(std::string_view)>& take) -> Result<void> {
    std::string bytes;
    for (const SectionEntry& entry : file->file_.table()) {
      if (entry.number != book_section) continue;
      if (const auto read = file->file_.read(entry, bytes); !read) return pass_on(read);
      if (const auto taken = take(bytes); !taken) return taken;
    }
    return {};
  };
  return book;
}

Result<std::uint64_t> WarmFile::write(const std::string& path, const store::RecordIdentity& record,
                                      const readmodel::Snapshot& snapshot, const ingest::Intake::Image& book) {
  auto file = SectionWriter::create(path, kind, version);
  if (!file) return pass_on(file);
  std::string manifest;
  ByteWriter out(manifest);
  out.text(program_mark());
  for (const std::uint8_t byte : record.bytes) out.u8(byte);
  out.varint(snapshot.as_of().value);
  out.varint(book.revision);
  out.varint(book.book->file_count());
  out.varint(book.book->order_count());
  out.varint(book.sources.size());
  for (const std::string& source : book.sources) out.text(source);
  file->section(manifest_section, manifest);
  readmodel::write_warm(snapshot, [&](std::uint32_t number, std::string_view bytes) { file->section(number, bytes); });
  book.book->write([&](std::string_view bytes) { file->section(book_section, bytes); });
  const std::uint64_t bytes = file->bytes_written();
  if (const auto written = file->commit(); !written) return pass_on(written);
  return bytes;
}

}  // namespace millrace::app
