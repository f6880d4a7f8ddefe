#include "ingest/folder_kind.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "ingest/folder_open.h"

namespace millrace::ingest {
namespace {

struct KindRow {
  unsigned long magic;  // statfs(2), linux/magic.h and the file systems' own sources
  std::string_view name;
};

constexpr std::array<KindRow, 19> changed_elsewhere{{{0x6969, "NFS"},
                                                     {0x517B, "SMB"},
                                                     {0xFF534D42, "SMB"},
                                                     {0xFE534D42, "SMB"},
                                                     {0x65735546, "FUSE"},
                                                     {0x01021997, "9P"},
                                                     {0x786F4256, "VirtualBox share"},
                                                     {0xBACBACBC, "VMware share"},
                                                     {0x7C7C6673, "Parallels share"},
                                                     {0x00C36400, "Ceph"},
                                                     {0x5346414F, "AFS"},
                                                     {0x6B414653, "AFS"},
                                                     {0x73757245, "Coda"},
                                                     {0x0BD00BD0, "Lustre"},
                                                     {0x47504653, "GPFS"},
                                                     {0x19830326, "BeeGFS"},
                                                     {0x01161970, "GFS2"},
                                                     {0x7461636F, "OCFS2"},
                                                     {0x564C, "NCP"}}};

}  // namespace

FolderKind folder_kind_of(unsigned long magic) {
  const auto* found = std::ranges::find(changed_elsewhere, magic, &KindRow::magic);
  if (found == changed_elsewhere.end()) return {"local", false};
  return {found->name, true};
}

Result<FolderKind> folder_kind(const std::string& root) {
  const auto fd = folder::open_root(root);
  if (!fd) return pass_on(fd);
  struct statfs facts {};
  while (::fstatfs(fd->get(), &facts) != 0) {
    if (errno != EINTR) return fail(ErrorCode::unavailable, "the folder " + printable(root) + ": " + folder::reason_of(errno));
  }
  // A sign-extending kernel interface: CIFS numbers have the top bit of 32 set.
  return folder_kind_of(static_cast<unsigned long>(facts.f_type) & 0xFFFFFFFFUL);
}

}  // namespace millrace::ingest
