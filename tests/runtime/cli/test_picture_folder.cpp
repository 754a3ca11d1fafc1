// Which files of a folder the command takes for pictures, and what it says of the others.
#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/cli/inputs.h"
#include "runtime/cli/picture_folder.h"
#include "support/demo_command.h"

using namespace maskrt::cli;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

std::string said_of(std::initializer_list<const char*> names) {
  const TemporaryFolder scratch;
  const fs::path folder = scratch / "photos";
  fs::create_directory(folder);
  for (const char* name : names) write_text(folder / name, "");
  std::string said = list_pictures(folder).passed_over;
  if (const std::size_t at = said.find(folder.string()); at != said.npos)
    said.replace(at, folder.string().size(), "photos");
  return said;
}

std::string appledouble() { return std::string("\0\5\26\7\0\2\0\0Mac OS X        ", 24); }

ProcessResult run(const Words& arguments) { return run_process(demo_command("run", arguments)); }

}  // namespace

TEST_CASE("A folder gives the pictures of every format that is read, in either case, and no hidden ones") {
  const TemporaryFolder folder;
  std::vector<std::string> wanted;
  for (const char* name : {"a.jpg", "b.JPEG", "c.jpe", "d.jfif", "e.PNG", "f.bmp", "g.dib", "h.ppm", "i.pgm", "j.pbm",
                           "k.pnm", "l.webp", "m.tif", "n.TIFF", "o.gif"}) {
    write_text(folder / name, "");
    wanted.emplace_back(name);
  }
  for (const char* name : {"._a.jpg", ".hidden.png", "Thumbs.db", "p.heic", "q.jpg.part", "noextension"})
    write_text(folder / name, "");
  std::vector<std::string> found;
  for (const fs::path& path : list_pictures(folder.path()).pictures) found.push_back(path.filename());
  CHECK(found == wanted);
}

TEST_CASE("What a folder's other files are is said in one sentence") {
  CHECK(said_of({"a.jpg"}) == "");
  CHECK(said_of({"a.jpg", "Thumbs.db"}) == "passed over 1 file of photos that is no picture: Thumbs.db");
  CHECK(said_of({"a.jpg", "._a.jpg", "Thumbs.db"}) ==
        "passed over 2 files of photos that are no pictures: ._a.jpg, Thumbs.db");
  CHECK(said_of({"z.txt", "._a.jpg", "Thumbs.db", ".DS_Store"}) ==
        "passed over 4 files of photos that are no pictures: .DS_Store, ._a.jpg and 2 more");
  CHECK(said_of({"a.HEIC", "b.heif"}) == "passed over 2 files of photos: 2 HEIC pictures");
  CHECK(said_of({"a.heic", "b.mov", "c.MP4", "._b.mov"}) ==
        "passed over 4 files of photos: 1 HEIC picture, 2 videos, and 1 that is no picture (._b.mov)");
}

TEST_CASE("A folder without pictures is an error that tells what is in it instead") {
  const TemporaryFolder folder;
  write_text(folder / "a.heic", "");
  CHECK_THROWS_WITH(expand_inputs({folder.path().string()}), Contains("found none (.jpg .jpeg") &&
                                                                 Contains(".gif); passed over 1 file") &&
                                                                 Contains("1 HEIC picture"));
}

TEST_CASE("run passes over what macOS and Windows leave beside pictures, says so, and succeeds") {
  const TemporaryFolder folder;
  fs::copy_file(demo + "/images/000.jpg", folder / "IMG_1.JPG");
  write_text(folder / "._IMG_1.JPG", appledouble());
  write_text(folder / "Thumbs.db", "");
  const ProcessResult ran = run({folder.path().string()});
  CHECK(ran.status == 0);
  CHECK(ran.err ==
        "passed over 2 files of " + folder.path().string() + " that are no pictures: ._IMG_1.JPG, Thumbs.db\n");
  CHECK_THAT(ran.out, Contains("IMG_1.JPG") && Contains("1 image,"));
  const ProcessResult quiet = run({folder.path().string(), "--quiet"});
  CHECK(quiet.status == 0);
  CHECK(quiet.out + quiet.err == "");
}

TEST_CASE("A file that is named outright is read whatever it is called, and refused by what it is") {
  const TemporaryFolder folder;
  fs::copy_file(demo + "/images/000.jpg", folder / "picture.data");
  CHECK(run({folder / "picture.data"}).status == 0);
  write_text(folder / "._IMG_1.JPG", appledouble());
  const ProcessResult ran = run({folder / "._IMG_1.JPG"});
  CHECK(ran.status == 1);
  CHECK_THAT(ran.err, Contains("found an AppleDouble file"));
}
