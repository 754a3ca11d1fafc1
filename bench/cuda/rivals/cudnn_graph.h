// cuDNN's backend interface: descriptors with attributes, as its developer guide describes them.
#pragma once

#include <cudnn.h>
#include <cudnn_backend.h>

#include <string>
#include <vector>

#include "library.h"

namespace maskrt::bench {

#define MASKRT_CUDNN_ENTRY_POINTS(X) \
  X(cudnnCreate)                     \
  X(cudnnDestroy)                    \
  X(cudnnSetStream)                  \
  X(cudnnGetVersion)                 \
  X(cudnnGetErrorString)             \
  X(cudnnBackendCreateDescriptor)    \
  X(cudnnBackendDestroyDescriptor)   \
  X(cudnnBackendFinalize) X(cudnnBackendSetAttribute) X(cudnnBackendGetAttribute) X(cudnnBackendExecute)

/// The library's functions under their own names.
struct Cudnn {
  Cudnn() {
    const Library library("cuDNN", {"libcudnn.so.9"});
#define MASKRT_FIND(name) library.find(name, #name);
    MASKRT_CUDNN_ENTRY_POINTS(MASKRT_FIND)
#undef MASKRT_FIND
  }
#define MASKRT_MEMBER(name) decltype(&::name) name = nullptr;
  MASKRT_CUDNN_ENTRY_POINTS(MASKRT_MEMBER)
#undef MASKRT_MEMBER

  static const Cudnn& instance() {
    static const Cudnn cudnn;
    return cudnn;
  }
  void check(cudnnStatus_t status, const std::string& call) const {
    if (status != CUDNN_STATUS_SUCCESS) throw Error("cuDNN: " + call + " answered " + cudnnGetErrorString(status));
  }
};

/// What attributes of a type hold.
template <cudnnBackendAttributeType_t type>
struct AttributeOf;
#define MASKRT_ATTRIBUTE(type, held) \
  template <>                        \
  struct AttributeOf<type> {         \
    using Held = held;               \
  };
MASKRT_ATTRIBUTE(CUDNN_TYPE_HANDLE, cudnnHandle_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_DATA_TYPE, cudnnDataType_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_BOOLEAN, bool)
MASKRT_ATTRIBUTE(CUDNN_TYPE_INT64, std::int64_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_FLOAT, float)
MASKRT_ATTRIBUTE(CUDNN_TYPE_VOID_PTR, void*)
MASKRT_ATTRIBUTE(CUDNN_TYPE_CONVOLUTION_MODE, cudnnConvolutionMode_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_HEUR_MODE, cudnnBackendHeurMode_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_BACKEND_DESCRIPTOR, cudnnBackendDescriptor_t)
MASKRT_ATTRIBUTE(CUDNN_TYPE_POINTWISE_MODE, cudnnPointwiseMode_t)
#undef MASKRT_ATTRIBUTE

/// A cuDNN descriptor, destroyed with its owner. Throws Error with the library's message.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    cudnn().check(cudnn().cudnnBackendCreateDescriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
  }
  ~Descriptor() {
    if (descriptor_ != nullptr) cudnn().cudnnBackendDestroyDescriptor(descriptor_);
  }
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <cudnnBackendAttributeType_t type>
  Descriptor& set(cudnnBackendAttributeName_t name,
                  const std::vector<typename AttributeOf<type>::Held>& values) requires(type != CUDNN_TYPE_BOOLEAN) {
    cudnn().check(cudnn().cudnnBackendSetAttribute(descriptor_, name, type, static_cast<std::int64_t>(values.size()),
                                                   values.data()),
                  "cudnnBackendSetAttribute of attribute " + std::to_string(name));
    return *this;
  }
  Descriptor& set_flag(cudnnBackendAttributeName_t name, bool value) {
    cudnn().check(cudnn().cudnnBackendSetAttribute(descriptor_, name, CUDNN_TYPE_BOOLEAN, 1, &value),
                  "cudnnBackendSetAttribute of attribute " + std::to_string(name));
    return *this;
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    return set<CUDNN_TYPE_BACKEND_DESCRIPTOR>(name, {other.get()});
  }
  Descriptor& finalize(const char* what) {
    cudnn().check(cudnn().cudnnBackendFinalize(descriptor_), std::string("cudnnBackendFinalize of ") + what);
    return *this;
  }
  /// False where the library refuses: an engine that does not take the shape.
  bool finalizes() { return cudnn().cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }

 private:
  static const Cudnn& cudnn() { return Cudnn::instance(); }
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace maskrt::bench
