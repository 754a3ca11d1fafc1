// Memory that runs out anywhere on the CPU's way: loading, planning, running. Whatever allocation fails, the call
// throws an Error, and the same objects do their work when there is memory again.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <optional>

#include "graph/safetensors.h"
#include "maskrt/maskrt.hpp"
#include "support/failing_allocation.h"
#include "support/files.h"
#include "support/fixture.h"

namespace maskrt::testing {
namespace {

const std::string fixture = MASKRT_TEST_DATA "/fixtures/sparse_inst_r50_giam_g2", picture = fixture + "/image0.png";

/// The fixture's model file, made once.
const std::string& model_file() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    load_fixture(fixture, folder.path());
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) return entry.path().string();
    throw std::runtime_error("expected a model file");
  }();
  return path;
}

const ModelOptions& options() {
  static const ModelOptions cpu = [] {
    ModelOptions made;
    made.device = "cpu";
    return made;
  }();
  return cpu;
}

SessionOptions threads(int count) {
  SessionOptions session;
  session.threads = count;
  return session;
}

/// Does `work` with the n-th allocation failing, for n = 1, 2, ... and then in growing steps, until nothing fails any
/// more. `after` sees that the objects still work.
void exhaust(const char* what, Shortage shortage, const std::function<void()>& work,
             const std::function<void()>& after) {
  int errors = 0, survived = 0;
  for (long n = 1;; n += 1 + n / 16) {
    INFO(what << ": allocation " << n << (shortage == Shortage::once ? "" : " and all after it"));
    fail_allocation(n, shortage);
    std::string sentence;
    try {
      work();
    } catch (const Error& error) {
      fail_allocation(0);
      ++errors;
      sentence = error.what();
    } catch (...) {
      fail_allocation(0);
      FAIL("expected an Error, found another exception");
    }
    const bool failed = allocation_failed();
    fail_allocation(0);
    INFO(sentence);
    CHECK((sentence.empty() || failed));
    if (!failed) break;
    if (sentence.empty()) ++survived;  // some libraries do without: a cache that is not filled
    CHECK_NOTHROW(after());
  }
  INFO(what << ": " << errors << " errors, " << survived << " calls that did without");
  CHECK(errors > 0);
}

void exhaust(const char* what, const std::function<void()>& work, const std::function<void()>& after) {
  exhaust(what, Shortage::once, work, after);
  exhaust(what, Shortage::from_then_on, work, after);
}

TEST_CASE("Where memory runs out while a model is loaded, there is an Error") {
  const auto load = [] { Model::load(model_file(), options()); };
  load();  // opens the device's library
  // Not with all allocations failing from there on: the JSON library's destructors allocate.
  exhaust("load", Shortage::once, load, [] {});
}

TEST_CASE("Where memory runs out while a plan is made or run, there is an Error, and the session goes on") {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  const Image image = Image::from_file(picture);
  for (const int count : {1, 3}) {
    INFO(count << " threads");
    const Model model = Model::load(model_file(), options());
    std::optional<Session> session;
    const auto fresh = [&] {
      session.reset();
      session.emplace(model, threads(count));
    };
    fresh();
    const std::size_t expected = session->run(image).size();
    const auto works = [&] {
      if (!session) fresh();  // where making the session failed
      CHECK(session->run(image).size() == expected);
    };

    exhaust(
        "session", [&] { Session(model, threads(count)); }, [] {});
    int made = 0;
    exhaust(
        "plan",
        [&] {
          Session another(model, threads(count));
          another.prepare(1, 64 + 32 * (made++ % 7), 96);
        },
        [] {});
    exhaust(
        "run", [&] { session->run(image); }, works);
    fresh();
    exhaust(
        "first run",
        [&] {
          fresh();
          session->run(image);
        },
        works);
  }
  ::unsetenv("MASKRT_CPU_TUNE");
}

TEST_CASE("Where memory runs out while a picture is read or a mask is turned into another form, there is an Error") {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  const auto read = [] { Image::from_file(picture); };
  exhaust("picture", read, read);
  Session session(Model::load(model_file(), options()), threads(1));
  const auto found = session.run(Image::from_file(picture));
  REQUIRE_FALSE(found.empty());
  for (const Instance& instance : found) {
    if (instance.mask.area() == 0) continue;
    const auto turn = [&] {
      instance.mask.rle();
      instance.mask.polygon();
      instance.mask.bitmap();
    };
    for (long n = 1; n < 100; ++n) {
      fail_allocation(n);
      try {
        turn();
      } catch (const Error&) {
      } catch (...) {
        fail_allocation(0);
        FAIL("expected an Error, found another exception");
      }
      fail_allocation(0);
      if (!allocation_failed()) break;
    }
    CHECK_NOTHROW(turn());
    break;
  }
  ::unsetenv("MASKRT_CPU_TUNE");
}

}  // namespace
}  // namespace maskrt::testing
