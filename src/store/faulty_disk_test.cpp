#include "store/faulty_disk_test.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>

namespace millrace::store {
namespace {

FaultyDisk* the_disk = nullptr;
sqlite3_vfs* below = nullptr;  // the operating system's
sqlite3_vfs layer{};

struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *of(file)->real()->pMethods; }

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  switch (the_disk->next(false)) {
    case FaultyDisk::Fault::write_error:
      methods(file).xWrite(of(file)->real(), bytes, count / 2, at);
      return SQLITE_IOERR_WRITE;
    case FaultyDisk::Fault::disk_full: return SQLITE_FULL;
    case FaultyDisk::Fault::kill: ::kill(::getpid(), SIGKILL); break;
    default: break;
  }
  return methods(file).xWrite(of(file)->real(), bytes, count, at);
}

// Nothing is flushed in truth: what these tests look at is what the program does, not what the disk does.
int flush(sqlite3_file*, int) {
  switch (the_disk->next(true)) {
    case FaultyDisk::Fault::flush_error: return SQLITE_IOERR_FSYNC;
    case FaultyDisk::Fault::kill: ::kill(::getpid(), SIGKILL); break;
    default: break;
  }
  return SQLITE_OK;
}

int close(sqlite3_file* file) { return methods(file).xClose(of(file)->real()); }
int read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 at) { return methods(file).xRead(of(file)->real(), bytes, count, at); }
int cut(sqlite3_file* file, sqlite3_int64 size) { return methods(file).xTruncate(of(file)->real(), size); }
int size(sqlite3_file* file, sqlite3_int64* bytes) { return methods(file).xFileSize(of(file)->real(), bytes); }
int lock(sqlite3_file* file, int kind) { return methods(file).xLock(of(file)->real(), kind); }
int unlock(sqlite3_file* file, int kind) { return methods(file).xUnlock(of(file)->real(), kind); }
int reserved(sqlite3_file* file, int* held) { return methods(file).xCheckReservedLock(of(file)->real(), held); }
int control(sqlite3_file* file, int what, void* value) { return methods(file).xFileControl(of(file)->real(), what, value); }
int sector(sqlite3_file* file) { return methods(file).xSectorSize(of(file)->real()); }
int traits_of(sqlite3_file* file) { return methods(file).xDeviceCharacteristics(of(file)->real()); }
int shm_map(sqlite3_file* file, int page, int bytes, int extend, void volatile** map) {
  return methods(file).xShmMap(of(file)->real(), page, bytes, extend, map);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) { return methods(file).xShmLock(of(file)->real(), offset, count, flags); }
void shm_barrier(sqlite3_file* file) { methods(file).xShmBarrier(of(file)->real()); }
int shm_unmap(sqlite3_file* file, int remove) { return methods(file).xShmUnmap(of(file)->real(), remove); }

const sqlite3_io_methods layer_methods{2,        close,  read,    write,   cut,       flush,    size,     lock,        unlock,
                                       reserved, control, sector, traits_of, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  std::memset(of(file)->real(), 0, static_cast<std::size_t>(below->szOsFile));
  const int code = below->xOpen(below, name, of(file)->real(), flags, flags_out);
  if (code == SQLITE_OK) file->pMethods = &layer_methods;
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  sqlite3_initialize();
  the_disk = this;
  below = sqlite3_vfs_find(nullptr);
  layer = *below;
  layer.zName = "millrace-faulty";
  layer.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
  layer.xOpen = open;
  sqlite3_vfs_register(&layer, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&layer);
  sqlite3_vfs_register(below, 1);
  the_disk = nullptr;
}

void FaultyDisk::arm(Fault fault, int nth, int more) {
  hits_ = 0;
  before_ = nth;
  left_ = more + 1;
  fault_ = fault;
}

void FaultyDisk::disarm() { fault_ = Fault::none; }

FaultyDisk::Fault FaultyDisk::next(bool flush) {
  const Fault fault = fault_;
  const bool meets = fault == Fault::kill || (flush ? fault == Fault::flush_error : fault == Fault::write_error || fault == Fault::disk_full);
  if (!meets || --before_ > 0 || left_-- <= 0) return Fault::none;
  ++hits_;
  return fault;
}

}  // namespace millrace::store
