// Prints what a model sees in a picture that lies in a GPU's memory, in the order of the program's own stream:
// segment_on_gpu MODEL IMAGE
#include <cuda.h>

#include <cstdio>
#include <maskrt/maskrt.hpp>
#include <string>
#include <vector>

namespace {

void check(CUresult status) {
  const char* name = "unknown";
  if (status == CUDA_SUCCESS) return;
  cuGetErrorName(status, &name);
  throw maskrt::Error(std::string("the CUDA driver answered ") + name);
}

/// The picture in device memory, whose rows the driver sets apart as suits it.
maskrt::DeviceImage upload(const maskrt::Image& image, CUstream stream) {
  const auto row = static_cast<std::size_t>(image.width()) * 3;
  CUdeviceptr pixels = 0;
  std::size_t pitch = 0;
  check(cuMemAllocPitch(&pixels, &pitch, row, static_cast<std::size_t>(image.height()), 16));
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = image.row(0);
  copy.srcPitch = row;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = pixels;
  copy.dstPitch = pitch;
  copy.WidthInBytes = row;
  copy.Height = static_cast<std::size_t>(image.height());
  check(cuMemcpy2DAsync(&copy, stream));
  return {reinterpret_cast<const void*>(pixels), image.width(), image.height(), image.format(),
          static_cast<std::ptrdiff_t>(pitch)};
}

template <typename T>
std::vector<T> download(const T* device, std::size_t count, CUstream stream) {
  std::vector<T> host(count);
  if (count != 0)
    check(cuMemcpyDtoHAsync(host.data(), reinterpret_cast<CUdeviceptr>(device), count * sizeof(T), stream));
  check(cuStreamSynchronize(stream));
  return host;
}

void segment(const char* model_file, const char* picture, CUstream stream) {
  maskrt::ModelOptions on_gpu;
  on_gpu.device = "cuda";
  const maskrt::Model model = maskrt::Model::load(model_file, on_gpu);
  const std::vector<maskrt::Category> categories = model.info().categories;
  maskrt::SessionOptions in_order;
  in_order.stream = stream;
  maskrt::Session session(model, in_order);

  const maskrt::DeviceImage image = upload(maskrt::Image::from_file(picture), stream);
  const std::vector<maskrt::InputImage> images = {image};
  const maskrt::DeviceResults results = session.enqueue(images);
  // Here a program would put kernels of its own on the stream, which read the results where they are.
  const maskrt::DeviceCounts counts = download(results.counts, 1, stream)[0];
  for (const maskrt::DeviceInstance& instance : download(results.instances, counts.instances, stream)) {
    if (instance.score < 0.4f) continue;
    const auto class_id = static_cast<std::size_t>(instance.class_id);
    std::printf("%-10s %.2f  %dx%d at (%d, %d), %llu pixels\n",
                class_id < categories.size() ? categories[class_id].name.c_str() : "?", instance.score,
                instance.right - instance.left + 1, instance.bottom - instance.top + 1, instance.left, instance.top,
                static_cast<unsigned long long>(instance.area));
  }
  check(cuMemFree(reinterpret_cast<CUdeviceptr>(image.pixels)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: segment_on_gpu MODEL IMAGE\n"), 2;
  try {
    CUdevice device = 0;
    CUcontext context = nullptr;
    CUstream stream = nullptr;
    check(cuInit(0));
    check(cuDeviceGet(&device, 0));
    check(cuDevicePrimaryCtxRetain(&context, device));
    check(cuCtxSetCurrent(context));
    check(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    segment(argv[1], argv[2], stream);
    check(cuStreamDestroy(stream));
    check(cuDevicePrimaryCtxRelease(device));
  } catch (const maskrt::Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
