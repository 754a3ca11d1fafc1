// What files made from pictures are called: names of their own that every file system takes.
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "graph/utf8.h"
#include "runtime/cli/output_names.h"

using namespace maskrt;
using namespace maskrt::cli;

namespace {

using Names = std::vector<std::string>;

Names stems(const Names& paths) { return output_stems({paths.begin(), paths.end()}); }

}  // namespace

TEST_CASE("Pictures of one name get numbers, and so do those that differ in case alone") {
  CHECK(stems({"a/cat.jpg", "b/cat.jpg", "cat.png", "c/CAT.png", "cat_2.jpg", "dog.jpg"}) ==
        Names{"cat", "cat_2", "cat_3", "CAT_4", "cat_2_2", "dog"});
  // A, then a with umlaut; capital and small letters of Greek and Cyrillic.
  CHECK(stems({"\xc3\x84.jpg", "\xc3\xa4.png"}) == Names{"\xc3\x84", "\xc3\xa4_2"});
  CHECK(stems({"\xce\xa9.jpg", "\xcf\x89.png", "\xd0\x96.jpg", "\xd0\xb6.jpg"}) ==
        Names{"\xce\xa9", "\xcf\x89_2", "\xd0\x96", "\xd0\xb6_2"});
}

TEST_CASE("Names depend on the paths alone, and a picture's on none after it") {
  const Names paths = {"a/x.jpg", "b/x.jpg", "c/x_2.jpg"};
  CHECK(stems(paths) == stems(paths));
  CHECK(stems({paths[0], paths[1]}) == Names{"x", "x_2"});
}

TEST_CASE("What file systems refuse is replaced, scripts stay") {
  CHECK(stems({"a<b>c:d\"e|f?g*h\\i.jpg"}) == Names{"a_b_c_d_e_f_g_h_i"});
  CHECK(stems({"line\nend\ttab\x7f.jpg"}) == Names{"line_end_tab_"});
  CHECK(stems({"\xff\xfe.jpg", "\xfe\xff.jpg", "x\xc3.jpg"}) == Names{"__", "___2", "x_"});
  CHECK(stems({"\xe7\x8c\xab \xd9\x82\xd8\xb7.jpg"}) == Names{"\xe7\x8c\xab \xd9\x82\xd8\xb7"});
  CHECK(stems({"a.b.jpg", "noextension", ".hidden.png"}) == Names{"a.b", "noextension", ".hidden"});
}

TEST_CASE("Long names are shortened to a head and a checksum, and stay apart") {
  const std::string longest(251, 'x');
  const Names made = stems({longest + ".jpg", longest.substr(1) + "y.jpg", "b/" + longest + ".jpg"});
  CHECK(std::set<std::string>(made.begin(), made.end()).size() == 3);
  CHECK(made[0] == stems({longest + ".jpg"})[0]);
  CHECK(made[2] == made[0] + "_2");
  for (const std::string& stem : made) {
    CHECK(stem.size() <= 200);
    CHECK(stem.substr(0, 170) == longest.substr(0, 170));
    CHECK(mask_name(stem, 9999999, std::string(300, 'z')).size() <= 255);
  }
  CHECK(stems({std::string(192, 'x') + ".jpg"}) == Names{std::string(192, 'x')});

  // No character is cut in two: each of these has three bytes.
  std::string cats;
  for (int i = 0; i < 80; ++i) cats += "\xe7\x8c\xab";
  const std::string stem = stems({cats + ".jpg"})[0];
  for (std::size_t i = 0; i < stem.size();) CHECK(next_code_point(stem, i) != kNotUtf8);
}

TEST_CASE("Labels become parts of file names") {
  CHECK(sanitised("hair drier") == "hair_drier");
  CHECK(sanitised("../etc/passwd") == ".._etc_passwd");
  CHECK(sanitised("caf\xc3\xa9") == "caf_");
  CHECK(sanitised("3 wheeler 007") == "-3_wheeler_-007");
  CHECK(sanitised("") == "");
  CHECK(mask_name("000", 7, "hair drier") == "000_007_hair_drier.png");
  CHECK(mask_name("x", 1234, "\xe7\x8c\xab") == "x_1234__.png");
}

TEST_CASE("Masks have names of their own, whatever pictures and labels are called") {
  const Names pictures = {"x", "x_000", "x_000_car", "x_000_-000", "x_001_000", "x_000_car_001"};
  const std::set<std::string> stems(pictures.begin(), pictures.end());
  std::set<std::string> made;
  std::size_t count = 0;
  for (const std::string& stem : pictures)
    for (const std::size_t index : {0, 1, 12345})
      for (const char* label : {"", "car", "000", "000 car", "car 000", "car_000_car", "000_000_000", "_", "-000"}) {
        const std::string name = mask_name(stem, index, label);
        INFO(name);
        CHECK(is_mask_name(name, stems));
        // Of one picture and index there is one mask.
        if (std::string(label) == "car 000" || std::string(label) == "000 car") {
          CHECK(made.insert(name).second);
          ++count;
        }
      }
  CHECK(made.size() == count);
  CHECK_FALSE(is_mask_name("y_000_car.png", stems));
  CHECK_FALSE(is_mask_name("x_00_car.png", stems));
  CHECK_FALSE(is_mask_name("x_000_car.jpg", stems));
}

TEST_CASE("Activation maps have names of their own, none of which is a mask's or a drawing's of the picture") {
  CHECK(activations_name("000", 7, "hair drier", ".jpg") == "000_007_hair_drier_iam.jpg");
  CHECK(activations_name(std::string(200, 'x'), 99999, std::string(300, 'z'), ".jpg").size() <= 255);
  const Names pictures = {"x", "x_000", "x_000_car_iam", "x_000_iam", "iam"};
  const std::set<std::string> stems(pictures.begin(), pictures.end());
  std::set<std::string> made;
  std::size_t count = 0;
  for (const std::string& stem : pictures)
    for (const std::size_t index : {0, 1})
      for (const bool mask : {true, false}) {
        // An instance has one label.
        const std::string label = index == 0 ? "car" : "car iam";
        const std::string name = mask ? mask_name(stem, index, label) : activations_name(stem, index, label, ".png");
        INFO(name);
        CHECK((mask ? is_mask_name(name, stems) : is_activations_name(name, stems, ".png")));
        CHECK(made.insert(name).second);
        ++count;
      }
  CHECK(made.size() == count);
  CHECK_FALSE(is_activations_name("x_000_car_iam.png", stems, ".jpg"));
  CHECK_FALSE(is_activations_name("y_000_car_iam.jpg", stems, ".jpg"));
  CHECK_FALSE(is_activations_name("x_000_car.jpg", stems, ".jpg"));
  CHECK_FALSE(is_activations_name("x.jpg", stems, ".jpg"));
}

TEST_CASE("UTF-8 is read and written, and what is not UTF-8 is told") {
  for (const char32_t code : {0x0u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu}) {
    std::string text;
    append_utf8(text, code);
    std::size_t i = 0;
    CHECK(next_code_point(text, i) == code);
    CHECK(i == text.size());
  }
  // Overlong forms, a surrogate, beyond Unicode, a lone byte, characters cut off.
  for (const std::string broken : {"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                   "\xff", "\x80", "\xe7\x8c", "\xf0\x9f\x98"}) {
    std::size_t i = 0;
    CHECK(next_code_point(broken, i) == kNotUtf8);
    CHECK(i >= 1);
  }
  std::size_t i = 0;
  CHECK(next_code_point("\xe7\x8c!", i) == kNotUtf8);
  CHECK(i == 2);
}
