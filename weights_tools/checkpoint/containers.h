// The readers of each container. All take a mapped file and leave its name out of their errors.
#pragma once

#include "checkpoint.h"
#include "graph/safetensors.h"

namespace maskrt::weights {

/// torch.save since PyTorch 1.6: a zip archive with data.pkl and one stored entry for each storage.
Checkpoint read_torch_zip(const graph::MappedFile& file);

/// torch.save before 1.6: magic number, protocol, system, the object, the storages' keys (five pickles in a row), then
/// for each key its number of elements and its bytes. Anything else that is a pickle is numpy's, as detectron2's model
/// zoo has it (.pkl).
Checkpoint read_pickle(const graph::MappedFile& file);

/// A safetensors file; its errors do name the file, for another layer writes them.
Checkpoint read_safetensors(const std::filesystem::path& path);

}  // namespace maskrt::weights
