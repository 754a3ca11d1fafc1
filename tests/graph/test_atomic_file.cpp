// Files that are written: what they keep of those that they replace, what is left when the writing stops, and which
// files a command must not write.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <string>
#include <thread>

#include "graph/atomic_file.h"
#include "graph/file_roles.h"
#include "graph/safetensors.h"
#include "graph/temporary_files.h"
#include "support/files.h"

namespace maskrt::graph {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

void write(const fs::path& path, const std::string& text) { write_file(path, bytes_of(text)); }

unsigned mode_of(const fs::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

/// Runs `work` in a child process, which a signal may end; gives its status as waitpid() does.
template <typename Work>
int in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("A file keeps its mode, owner and links") {
  const TemporaryFolder folder;
  const auto path = write_text(folder / "file", "old");
  SECTION("mode, whatever the umask") {
    for (const mode_t mode : {0600, 0640, 0666, 0755}) {
      ::chmod(path.c_str(), mode);
      write(path, "new");
      CHECK(mode_of(path) == mode);
      CHECK(read_text(path) == "new");
    }
  }
  SECTION("owner, which root alone may give away") {
    if (::chown(path.c_str(), 12345, 23456) == 0) {
      write(path, "new");
      struct stat status = {};
      REQUIRE(::stat(path.c_str(), &status) == 0);
      CHECK(status.st_uid == 12345);
      CHECK(status.st_gid == 23456);
    }
  }
  SECTION("a symbolic link, to a file and to none") {
    fs::create_directory(folder / "there");
    fs::create_symlink("there/made", folder / "first");
    fs::create_symlink("first", folder / "second");
    for (const char* text : {"made", "made again"}) {
      write(folder / "second", text);
      CHECK(fs::is_symlink(folder / "first"));
      CHECK(fs::is_symlink(folder / "second"));
      CHECK(read_text(folder / "there/made") == text);
    }
    CHECK(files_in(folder / "there") == std::set<std::string>{"made"});
    fs::create_symlink("round", folder / "round");
    CHECK_THROWS_WITH(write(folder / "round", "x"), Contains("symbolic links"));
    CHECK(fs::is_symlink(folder / "round"));
  }
  SECTION("further hard links") {
    fs::create_hard_link(path, folder / "other");
    write(path, "new and longer");
    CHECK(read_text(folder / "other") == "new and longer");
    write(path, "n");
    CHECK(read_text(folder / "other") == "n");
    CHECK(files_in(folder.path()) == std::set<std::string>{"file", "other"});
  }
  SECTION("a new file has the umask's mode") {
    const mode_t old = ::umask(027);
    write(folder / "made", "x");
    ::umask(old);
    CHECK(mode_of(folder / "made") == 0640);
  }
}

TEST_CASE("A name may be as long as the file system allows") {
  const TemporaryFolder folder;
  const auto path = folder / std::string(255, 'n');
  write(path, "x");
  CHECK(read_text(path) == "x");
  CHECK_THROWS_WITH(write(folder / std::string(256, 'n'), "x"), Contains("name too long"));
  CHECK(fs::exists(path));
}

TEST_CASE("A file in a folder that takes no new one is written in place; one that may not be written is not") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "locked");
  const auto path = write_text(folder / "locked/file", "old"), closed = write_text(folder / "locked/closed", "old");
  ::chmod(closed.c_str(), 0400);
  ::chmod((folder / "locked").c_str(), 0500);
  const uid_t user = ::geteuid() == 0 ? 65534 : ::geteuid();  // nothing is locked for root
  for (const fs::path& owned : {folder.path(), folder / "locked", path, closed})
    if (::chown(owned.c_str(), user, static_cast<gid_t>(-1)) != 0) return;  // root of a container without other users
  const int status = in_child([&] {
    if (::setuid(user) != 0) ::_exit(1);
    write(path, "new");
    try {
      write(closed, "new");
    } catch (const WriteError& error) {
      ::_exit(error.reason() == EACCES ? 7 : 8);
    }
  });
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(read_text(path) == "new");
  CHECK(read_text(closed) == "old");
  CHECK(files_in(folder / "locked") == std::set<std::string>{"closed", "file"});
  ::chmod((folder / "locked").c_str(), 0700);
}

TEST_CASE("Pipes and open descriptors are written through") {
  const TemporaryFolder folder;
  SECTION("a FIFO") {
    const auto path = folder / "fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    std::string got;
    std::thread reader([&] { got = read_text(path); });
    write(path, "through");
    reader.join();
    CHECK(got == "through");
    CHECK(fs::is_fifo(path));
  }
  SECTION("a descriptor, from where it stands") {
    const auto path = write_text(folder / "file", "before ");
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND);
    write("/dev/fd/" + std::to_string(file), "after");
    ::close(file);
    CHECK(read_text(path) == "before after");
    CHECK_THROWS_WITH(write("/dev/fd/" + std::to_string(file), "x"), Contains("Bad file descriptor"));
  }
  SECTION("what a stream cannot take is an error with its reason") {
    try {
      write("/dev/full", "x");
      FAIL("it was written");
    } catch (const WriteError& error) {
      CHECK(error.reason() == ENOSPC);
      CHECK_THAT(error.what(), Contains("/dev/full: No space left on device"));
    }
  }
}

