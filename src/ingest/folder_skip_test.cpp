#include <doctest/doctest.h>

#include "ingest/folder.h"

namespace millrace::ingest {
namespace {

std::string rule(std::string_view name) {
  const auto skip = skip_by_name(name);
  return skip ? std::string(word(*skip)) : "read";
}
std::string folder_rule(std::string_view name) {
  const auto skip = skip_folder_by_name(name);
  return skip ? std::string(word(*skip)) : "read";
}

}  // namespace

TEST_CASE("order documents are read whatever case, script or bytes their names have") {
  for (const std::string_view name :
       {"SO1.json", "SO1.JSON", "lines.csv", "order.Xlsx", "PO4711 rev B.pdf", "note.txt", "order (2).xlsx", "-rf.json",
        "a..json", "SO1\xff\xfe.json", "new\nline.csv", "\xe2\x80\xae" "fdp.json", "SO-26-01873", "PO 4711 rev 2.1",
        "Mr. Smith's order", "$SO1.json", "SO1#2.json", "=cmd.csv", "SO1.json.1", "SO1.json (copy)"}) {
    CAPTURE(name);
    CHECK(rule(name) == "read");
  }
}

TEST_CASE("names that programs use while they write are never read, even when the content is whole") {
  for (const std::string_view name :
       {"~$SO1.xlsx", ".~lock.SO1.xlsx#", "SO1.json.tmp", "SO1.TMP", "SO1.json~", "SO1.json.part", "SO1.json.partial",
        "SO1.pdf.crdownload", ".SO1.json.swp", "#SO1.json#", ".~SO1.json.tmp", "SO1.csv.filepart"}) {
    CAPTURE(name);
    CHECK(rule(name) == "temporary_name");
  }
}

TEST_CASE("files of the operating system, hidden files and drawings are counted apart") {
  CHECK(rule("Thumbs.db") == "system_file");
  CHECK(rule("THUMBS.DB") == "system_file");
  CHECK(rule(".DS_Store") == "system_file");
  CHECK(rule("desktop.ini") == "system_file");
  CHECK(rule(".hidden.json") == "hidden");
  CHECK(rule("._SO1.json") == "hidden");
  CHECK(rule("frame.dwg") == "not_a_document");
  CHECK(rule("frame.STEP") == "not_a_document");
  CHECK(rule("photo.jpeg") == "not_a_document");
  CHECK(rule("mail.msg") == "not_a_document");
}

TEST_CASE("folders in which file servers keep copies and bins are not entered") {
  for (const std::string_view name : {"$RECYCLE.BIN", "System Volume Information", "@eaDir", "#recycle", "~snapshot"}) {
    CAPTURE(name);
    CHECK(folder_rule(name) == "system_file");
  }
  CHECK(folder_rule(".snapshot") == "hidden");
  CHECK(folder_rule(".git") == "hidden");
  for (const std::string_view name : {"01_New", "99_Cancelled", "ACME GmbH & Söhne", "drawings", "Order.tmp", "#1", "~"}) {
    CAPTURE(name);
    CHECK(folder_rule(name) == "read");
  }
}

}  // namespace millrace::ingest
