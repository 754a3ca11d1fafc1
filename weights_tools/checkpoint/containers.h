// The readers of each container. All take a file's bytes and leave its name out of their errors.
#pragma once

#include <memory>
#include <span>

#include "checkpoint.h"
#include "graph/byte_source.h"
#include "pickle_value.h"

namespace maskrt::weights {

/// torch.save since PyTorch 1.6: a zip archive with data.pkl and one stored entry for each storage.
Checkpoint read_torch_zip(std::span<const std::byte> file);

/// torch.save before 1.6: magic number, protocol, system, the object, the storages' keys (five pickles in a row), then
/// for each key its number of elements and its bytes. Anything else that is a pickle holds its arrays itself: numpy's,
/// as detectron2's model zoo has them (.pkl), or PyTorch's as pickle.dump writes them.
Checkpoint read_pickle(std::span<const std::byte> file);

/// The storage alone that torch.save wrote into `file`, of either kind: how pickle.dump keeps a tensor's numbers. The
/// storage points at them. Throws Error for anything else in there.
pickle::Storage* load_storage(pickle::Heap& heap, pickle::Blob& file);
/// load_storage for a zip archive.
pickle::Storage* load_zipped_storage(pickle::Heap& heap, pickle::Blob& file);

/// A safetensors file; its errors do name the file, for another layer writes them.
Checkpoint read_safetensors(std::shared_ptr<const graph::ByteSource> file);

}  // namespace maskrt::weights
