// The maskrt-convert command, as its user meets it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "support/files.h"
#include "support/process.h"
#include "weights_tools/checkpoint/checkpoint.h"

namespace maskrt {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using testing::ProcessResult;
using testing::TemporaryFolder;
using testing::write_text;

const std::string kFixture = MASKRT_TEST_DATA "/fixtures/sparse_inst_r50_giam/";

ProcessResult convert(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MASKRT_CONVERT);
  return testing::run_process(arguments);
}

// One sentence on stderr, nothing on stdout, no file.
void check_refused(const ProcessResult& result, int status, const std::string& message) {
  INFO(result.err);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, StartsWith("maskrt-convert: ") && Contains(message) && EndsWith("\n"));
}

std::vector<std::string> files_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("a checkpoint becomes a model file with the checkpoint's own numbers") {
  const TemporaryFolder folder;
  const auto path = folder / "out.maskrt";
  const auto labels = write_text(folder / "labels.txt", "a\nb\nc\nd\ne\nf\ng\n");
  const auto result =
      convert({kFixture + "checkpoint.pth", "--config", kFixture + "config.yaml", "--labels", labels.string(), "-o",
               path.string(), "--name", "little", "MODEL.SPARSE_INST.CLS_THRESHOLD", "0.25", "SOLVER.MAX_ITER", "5"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(result.err.empty());
  for (const char* part : {"checkpoint.pth: PyTorch zip", "309 tensors", "SparseInst, ResNet-50", "GroupIAMDecoder",
                           "7 classes, 20 masks, 4 groups", "stem 8, encoder 32", "score 0.25", "shortest edge 96",
                           "a, b, c, ...", "493328 in 309 tensors", "SOLVER.MAX_ITER", "wrote"})
    CHECK_THAT(result.out, Contains(part));
  CHECK(files_in(folder) == std::vector<std::string>{"labels.txt", "out.maskrt"});

  const auto model = graph::read_model(path);
  CHECK(model.name == "little");
  CHECK(graph::name_of(model.head) == "SparseInst");
  CHECK(std::get<graph::SparseInstHead>(model.head).score_threshold == 0.25f);
  CHECK(model.preprocessing.min_size == 96);
  REQUIRE(model.categories.size() == 7);
  CHECK(model.categories[6].name == "g");
  CHECK(model.categories[6].id == 7);
  const auto checkpoint = weights::read_checkpoint(kFixture + "checkpoint.pth");
  REQUIRE(model.storage);
  CHECK(model.storage->tensors.size() == 309);
  for (const auto& [name, view] : model.storage->tensors) {
    INFO(name);
    const auto& tensor = checkpoint.tensors.at(name);
    CHECK(view.type == tensor.type);
    CHECK(view.shape == tensor.shape);
    const auto dense = tensor.dense();
    CHECK(view.read() == dense);
  }
}

TEST_CASE("every kind of checkpoint converts, in its own dtype") {
  for (const std::string name : {"sparse_inst_r18_base", "sparse_inst_r50_base", "sparse_inst_r50_giam_g2",
                                 "sparse_inst_r50_giam_soft", "sparse_inst_x50_giam"}) {
    INFO(name);
    const TemporaryFolder folder;
    const std::string from = MASKRT_TEST_DATA "/fixtures/" + name + "/";
    const auto checkpoint = from + (name == "sparse_inst_r50_giam_soft" ? "checkpoint.pkl" : "checkpoint.pth");
    const auto path = folder / "out.maskrt";
    const auto result = convert({checkpoint, "--config", from + "config.yaml", "-o", path.string()});
    INFO(result.err);
    REQUIRE(result.status == 0);
    const auto model = graph::read_model(path);
    CHECK(model.name == "config");
    const auto tensors = weights::read_checkpoint(checkpoint).tensors;
    const std::string prefix = name == "sparse_inst_r18_base" ? "module." : "";
    for (const auto& [tensor, view] : model.storage->tensors) CHECK(view.type == tensors.at(prefix + tensor).type);
    CHECK((result.out.find("took 'module.' off all names") != std::string::npos) == !prefix.empty());
  }
}

TEST_CASE("random weights give the same file each time") {
  const TemporaryFolder folder;
  const std::vector<std::string> small = {"--random-weights",
                                          "--config",
                                          "sparse_inst_r50_giam",
                                          "MODEL.RESNETS.DEPTH",
                                          "18",
                                          "MODEL.RESNETS.RES2_OUT_CHANNELS",
                                          "16",
                                          "MODEL.RESNETS.STEM_OUT_CHANNELS",
                                          "8",
                                          "MODEL.SPARSE_INST.ENCODER.NUM_CHANNELS",
                                          "16",
                                          "MODEL.SPARSE_INST.DECODER.INST.DIM",
                                          "16"};
  for (const char* name : {"one.maskrt", "two.maskrt"}) {
    auto arguments = small;
    arguments.insert(arguments.end(), {"-o", (folder / name).string()});
    const auto result = convert(arguments);
    INFO(result.err);
    REQUIRE(result.status == 0);
  }
  CHECK(testing::read_text(folder / "one.maskrt") == testing::read_text(folder / "two.maskrt"));
  const auto model = graph::read_model(folder / "one.maskrt");
  CHECK(model.name == "sparse_inst_r50_giam");
  CHECK(model.categories.size() == 80);
  CHECK(model.categories.back().id == 90);
}

TEST_CASE("without -o the file is written to the working directory") {
  const TemporaryFolder folder;
  std::filesystem::copy(kFixture + "checkpoint.pth", folder / "trained.pth");
  // The command's working directory is a shell's; arguments travel as $0, $1, ...
  const auto result = testing::run_process({"/bin/sh", "-c", "cd \"$0\" && exec \"$1\" trained.pth --config \"$2\"",
                                            folder.path().string(), MASKRT_CONVERT, kFixture + "config.yaml"});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(files_in(folder) == std::vector<std::string>{"trained.maskrt", "trained.pth"});
}

TEST_CASE("help and version") {
  const auto help = convert({"--help"});
  CHECK(help.status == 0);
  CHECK_THAT(help.out, Contains("maskrt-convert sparse_inst_r50_giam_aug.pth --config sparse_inst_r50_giam") &&
                           Contains("--random-weights") && Contains("--labels"));
  const auto version = convert({"--version"});
  CHECK(version.status == 0);
  CHECK_THAT(version.out, StartsWith("maskrt-convert "));
}

TEST_CASE("wrong usage ends with 2") {
  check_refused(convert({}), 2, "--config is required");
  check_refused(convert({"--config", "sparse_inst_r50_giam"}), 2, "CHECKPOINT or --random-weights");
  check_refused(convert({"x.pth", "--config", "sparse_inst_r50_giam", "KEY"}), 2, "found 'KEY' alone");
  check_refused(convert({"x.pth", "--config", "sparse_inst_r50_giam", "--", "KEY"}), 2, "found 'KEY' alone");
  check_refused(convert({"x.pth", "--random-weights", "--config", "sparse_inst_r50_giam"}), 2, "takes no checkpoint");
  check_refused(convert({"--random-weights", "--config"}), 2, "--config");
  check_refused(convert({"--wrong"}), 2, "expected an option of maskrt-convert, found '--wrong' (see");
  check_refused(convert({"x.pth", "--confg", "sparse_inst_r50_giam"}), 2, "found '--confg': did you mean --config?");
  check_refused(convert({"x.pth", "--config", "sparse_inst_r50_giam", "--lables=l.txt"}), 2,
                "found '--lables': did you mean --labels?");
}

TEST_CASE("bad input ends with 1, and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto out = (folder / "out.maskrt").string();
  const auto checkpoint = kFixture + "checkpoint.pth", config = kFixture + "config.yaml";
  check_refused(convert({folder / "none.pth", "--config", config, "-o", out}), 1, "none.pth");
  check_refused(convert({checkpoint, "--config", "sparse_inst_r5", "-o", out}), 1, "sparse_inst_r50_giam_soft");
  check_refused(convert({checkpoint, "--config", folder / "none.yaml", "-o", out}), 1, "none.yaml, found nothing");
  check_refused(convert({checkpoint, "--config", "sparse_inst_r50_giam", "-o", out}), 1,
                "cls_score.weight: expected shape [80 (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), 128], found [7, 128]");
  check_refused(convert({checkpoint, "--config", config, "-o", out, "MODEL.RESNETS.DEPTH", "fifty"}), 1,
                "MODEL.RESNETS.DEPTH (the command line): expected an integer");
  check_refused(convert({checkpoint, "--config", "sparse_inst_pvt_b1_giam", "-o", out}), 1,
                "backbone.patch_embed1.proj.weight: expected shape [any, 3, 7, 7], found no such tensor");
  const auto labels = write_text(folder / "labels.txt", "a\nb\n").string();
  check_refused(convert({checkpoint, "--config", config, "-o", out, "--labels", labels}), 1,
                "expected 7 labels (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), found 2");
  check_refused(convert({checkpoint, "--config", config, "-o", folder / "no" / "where.maskrt"}), 1, "where.maskrt");
  check_refused(convert({checkpoint, "--config", config, "-o", folder.path()}), 1, folder.path().string());
  CHECK(files_in(folder) == std::vector<std::string>{"labels.txt"});
}

TEST_CASE("an output that is an input, or that cannot be written, harms nothing") {
  const TemporaryFolder folder;
  std::filesystem::copy(kFixture + "checkpoint.pth", folder / "a.pth");
  const auto before = testing::read_text(folder / "a.pth");
  check_refused(convert({folder / "a.pth", "--config", kFixture + "config.yaml", "-o", folder / "a.pth"}), 1,
                "none of the inputs");
  CHECK(testing::read_text(folder / "a.pth") == before);

  const TemporaryFolder locked;
  write_text(locked / "old.maskrt", "old");
  ::chmod((locked / "old.maskrt").c_str(), 0400);
  ::chmod(locked.path().c_str(), 0500);
  if (::geteuid() != 0) {  // nothing is locked for root
    check_refused(convert({folder / "a.pth", "--config", kFixture + "config.yaml", "-o", locked / "old.maskrt"}), 1,
                  "old.maskrt");
    CHECK(testing::read_text(locked / "old.maskrt") == "old");
  }
  ::chmod(locked.path().c_str(), 0700);

  // A full disk, for every user.
  if (std::filesystem::exists("/dev/full"))
    CHECK(convert({folder / "a.pth", "--config", kFixture + "config.yaml", "-o", "/dev/full/x"}).status == 1);
  CHECK(files_in(folder) == std::vector<std::string>{"a.pth"});
}

}  // namespace
}  // namespace maskrt
