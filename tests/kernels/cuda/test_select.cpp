// The selection of queries on the GPU against the loops that define it.
#include "kernels/select/select_cuda.h"
#include "placed_map.h"
#include "tests/kernels/select_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr DataType kTypes[] = {DataType::f32, DataType::f16};

}  // namespace

TEST_CASE("scores of proposals on the GPU") {
  CudaQueue& queue = Gpu::instance().queue();
  for (const ProposalCase& c : proposal_cases)
    for (const DataType type : kTypes)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c.batch << "x" << c.height << "x" << c.width << ", " << c.classes
                                   << " classes, " << testing::name_of(place));
        const std::int64_t positions = c.height * c.width;
        PlacedMap logits(type, {c.batch, c.height, c.width, c.classes + 1}, place);
        logits.fill_input(1);
        fill_logits(logits.map(), 5);
        require_distinct(logits.map());
        OwnedTensor scores(DataType::f32, c.batch, positions, 1, 1, 0),
            want(DataType::f32, c.batch, positions, 1, 1, 0);
        scores.poison();
        proposal_scores_ref(logits.map(), 0.05f, *want);
        const DeviceMap device_logits(logits);
        const DeviceTensor device_scores(*scores);
        const DeviceBytes workspace(proposal_scores_workspace_bytes(logits.map()));
        proposal_scores_cuda(queue, *device_logits, 0.05f, workspace.data(), *device_scores);
        device_scores.download(*scores);
        workspace.require_intact();
        require_close(scores, *want, [&](auto...) { return score_bound(c.classes + 1); });
      }
}

TEST_CASE("selections on the GPU") {
  CudaQueue& queue = Gpu::instance().queue();
  for (const SelectCase& c : select_cases)
    for (const Scores kind : kAllScores)
      for (const DataType type : kTypes)
        for (const Place place : {Place::dense, Place::padded, Place::odd_slice}) {
          INFO(maskrt::name_of(type) << " " << c.count << " of " << c.batch << "x" << c.height << "x" << c.width
                                     << ", scores " << static_cast<int>(kind) << ", " << testing::name_of(place));
          PlacedMap in(type, {c.batch, c.height, c.width, 1}, place);
          in.fill_input(1);
          fill_scores(in.map(), kind, 7);
          OwnedTensor positions(DataType::i32, c.batch, c.count, 1, 1, 0),
              scores(DataType::f32, c.batch, c.count, 1, 1, 0);
          OwnedTensor want_positions(DataType::i32, c.batch, c.count, 1, 1, 0),
              want_scores(DataType::f32, c.batch, c.count, 1, 1, 0);
          positions.poison(), scores.poison();
          select_top_ref(in.map(), *want_positions, *want_scores);
          const DeviceMap device_in(in);
          const DeviceTensor device_positions(*positions), device_scores(*scores);
          select_top_cuda(queue, *device_in, *device_positions, *device_scores);
          device_positions.download(*positions);
          device_scores.download(*scores);
          require_same(positions, want_positions);
          require_same(scores, want_scores);
        }
}

TEST_CASE("rows at positions on the GPU") {
  CudaQueue& queue = Gpu::instance().queue();
  for (const GatherCase& c : gather_cases)
    for (const DataType type : kTypes)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c.rows << " of " << c.batch << "x" << c.height << "x" << c.width << "x"
                                   << c.channels << ", " << testing::name_of(place));
        PlacedMap in(type, {c.batch, c.height, c.width, c.channels}, place);
        in.fill_input(1);
        const MapShape rows{c.batch, c.rows, 1, c.channels};
        PlacedMap out(DataType::f32, rows, place), want(DataType::f32, rows, place);
        out.fill(2), want.fill(2);
        OwnedTensor positions(DataType::i32, c.batch, c.rows, 1, 1, 0);
        fill_positions(*positions, c.height * c.width, 3);
        gather_positions_ref(in.map(), *positions, want.map());
        const DeviceMap device_in(in), device_out(out);
        const DeviceTensor device_positions(*positions);
        gather_positions_cuda(queue, *device_in, *device_positions, *device_out);
        device_out.download(out);
        out.require_near(want, [](double) { return 0.0; });
      }
}

