// FastInst's head on logits made by hand: what is found is counted by hand, too.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/heads/fast_inst/fast_inst.h"

namespace maskrt::kernels {
namespace {

/// One image of 4 x 2 pixels whose masks are as large as it is, so that nothing is blended.
struct Case {
  int classes = 2;
  std::vector<float> class_logits;  ///< [Q, classes + 1]
  std::vector<float> mask_logits;   ///< [Q, 2, 4]
  Geometry geometry{4, 2, 4, 2, 4, 2};

  FastInstLogits logits() {
    const auto queries = static_cast<std::int64_t>(mask_logits.size() / 8);
    return {dense(class_logits.data(), DataType::f32, 1, queries, 1, classes + 1, 0),
            dense(mask_logits.data(), DataType::f32, 1, 2, 4, queries, 1), 0};
  }
  /// A query whose class has `odds` times the probability of each other one and of none, and whose mask has `inside`
  /// where `rows` have 'x', minus that elsewhere.
  void add(int class_id, float odds, const char* rows, float inside) {
    for (int c = 0; c <= classes; ++c) class_logits.push_back(c == class_id ? std::log(odds) : 0.0f);
    for (int i = 0; i < 8; ++i) mask_logits.push_back(rows[i] == 'x' ? inside : -inside);
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_CASE("instances are pairs of query and class, by their probability times their mask's mean") {
  Case one;
  one.add(1, 6, "xx..xx..", 2);   // p = 6/8 and 1/8
  one.add(0, 2, ".xxx....", 1);   // p = 2/4 and 1/4
  one.add(2, 98, "........", 3);  // none: 98/100, and a mask without pixels
  FastInstSettings settings;
  settings.detections = 4;
  const auto found = fast_inst_instances_ref(one.logits(), one.geometry, settings);
  REQUIRE(found.size() == 4);  // all but those of the third query, which are the least probable
  CHECK(found[0].query == 0);
  CHECK(found[0].class_id == 1);
  CHECK(found[0].score == Approx(0.75 * sigmoid(2)).epsilon(1e-5));
  CHECK(found[0].area == 4);
  CHECK(found[0].x == 0);
  CHECK(found[0].y == 0);
  CHECK(found[0].width == 2);
  CHECK(found[0].height == 2);
  CHECK(found[0].mask.words == std::vector<std::uint64_t>{3, 3, 0, 0});
  CHECK(found[1].query == 1);
  CHECK(found[1].class_id == 0);
  CHECK(found[1].score == Approx(0.5 * sigmoid(1)).epsilon(1e-5));
  CHECK(found[1].x == 1);
  CHECK(found[1].width == 3);
  CHECK(found[1].height == 1);
  CHECK(found[2].query == 1);
  CHECK(found[2].class_id == 1);
  CHECK(found[3].query == 0);
  CHECK(found[3].class_id == 0);

  settings.detections = 100;  // more than there are
  const auto all = fast_inst_instances_ref(one.logits(), one.geometry, settings);
  REQUIRE(all.size() == 6);
  CHECK(all[5].score == 0);
  CHECK(all[5].area == 0);
  CHECK(all[5].width == 0);

  // Stuff is dropped after the most probable pairs were taken: fewer are left.
  settings.detections = 4;
  settings.things = {true, false};
  settings.things_alone = true;
  const auto things = fast_inst_instances_ref(one.logits(), one.geometry, settings);
  REQUIRE(things.size() == 2);
  CHECK(things[0].query == 1);
  CHECK(things[1].query == 0);
  settings.minimum_score = 0.2f;
  CHECK(fast_inst_instances_ref(one.logits(), one.geometry, settings).size() == 1);
  settings.masks = false;
  CHECK(fast_inst_instances_ref(one.logits(), one.geometry, settings)[0].mask.words.empty());
}

TEST_CASE("a pixel's class is that of the largest sum over queries") {
  Case one;
  one.add(0, 2, "xx......", 4);
  one.add(1, 2, ".xx.....", 4);
  one.add(1, 2, ".x......", 4);
  FastInstSettings settings;
  const auto scores = fast_inst_class_scores_ref(one.logits(), one.geometry, settings);
  REQUIRE(scores.size() == 16);
  const double in = sigmoid(4), out = sigmoid(-4);
  CHECK(scores[0] == Approx(0.5 * in + 0.25 * out + 0.25 * out));
  CHECK(scores[1] == Approx(0.5 * in + 0.25 * in + 0.25 * in));
  CHECK(scores[8 + 1] == Approx(0.25 * in + 0.5 * in + 0.5 * in));
  CHECK(fast_inst_classes_ref(one.logits(), one.geometry, settings) ==
        std::vector<std::int32_t>{0, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("probabilities are summed before or after the last resize, as the settings say") {
  Case one;
  one.add(0, 2, "x...x...", 6);
  one.geometry = {8, 2, 4, 2, 4, 2};  // twice as wide
  FastInstSettings before, after;
  before.resize_before_semantic = true, after.resize_before_semantic = false;
  const auto blended = fast_inst_class_scores_ref(one.logits(), one.geometry, before);
  const auto sums = fast_inst_class_scores_ref(one.logits(), one.geometry, after);
  REQUIRE(blended.size() == 32);
  REQUIRE(sums.size() == 32);
  // The second column lies a quarter of the way from 6 to -6.
  CHECK(blended[1] == Approx(0.5 * sigmoid(3)));
  CHECK(sums[1] == Approx(0.5 * (0.75 * sigmoid(6) + 0.25 * sigmoid(-6))));
}

TEST_CASE("segments are where a query wins inside of its mask, if that leaves enough of it") {
  Case one;
  one.classes = 3;
  one.add(0, 27, "xx......", 2);    // p = 27/30
  one.add(1, 57, "..xx....", 2);    // stuff, p = 57/60
  one.add(2, 1.5f, "xxxxxxxx", 2);  // not sure enough
  one.add(3, 57, "xxxxxxxx", 2);    // none
  one.add(1, 27, "....x...", 2);    // stuff of the same class
  one.add(0, 17, ".x...xxx", 2);    // p = 17/20: loses one pixel of four
  one.add(2, 12, "x.......", 2);    // p = 12/15: loses all it has
  FastInstSettings settings;
  settings.object_mask_threshold = 0.5f, settings.overlap_threshold = 0.7f;
  settings.things = {true, false, true};
  const auto found = fast_inst_segments_ref(one.logits(), one.geometry, settings);
  CHECK(found.ids == std::vector<std::int32_t>{1, 1, 2, 2, 2, 3, 3, 3});
  REQUIRE(found.segments.size() == 3);
  CHECK(found.segments[0].query == 0);
  CHECK(found.segments[0].probability == Approx(0.9f));
  CHECK(found.segments[0].is_thing);
  CHECK(found.segments[0].area == 2);
  CHECK(found.segments[1].class_id == 1);
  CHECK_FALSE(found.segments[1].is_thing);
  CHECK(found.segments[1].area == 3);
  CHECK(found.segments[1].x == 0);
  CHECK(found.segments[1].width == 4);
  CHECK(found.segments[1].height == 2);
  CHECK(found.segments[2].query == 5);
  CHECK(found.segments[2].x == 1);
  CHECK(found.segments[2].y == 1);
  CHECK(found.segments[2].width == 3);
  CHECK(found.segments[2].height == 1);

  settings.overlap_threshold = 0.8f;  // three pixels of four are too few now
  CHECK(fast_inst_segments_ref(one.logits(), one.geometry, settings).segments.size() == 2);
  settings.object_mask_threshold = 1;
  const auto none = fast_inst_segments_ref(one.logits(), one.geometry, settings);
  CHECK(none.segments.empty());
  CHECK(none.ids == std::vector<std::int32_t>(8));
}

}  // namespace
}  // namespace maskrt::kernels
