#include "layers.h"

namespace maskrt::testing {
namespace {

using Names = std::vector<std::string>;

Names operator+(Names names, const Names& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

const Names vocabulary = {"vocabulary"};
const Names graphs = {"graph", "rewrites"};
const Names contracts = {"kernel contracts"};
const Names cuda_kernels = {"kernel parameters", "CUDA launchers"};
const Names runtime_base = {"public headers", "runtime support"};
const Names devices = {"device interface", "CPU device", "CUDA device"};
const Names runtime_parts = {"masks", "pictures", "text", "COCO", "label maps"};
const Names converter = {"checkpoints", "converter"};

const Names product = vocabulary + graphs + contracts + Names{"CPU kernels"} + cuda_kernels + runtime_base + devices +
                      runtime_parts + Names{"sessions", "command"} + converter;

}  // namespace

IncludeRules project_rules() {
  IncludeRules rules;
  rules.layers = {
      {"build", {"cmake/*"}, {}},
      {"vocabulary", {"runtime/include/maskrt/types.hpp"}, {}},
      {"public headers", {"runtime/include/*"}, vocabulary},

      {"rewrites", {"graph/rewrites/*"}, vocabulary + Names{"graph"}},
      {"graph", {"graph/*"}, vocabulary},

      // What a kernel computes, for any device: contracts, plain references, the elements of tensors.
      {"device code", {"kernels/*.cu", "kernels/*.cuh"}, vocabulary + contracts + Names{"kernel parameters"}},
      // Read by both compilers.
      {"kernel parameters",
       {"kernels/*_params.h", "kernels/masks/upsampled.h", "kernels/conv/cuda/conv_tiles.h",
        "kernels/deform/cuda/deform_tiles.h", "kernels/cuda/map.h", "kernels/cuda/divisor.h",
        "kernels/cuda/tensor_map.h"},
       vocabulary + contracts},
      {"CUDA launchers",
       {"kernels/cuda/*", "kernels/conv/cuda/*", "kernels/deform/cuda/*", "kernels/*_cuda.h", "kernels/*_cuda.cpp",
        "kernels/masks/instance_block.*", "kernels/heads/instance_head.h"},
       vocabulary + contracts + Names{"kernel parameters"}},
      {"CPU kernels",
       {"kernels/cpu/*", "kernels/conv/cpu/*", "kernels/*_cpu.h", "kernels/*_cpu.cpp", "kernels/masks/map_rows.*",
        "kernels/masks/mask_sampler.*", "kernels/masks/pack_columns.*", "kernels/preprocess/resize_band.*"},
       vocabulary + contracts},
      {"kernel contracts", {"kernels/*"}, vocabulary},

      {"runtime support", {"runtime/support/*"}, vocabulary + Names{"public headers"}},
      {"masks", {"runtime/mask/*"}, vocabulary + contracts + runtime_base},
      {"pictures", {"runtime/image/*"}, vocabulary + runtime_base},
      {"text", {"runtime/text/*"}, {}},
      {"COCO", {"runtime/coco/*"}, vocabulary + Names{"graph", "masks"} + runtime_base},
      {"label maps", {"runtime/label_maps/*"}, vocabulary + Names{"graph", "pictures", "COCO"} + runtime_base},
      {"CPU device",
       {"runtime/cpu/*"},
       vocabulary + graphs + contracts + runtime_base + Names{"CPU kernels", "device interface"}},
      {"CUDA device",
       {"runtime/cuda/*"},
       vocabulary + graphs + contracts + cuda_kernels + runtime_base + Names{"device interface"}},
      {"command",
       {"runtime/cli/*"},
       vocabulary + graphs + runtime_base + runtime_parts + Names{"device interface", "sessions"}},
      // libmaskrt: it opens devices, and knows of the CUDA device alone, which is part of it.
      {"sessions",
       {"runtime/activations.*", "runtime/device_loader.*", "runtime/executor.*", "runtime/input_image.*",
        "runtime/model.*", "runtime/session.*", "runtime/version.*"},
       vocabulary + graphs + contracts + runtime_base + Names{"device interface", "CUDA device", "masks"}},
      {"device interface", {"runtime/*"}, vocabulary + graphs + contracts + runtime_base},

      {"checkpoints", {"weights_tools/checkpoint/*"}, vocabulary + Names{"graph"}},
      {"converter", {"weights_tools/*"}, vocabulary + Names{"graph", "checkpoints"}},

      {"examples", {"examples/*"}, vocabulary + Names{"public headers"}},

      // The virtual GPU takes nothing from the product, and the product nothing from it.
      {"virtual GPU's interface", {"tests/virtual_gpu/include/*"}, {}},
      {"virtual GPU", {"tests/virtual_gpu/src/*"}, {"virtual GPU's interface"}},
      {"virtual GPU's tests",
       {"tests/virtual_gpu/tests/*", "tests/virtual_gpu/bench/*"},
       {"virtual GPU's interface", "virtual GPU"}},

      // Benchmarks are above the whole product: they build networks with the converter's builders.
      {"testing", {"testing/*"}, vocabulary + contracts + Names{"CUDA launchers"}},
      {"benchmarks", {"bench/*"}, product + Names{"testing", "virtual GPU's interface"}},
      {"tests", {"tests/*"}, product + Names{"testing", "benchmarks", "virtual GPU's interface"}},
  };
  rules.siblings = {
      // A family of kernels knows no other but for what it is made of: a mask product on the CPU is a convolution, a
      // deformable convolution has a convolution's geometry, masks at the image's size are resized twice, heads have
      // masks and select what is most probable, and list programs have linear layers and the rates of the cost model.
      {"kernels",
       {"cpu", "cuda", "ptx"},
       {{"mask_head", "conv"},
        {"deform", "conv"},
        {"lists", "conv"},
        {"lists", "linear"},
        {"masks", "resize"},
        {"heads", "masks"},
        {"heads", "resize"},
        {"heads", "select"}}},
      {"tests", {"support", "virtual_gpu"}, {}},
      {"tests/runtime", {}, {}},
  };
  rules.search = {"", "runtime/include", "tests", "tests/virtual_gpu/src", "tests/virtual_gpu/include"};
  rules.named_from_root = {"tests/virtual_gpu/src/*"};
  rules.skipped = {".*", "build*", "tests/data", "gpu-check", "demo-output"};
  return rules;
}

}  // namespace maskrt::testing
