// Children of fork: what was loaded and made ready before works in them, and what cannot is an Error, never a hang.
#include <atomic>
#include <catch2/catch.hpp>
#include <list>
#include <thread>

#include "maskrt/maskrt.hpp"
#include "support/demo_conversion.h"
#include "support/files.h"
#include "support/forked.h"
#include "support/pictures.h"

namespace maskrt {
namespace {

using namespace testing;

const std::filesystem::path demo = MASKRT_DEMO;

const std::string& demo_file() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const std::filesystem::path file = convert_demo(folder.path());
    return file.string();
  }();
  return path;
}

Model load() {
  ModelOptions options;
  options.device = "cpu";
  return Model::load(demo_file(), options);
}

SessionOptions with_threads(int threads) {
  SessionOptions options;
  options.threads = threads;
  return options;
}

const Image& picture() {
  static const Image image = Image::from_file((demo / "showcase" / "3.jpg").string());
  return image;
}

std::string found_by(Session& session) { return std::to_string(session.run(picture()).size()) + " instances"; }

TEST_CASE("a session that ran before fork runs in the child, and goes on in the parent", "[fork]") {
  const int threads = GENERATE(1, 2, 4);
  const Model model = load();
  Session session(model, with_threads(threads));
  const std::string expected = found_by(session);
  REQUIRE(expected != "0 instances");
  CHECK(Forked([&] { return found_by(session); }).wait() == expected);
  CHECK(Forked([&] {
          const Picture larger(picture(), 400, 300);  // another plan
          session.run(larger.image());
          return found_by(session);
        }).wait() == expected);
  CHECK(found_by(session) == expected);
}

TEST_CASE("a child makes sessions and models of its own", "[fork]") {
  const int threads = GENERATE(2, 4);
  const Model model = load();
  Session before(model, with_threads(threads));
  const std::string expected = found_by(before);
  CHECK(Forked([&] {
          Session session(model, with_threads(threads));
          return found_by(session);
        }).wait() == expected);
  CHECK(Forked([&] {
          Session session(load(), with_threads(threads));
          return found_by(session);
        }).wait() == expected);
}

TEST_CASE("a child may end its parent's session, and fork on", "[fork]") {
  const Model model = load();
  auto session = std::make_unique<Session>(model, with_threads(4));
  const std::string expected = found_by(*session);
  CHECK(Forked([&] {
          session = nullptr;
          Session own(model, with_threads(2));
          const std::string here = found_by(own);
          return Forked([&] { return found_by(own) + ", " + here; }).wait();
        }).wait() == expected + ", " + expected);
  CHECK(found_by(*session) == expected);
}

TEST_CASE("several children work at a time", "[fork]") {
  const Model model = load();
  Session session(model, with_threads(2));
  const std::string expected = found_by(session);
  std::list<Forked> children;
  for (int i = 0; i < 4; ++i) children.emplace_back([&] { return found_by(session); });
  for (Forked& child : children) CHECK(child.wait() == expected);
}

TEST_CASE("a fork while another thread is in a call ends in results or an Error", "[fork]") {
  const Model model = load();
  Session session(model, with_threads(2));
  const std::string expected = found_by(session);
  std::atomic<bool> enough = false;
  // Plans again and again: most forks happen while one is made.
  std::jthread beside([&] {
    while (!enough) {
      Session other(model, with_threads(2));
      other.prepare(1, 64, 64);
    }
  });
  int worked = 0, refused = 0;
  for (int i = 0; i < 12; ++i) {
    const std::string told = Forked([&] {
                               Session own(load(), with_threads(2));
                               return found_by(own);
                             }).wait();
    INFO(told);
    CHECK((told == expected || told.find("fork while no other thread is in a call of maskrt") != std::string::npos));
    (told == expected ? worked : refused) += 1;
  }
  // A plan that is there needs no lock that the other thread may have held.
  for (int i = 0; i < 4; ++i) CHECK(Forked([&] { return found_by(session); }).wait() == expected);
  enough = true;
  beside.join();
  INFO(worked << " children worked, " << refused << " were refused");
  CHECK(found_by(session) == expected);
}

}  // namespace
}  // namespace maskrt
