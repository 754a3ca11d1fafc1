// FastInst's head on the CPU device against the plain loops that define it.
#include <omp.h>

#include "fast_inst_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing::fast_inst;

namespace {

/// Logistic functions within 4 ulp of 1 at most; probabilities of classes are the reference's.
constexpr Errors kErrors{8 * testing::kUnitFp32, 0};

}  // namespace

TEST_CASE("instances, classes of pixels and segments are the reference's, but where roundings decide") {
  for (const Case& c : cases) {
    INFO(c);
    const Logits logits(c);
    FastInstSettings settings = settings_of(c);
    for (const std::int64_t image : {0, 1}) {
      INFO("image " << image);
      check_instances(c, logits.of(image), settings, fast_inst_instances_cpu(logits.of(image), c.geometry, settings),
                      kErrors);
      check_segments(c, logits.of(image), settings, fast_inst_segments_cpu(logits.of(image), c.geometry, settings),
                     kErrors);
      for (const bool before : {true, false}) {
        settings.resize_before_semantic = before;
        check_classes(c, logits.of(image), settings, fast_inst_classes_cpu(logits.of(image), c.geometry, settings),
                      kErrors);
      }
    }
    settings.things_alone = true;
    check_instances(c, logits.of(0), settings, fast_inst_instances_cpu(logits.of(0), c.geometry, settings), kErrors);
  }
}

TEST_CASE("instances below the least score are dropped, and masks only where they are wanted") {
  const Case& c = cases[6];
  const Logits logits(c);
  FastInstSettings settings = settings_of(c);
  const auto all = fast_inst_instances_cpu(logits.of(0), c.geometry, settings);
  settings.minimum_score = all[all.size() / 2].score;
  settings.masks = false;
  const auto best = fast_inst_instances_cpu(logits.of(0), c.geometry, settings);
  REQUIRE(best.size() >= all.size() / 2 + 1);
  REQUIRE(best.size() < all.size());
  for (std::size_t i = 0; i < best.size(); ++i) {
    CHECK(best[i].score == all[i].score);
    CHECK(best[i].query == all[i].query);
    CHECK(best[i].mask.words.empty());
    CHECK(best[i].area == 0);
  }
}

TEST_CASE("the number of threads changes nothing") {
  const Case& c = cases[6];
  const Logits logits(c);
  const FastInstSettings settings = settings_of(c);
  const int before = omp_get_max_threads();
  const auto run = [&](int threads) {
    omp_set_num_threads(threads);
    return std::tuple(fast_inst_instances_cpu(logits.of(0), c.geometry, settings),
                      fast_inst_classes_cpu(logits.of(0), c.geometry, settings),
                      fast_inst_segments_cpu(logits.of(0), c.geometry, settings));
  };
  const auto one = run(1);
  for (const int threads : {2, 3, 64}) {
    INFO(threads << " threads");
    const auto more = run(threads);
    REQUIRE(std::get<0>(more).size() == std::get<0>(one).size());
    for (std::size_t i = 0; i < std::get<0>(one).size(); ++i) {
      CHECK(std::get<0>(more)[i].score == std::get<0>(one)[i].score);
      CHECK(std::get<0>(more)[i].mask.words == std::get<0>(one)[i].mask.words);
    }
    CHECK(std::get<1>(more) == std::get<1>(one));
    CHECK(std::get<2>(more).ids == std::get<2>(one).ids);
  }
  omp_set_num_threads(before);
}
