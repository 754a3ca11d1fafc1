// Feeds every file of the folders that it is given to a fuzz target, each within a time and the program within a memory
// that a reader of time and memory linear in the file stays far below.
//
//   replay_TARGET [--seconds N] FOLDER|FILE...
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/sanitized.h"
#include "target.h"

namespace {

namespace fs = std::filesystem;

/// Of one file of up to 1 MB. Sanitizers and builds without optimisation take several times as long.
constexpr double kSecondsAllowed = maskrt::testing::kSanitized || !maskrt::testing::kOptimized ? 20 : 2;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// For files that would never end: the limit of the process, counted in whole seconds from its start.
void limit_processor_time(double seconds) {
  const auto end = static_cast<rlim_t>(processor_seconds() + seconds + 2);
  const rlimit limit{end, end + 1};
  ::setrlimit(RLIMIT_CPU, &limit);
}

void limit_memory() {
  if (maskrt::testing::kSanitized) return;  // their shadows map terabytes
  constexpr rlim_t most = rlim_t{4} << 30;
  const rlimit limit{most, most};
  ::setrlimit(RLIMIT_AS, &limit);
}

void out_of_time(int) {
  constexpr char text[] = "the file above takes more processor time than any of its size may\n";
  if (::write(STDERR_FILENO, text, sizeof text - 1) < 0) ::_exit(3);
  ::_exit(2);
}

std::vector<fs::path> files_of(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const std::string& argument : arguments) {
    if (!fs::is_directory(argument)) {
      files.emplace_back(argument);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argument)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  double allowed = kSecondsAllowed;
  if (arguments.size() > 1 && arguments[0] == "--seconds") {
    allowed = std::stod(arguments[1]);
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  const auto files = files_of(arguments);
  if (files.empty()) {
    std::fprintf(stderr, "expected files to replay, found none\n");
    return 1;
  }
  std::signal(SIGXCPU, out_of_time);
  limit_memory();
  int slow = 0;
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return 1;
    }
    // A block of exactly that size, so that a sanitizer sees what is read behind it.
    std::vector<std::uint8_t> exact(bytes.size());
    std::memcpy(exact.data(), bytes.data(), bytes.size());
    std::printf("%s (%zu bytes): ", path.c_str(), bytes.size());
    std::fflush(stdout);
    limit_processor_time(allowed);
    const double start = processor_seconds();
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    const double seconds = processor_seconds() - start;
    std::printf("%.3f s\n", seconds);
    if (seconds <= allowed) continue;
    std::printf("  expected at most %.0f s of processor time\n", allowed);
    ++slow;
  }
  return slow == 0 ? 0 : 1;
}
