#include "ingest/folder_kind.h"

#include <doctest/doctest.h>

#include "ingest/folder_test_tree.h"

namespace millrace::ingest {
namespace {

TEST_CASE("shares that others write to are told from folders only this machine changes") {
  CHECK(folder_kind_of(0x6969).name == "NFS");
  CHECK(folder_kind_of(0xFF534D42).name == "SMB");
  CHECK(folder_kind_of(0xFE534D42).name == "SMB");
  CHECK(folder_kind_of(0x65735546).name == "FUSE");
  CHECK(folder_kind_of(0x01021997).name == "9P");
  for (const unsigned long magic : {0x6969UL, 0xFF534D42UL, 0x65735546UL}) CHECK(folder_kind_of(magic).changed_elsewhere);
  for (const unsigned long magic : {0xEF53UL /* ext4 */, 0x01021994UL /* tmpfs */, 0x58465342UL /* XFS */, 0x9123683EUL /* btrfs */})
    CHECK_FALSE(folder_kind_of(magic).changed_elsewhere);
}

TEST_CASE("the kind of a folder is asked without writing to it, and a folder that is not there is unavailable") {
  const folder::TestTree tree;
  CHECK(folder_kind(tree.root()).has_value());
  CHECK(folder_kind(tree.at("nothing")).error().code() == ErrorCode::unavailable);
}

}  // namespace
}  // namespace millrace::ingest
