// Prints what a model sees in a picture: segment MODEL IMAGE
#include <cstdio>
#include <maskrt/maskrt.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: segment MODEL IMAGE\n"), 2;
  try {
    maskrt::Session session(maskrt::Model::load(argv[1]));
    for (const maskrt::Instance& instance : session.run(maskrt::Image::from_file(argv[2]))) {
      if (instance.score < 0.4f) continue;
      const maskrt::Box& box = instance.box;
      std::printf("%-10s %.2f  %gx%g at (%g, %g), %lld pixels\n", instance.label.c_str(), instance.score, box.width,
                  box.height, box.x, box.y, static_cast<long long>(instance.mask.area()));
    }
  } catch (const maskrt::Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
