// A system that refuses memory for generated code, as services with MemoryDenyWriteExecute=yes meet it.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>

#include "maskrt/maskrt.hpp"
#include "support/demo_conversion.h"
#include "support/files.h"
#include "support/forked.h"

namespace maskrt {
namespace {

using namespace testing;

const std::filesystem::path demo = MASKRT_DEMO;

/// From now on this process cannot make memory executable that it could write. False where the kernel has no such
/// means.
bool refuse_executable_memory() {
  std::array<sock_filter, 6> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_CASE("where executable memory is refused the sentence says so", "[memory]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = convert_demo(folder.path());
  const int threads = GENERATE(1, 2);
  const std::string told =
      Forked([&]() -> std::string {
        if (!refuse_executable_memory()) return "no seccomp";
        ModelOptions cpu;
        cpu.device = "cpu";
        const Model model = Model::load(file.string(), cpu);
        SessionOptions settings;
        settings.threads = threads;
        Session session(model, settings);
        return std::to_string(session.run(Image::from_file((demo / "showcase" / "3.jpg").string())).size());
      }).wait();
  if (told == "no seccomp") {
    WARN("this system has no seccomp filters: not tested");
    return;
  }
  CHECK_THAT(told, Catch::Matchers::Contains("expected executable memory for the code that oneDNN generates, found "
                                             "that the system refuses it"));
}

}  // namespace
}  // namespace maskrt
