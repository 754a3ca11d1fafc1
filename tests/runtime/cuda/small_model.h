// The smallest fixture's model on the GPU, for tests of what is around a network.
#pragma once

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture.h"
#include "support/places.h"

namespace maskrt::testing {

/// Its pictures are not enlarged, so that small ones stay small.
inline const Fixture& small_fixture() {
  static const Fixture fixture = [] {
    const TemporaryFolder scratch;
    Fixture loaded = load_fixture(test_data() / "fixtures" / "sparse_inst_r18_base", scratch.path());
    loaded.model.preprocessing.min_size = 64;
    return loaded;
  }();
  return fixture;
}

inline Model small_model(const std::string& device = "cuda") {
  ModelOptions options;
  options.device = device;
  return make_model(small_fixture().model, options);
}

/// The same on the CPU; nothing in a build without that device.
inline std::optional<Model> small_model_on_cpu() {
  try {
    return small_model("cpu");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains("could not be opened"));
    return std::nullopt;
  }
}

/// The same bits in every form of every instance.
inline void require_same(const std::vector<std::vector<Instance>>& got,
                         const std::vector<std::vector<Instance>>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("image " << i);
    REQUIRE(got[i].size() == want[i].size());
    for (std::size_t j = 0; j < want[i].size(); ++j) {
      INFO("instance " << j);
      const Instance &g = got[i][j], &w = want[i][j];
      REQUIRE(g.score == w.score);
      REQUIRE(g.class_id == w.class_id);
      REQUIRE(std::tuple(g.box.x, g.box.y, g.box.width, g.box.height) ==
              std::tuple(w.box.x, w.box.y, w.box.width, w.box.height));
      REQUIRE(g.mask.area() == w.mask.area());
      REQUIRE(g.mask.rle().counts == w.mask.rle().counts);
      REQUIRE(std::equal(g.mask.bits().begin(), g.mask.bits().end(), w.mask.bits().begin(), w.mask.bits().end()));
    }
  }
}

}  // namespace maskrt::testing