TEST_CASE("scores, selection and rows one behind the other, where each may start early") {
  CudaQueue& queue = Gpu::instance().queue();
  OwnedTensor logits(DataType::f16, 2, 20, 27, 13, 16), map(DataType::f16, 2, 20, 27, 24, 0);
  fill_logits(*logits, 5);
  map.fill(2);
  OwnedTensor scores(DataType::f32, 2, 540, 1, 1, 0), positions(DataType::i32, 2, 50, 1, 1, 0),
      best(DataType::f32, 2, 50, 1, 1, 0), rows(DataType::f32, 2, 50, 1, 24, 0), want(DataType::f32, 2, 50, 1, 24, 0);
  scores.poison(), positions.poison(), best.poison(), rows.poison();
  const DeviceTensor device_logits(*logits), device_map(*map), device_scores(*scores), device_positions(*positions),
      device_best(*best), device_rows(*rows);
  const DeviceBytes workspace(proposal_scores_workspace_bytes(*logits));
  proposal_scores_cuda(queue, *device_logits, 1e-6f, workspace.data(), *device_scores);
  select_top_cuda(queue, *device_scores, *device_positions, *device_best);
  gather_positions_cuda(queue, *device_map, *device_positions, *device_rows);
  device_scores.download(*scores);
  device_positions.download(*positions);
  device_best.download(*best);
  device_rows.download(*rows);
  // From the scores that the first wrote, all is exact.
  OwnedTensor want_positions(DataType::i32, 2, 50, 1, 1, 0), want_best(DataType::f32, 2, 50, 1, 1, 0);
  select_top_ref(*scores, *want_positions, *want_best);
  gather_positions_ref(*map, *want_positions, *want);
  require_same(positions, want_positions);
  require_same(best, want_best);
  require_close(rows, *want, [](auto...) { return 0.0; });
}

TEST_CASE("selections refuse what they cannot do") {
  CudaQueue& queue = Gpu::instance().queue();
  OwnedTensor map(DataType::f16, 1, 4, 4, 8, 0), single(DataType::f16, 1, 4, 4, 1, 0),
      five(DataType::i32, 1, 5, 1, 1, 0), many(DataType::i32, 1, 17, 1, 1, 0), numbers(DataType::f32, 1, 5, 1, 1, 0),
      wide(DataType::f32, 1, 17, 1, 1, 0), rows(DataType::f32, 1, 5, 1, 7, 0), eight(DataType::f32, 1, 5, 1, 8, 0),
      list(DataType::f32, 1, 16, 1, 1, 0);
  CHECK_THROWS_WITH(select_top_cuda(queue, *map, *five, *numbers),
                    Catch::Contains("select top: input: expected [1, 4, 4, 1], found [1, 4, 4, 8]"));
  CHECK_THROWS_WITH(select_top_cuda(queue, *single, *many, *wide),
                    Catch::Contains("expected from 1 to 2048 of the input's 16 positions, found 17"));
  CHECK_THROWS_WITH(select_top_cuda(queue, *single, *numbers, *numbers),
                    Catch::Contains("select top (input, positions, scores)"));
  CHECK_THROWS_WITH(select_top_cuda(queue, *single, *five, *wide),
                    Catch::Contains("scores: expected [1, 5, 1, 1], found [1, 17, 1, 1]"));
  CHECK_THROWS_WITH(gather_positions_cuda(queue, *map, *five, *rows),
                    Catch::Contains("output: expected [1, 5, 1, 8], found [1, 5, 1, 7]"));
  CHECK_THROWS_WITH(gather_positions_cuda(queue, *map, *numbers, *eight),
                    Catch::Contains("(fp16, int32, fp32), found (fp16, fp32, fp32)"));
  CHECK_THROWS_WITH(proposal_scores_cuda(queue, *single, 0, nullptr, *list), Catch::Contains("a class and of none"));
  CHECK_THROWS_WITH(proposal_scores_cuda(queue, *map, 0, nullptr, *numbers),
                    Catch::Contains("scores: expected [1, 16, 1, 1], found [1, 5, 1, 1]"));
}
