// The CPU's selection of queries against the loops that define it, and those against what their contract says.
#include "select_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

const std::vector<std::int64_t> blocks = {16, 8, 1, 0};

void set_row(const Tensor& t, const std::vector<float>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) set(t, 0, 0, static_cast<std::int64_t>(i), 0, values[i]);
}

std::vector<float> rows_of(const Tensor& t) {
  std::vector<float> rows;
  for (std::int64_t y = 0; y < t.height; ++y) rows.push_back(get(t, 0, y, 0, 0));
  return rows;
}

}  // namespace

TEST_CASE("what a proposal's score is") {
  // Logits of two classes, the third is none. Columns: class 0 at p, class 0 at p, class 0 lower, class 1 lower still.
  OwnedTensor logits(DataType::f32, 1, 1, 4, 3, 0), scores(DataType::f32, 1, 4, 1, 1, 0);
  const float numbers[4][3] = {{2, 0, 0}, {2, 0, 0}, {1, 0, 0}, {0, 0.5f, 0}};
  for (int x = 0; x < 4; ++x)
    for (int c = 0; c < 3; ++c) set(*logits, 0, 0, x, c, numbers[x][c]);
  const auto p = [](double best, double a, double b) {
    return static_cast<float>(std::exp(best) / (std::exp(best) + std::exp(a) + std::exp(b)));
  };
  proposal_scores_ref(*logits, 1e-6f, *scores);
  // Both of a tie are maxima; the lower of the class is none; a neighbour of another class does not count.
  CHECK(rows_of(*scores) == std::vector<float>{p(2, 0, 0) + 1, p(2, 0, 0) + 1, p(1, 0, 0), p(0.5, 0, 0) + 1});
  // Below epsilon nothing is a maximum.
  proposal_scores_ref(*logits, 0.6f, *scores);
  CHECK(rows_of(*scores) == std::vector<float>{p(2, 0, 0) + 1, p(2, 0, 0) + 1, p(1, 0, 0), p(0.5, 0, 0)});
}

TEST_CASE("the order of a selection") {
  OwnedTensor in(DataType::f32, 1, 1, 7, 1, 0), positions(DataType::i32, 1, 7, 1, 1, 0),
      scores(DataType::f32, 1, 7, 1, 1, 0);
  const float none = std::numeric_limits<float>::quiet_NaN();
  set_row(*in, {3, 7, none, 7, -0.0f, 0, -std::numeric_limits<float>::infinity()});
  select_top_ref(*in, *positions, *scores);
  CHECK(rows_of(*positions) == std::vector<float>{1, 3, 0, 4, 5, 6, 2});
  CHECK(get(*scores, 0, 0, 0, 0) == 7);
  CHECK(std::isnan(get(*scores, 0, 6, 0, 0)));
}

TEST_CASE("positions outside of a map give zeros") {
  OwnedTensor in(DataType::f32, 1, 2, 2, 1, 0), positions(DataType::i32, 1, 4, 1, 1, 0),
      out(DataType::f32, 1, 4, 1, 1, 0);
  for (int i = 0; i < 4; ++i) set(*in, 0, i / 2, i % 2, 0, static_cast<float>(i + 1));
  const std::int32_t at[] = {3, 4, -1, 0};
  for (int i = 0; i < 4; ++i) positions->as<std::int32_t>()[i] = at[i];
  gather_positions_ref(*in, *positions, *out);
  CHECK(rows_of(*out) == std::vector<float>{4, 0, 0, 1});
}

TEST_CASE("scores of proposals on the CPU") {
  for (const ProposalCase& c : proposal_cases) {
    for (const std::int64_t block : blocks) {
      INFO(c.batch << "x" << c.height << "x" << c.width << ", " << c.classes << " classes, block " << block);
      const std::int64_t positions = c.height * c.width;
      OwnedTensor logits(DataType::f32, c.batch, c.height, c.width, c.classes + 1, block);
      OwnedTensor scores(DataType::f32, c.batch, positions, 1, 1, 0), want(DataType::f32, c.batch, positions, 1, 1, 0);
      fill_logits(*logits, 5);
      require_distinct(*logits);
      scores.poison();
      proposal_scores_ref(*logits, 0.05f, *want);
      std::vector<BestClass> best(static_cast<std::size_t>(c.batch * positions));
      proposal_scores_cpu(*logits, 0.05f, best.data(), *scores);
      require_close(scores, *want, [&](auto...) { return score_bound(c.classes + 1); });
      logits.require_intact();
    }
  }
}

TEST_CASE("selections on the CPU") {
  for (const SelectCase& c : select_cases) {
    for (const Scores kind : kAllScores) {
      for (const std::int64_t block : blocks) {
        INFO(c.count << " of " << c.batch << "x" << c.height << "x" << c.width << ", scores " << static_cast<int>(kind)
                     << ", block " << block);
        OwnedTensor in(DataType::f32, c.batch, c.height, c.width, 1, block);
        OwnedTensor positions(DataType::i32, c.batch, c.count, 1, 1, 0),
            scores(DataType::f32, c.batch, c.count, 1, 1, 0);
        OwnedTensor want_positions(DataType::i32, c.batch, c.count, 1, 1, 0),
            want_scores(DataType::f32, c.batch, c.count, 1, 1, 0);
        fill_scores(*in, kind, 7);
        positions.poison(), scores.poison();
        select_top_ref(*in, *want_positions, *want_scores);
        std::vector<std::uint64_t> keys(static_cast<std::size_t>(c.height * c.width));
        select_top_cpu(*in, keys.data(), *positions, *scores);
        require_same(positions, want_positions);
        require_same(scores, want_scores);
      }
    }
  }
}

TEST_CASE("rows at positions on the CPU") {
  for (const GatherCase& c : gather_cases) {
    for (const std::int64_t block : blocks) {
      INFO(c.rows << " of " << c.batch << "x" << c.height << "x" << c.width << "x" << c.channels << ", block "
                  << block);
      OwnedTensor in(DataType::f32, c.batch, c.height, c.width, c.channels, block);
      OwnedTensor positions(DataType::i32, c.batch, c.rows, 1, 1, 0);
      OwnedTensor out(DataType::f32, c.batch, c.rows, 1, c.channels, 0),
          want(DataType::f32, c.batch, c.rows, 1, c.channels, 0);
      in.fill(1);
      fill_positions(*positions, c.height * c.width, 2);
      out.poison();
      gather_positions_ref(*in, *positions, *want);
      gather_positions_cpu(*in, *positions, *out);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
  }
}
