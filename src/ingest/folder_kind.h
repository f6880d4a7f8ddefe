// What a folder lies on, and what that means for noticing changes in it.
//
// Invariants
//   * Decided by the kernel's word about the file system alone: nothing is written to find out.
//   * File events tell what this machine's kernel did. On a file system that others change too they are silent about
//     the others, so such a folder is compared by listing it.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::ingest {

struct FolderKind {
  std::string_view name;      // "NFS", "SMB", "FUSE"; "local" for everything that is only changed through this kernel
  bool changed_elsewhere = false;
};

// The kind behind a statfs magic number.
FolderKind folder_kind_of(unsigned long magic);

// Errors   unavailable  the folder cannot be opened or asked; the text says why
Result<FolderKind> folder_kind(const std::string& root);

}  // namespace millrace::ingest