TEST_CASE("What was written can be taken back before the file is complete") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "file");
  file.write(bytes_of("one two three"));
  CHECK(file.size() == 13);
  file.cut(3);
  file.write(bytes_of("!"));
  CHECK(file.size() == 4);
  CHECK(files_in(folder.path()).size() == 1);
  CHECK_FALSE(fs::exists(folder / "file"));
  file.commit();
  CHECK(read_text(folder / "file") == "one!");
  CHECK(files_in(folder.path()) == std::set<std::string>{"file"});
}

TEST_CASE("A disk that is full leaves what was there, also in a file that is written in place") {
  const TemporaryFolder folder;
  const auto path = write_text(folder / "file", "old");
  const bool linked = GENERATE(false, true);
  if (linked) fs::create_hard_link(path, folder / "other");
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write(path, std::string(10000, 'x'));
    } catch (const WriteError& error) {
      ::_exit(error.reason() == EFBIG ? 7 : 8);
    }
  });
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(read_text(path) == "old");
  CHECK(files_in(folder.path()).size() == (linked ? 2 : 1));
}

TEST_CASE("A signal that ends the process takes temporary files with it") {
  const TemporaryFolder folder;
  write_text(folder / "kept", "old");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = in_child([&] {
      std::signal(signal, SIG_DFL);  // whatever the tests were started to ignore
      on_end_signals();
      AtomicFile first(folder / "kept"), second(folder / "new");
      { const AtomicFile gone(folder / "gone"); }
      AtomicFile third(folder / "third");
      third.write(bytes_of("x"));
      if (files_in(folder.path()).size() != 4) ::_exit(1);
      std::raise(signal);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK(files_in(folder.path()) == std::set<std::string>{"kept"});
    CHECK(read_text(folder / "kept") == "old");
  }
  // What whoever started the process has it ignore stays ignored.
  const int status = in_child([] {
    std::signal(SIGHUP, SIG_IGN);
    on_end_signals();
    std::raise(SIGHUP);
  });
  CHECK(WIFEXITED(status));
}

TEST_CASE("A process with closed standard streams prints into none of its files") {
  const TemporaryFolder folder;
  const int status = in_child([&] {
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    expect_write_errors();
    AtomicFile file(folder / "file");
    const bool refused = ::write(STDOUT_FILENO, "x", 1) < 0 && ::write(STDERR_FILENO, "x", 1) < 0;
    file.commit();
    ::_exit(refused ? 0 : 1);
  });
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read_text(folder / "file").empty());
}

TEST_CASE("No output is an input or another output, whatever leads to it") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "in");
  const auto input = write_text(folder / "in/x.png", "x");
  fs::create_symlink("in/x.png", folder / "soft");
  fs::create_symlink("in", folder / "folder");
  fs::create_hard_link(input, folder / "hard");
  const auto refusal = [&](const fs::path& output, const fs::path& other = {}) -> std::string {
    FileRoles roles;
    roles.input(input);
    roles.input("");
    roles.input(folder / "missing");
    roles.output(other);
    roles.output(output);
    try {
      roles.check();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK(refusal(input) == "expected an output file that is none of the inputs, found " + input.string());
  for (const char* name : {"soft", "hard", "folder/x.png", "in/../in/x.png", "./hard", "missing", "in/../missing"}) {
    INFO(name);
    CHECK_THAT(refusal(folder / name), Contains("none of the inputs") && Contains(name));
  }
  CHECK(refusal(fs::proximate(input)).find("none of the inputs") != std::string::npos);

  CHECK_THAT(refusal(folder / "in"), Contains("Is a directory"));
  CHECK(refusal(folder / "new", folder / "other").empty());
  CHECK_THAT(refusal(folder / "new", folder / "new"), Contains("different files") && Contains("twice"));
  CHECK_THAT(refusal(folder / "in/new", folder / "folder/new"), Contains("different files"));
  CHECK_THAT(refusal(folder / "made/new", folder / "made/../made/new"), Contains("different files"));
  fs::create_symlink("in/dangling", folder / "dangling");
  CHECK_THAT(refusal(folder / "dangling", folder / "in/dangling"), Contains("different files"));
  CHECK(refusal("/dev/null", "/dev/null").empty());

  SECTION("names that are not known yet") {
    const auto check = [&](const fs::path& into, const fs::path& output = {}) {
      FileRoles roles;
      roles.input(input);
      roles.output(output);
      roles.outputs(into, [](const std::string& name) { return name == "x.png" || name == "y.png"; });
      roles.check();
    };
    CHECK_THROWS_WITH(check(folder / "folder"), Contains("none of the inputs"));
    CHECK_NOTHROW(check(folder.path()));
    CHECK_NOTHROW(check(folder / "none"));
    CHECK_THROWS_WITH(check(folder.path(), folder / "in/../y.png"), Contains("different files"));
    fs::create_hard_link(input, folder / "y.png");
    CHECK_THROWS_WITH(check(folder.path()), Contains("y.png, which is"));
  }
}

}  // namespace maskrt::graph
