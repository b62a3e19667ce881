#include "harness/subject/shared_object.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

#include "harness/op/program.h"
#include "harness/subject/code_range.h"
#include "harness/subject/elf_scan.h"
#include "harness/subject/mallocx.h"
#include "harness/subject/mimalloc_visit.h"
#include "harness/subject/probe.h"
#include "harness/subject/quiet_child.h"
#include "harness/subject/system_calls.h"

namespace assay {
namespace {

constexpr unsigned kLoadSeconds = 10;
constexpr const char* kTunables = "GLIBC_TUNABLES";
constexpr std::string_view kMimallocPrefix = "mi_";
constexpr const char* kStaticTls = "glibc.rtld.optional_static_tls";

// malloc_trim has no room for a context, so each opened library gets a wrapper of its own.
constexpr size_t kTrimmers = 16;
std::array<int (*)(size_t), kTrimmers> trim_functions{};

template <size_t kIndex>
void collect_by_trim(bool) {
  const int saved_errno = errno;
  trim_functions[kIndex](0);
  errno = saved_errno;
}

template <size_t... kIndices>
constexpr std::array<void (*)(bool), kTrimmers> make_trimmers(std::index_sequence<kIndices...>) {
  return {collect_by_trim<kIndices>...};
}
constexpr auto kCollectByTrim = make_trimmers(std::make_index_sequence<kTrimmers>());

// Loads the file in a child first: constructors of a broken allocator may crash or never return.
void require_loadable(const std::string& path, const std::string& file) {
  int ends[2];
  if (pipe(ends) != 0) throw InputError{path + ": " + std::strerror(errno)};
  // Standard output is for results: who writes there would be read as one.
  const int printed = memfd_create("assay-load", MFD_CLOEXEC);
  const pid_t child = fork();
  if (child == 0) {
    become_quiet_child(kLoadSeconds);
    close(ends[0]);
    if (printed >= 0) dup2(printed, STDOUT_FILENO);
    if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
      const char* reason = dlerror();
      (void)!write(ends[1], reason, std::strlen(reason));
      _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string reason;
  std::array<char, 512> part{};
  for (ssize_t got; (got = read(ends[0], part.data(), part.size())) > 0;)
    reason.append(part.data(), static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool has_printed = printed >= 0 && lseek(printed, 0, SEEK_END) > 0;
  if (printed >= 0) close(printed);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) throw InputError{path + ": does not finish loading"};
  if (WIFSIGNALED(status)) {
    throw InputError{path + ": dies while it is loaded (" + strsignal(WTERMSIG(status)) + ")"};
  }
  if (!reason.empty()) throw InputError{path + ": cannot be loaded: " + reason.substr(0, reason.find('\n'))};
  if (WEXITSTATUS(status) != 0) throw InputError{path + ": ends the process while it is loaded"};
  if (has_printed) throw InputError{path + ": prints to standard output while it is loaded"};
}

std::string real_file(const std::string& path) {
  std::array<char, PATH_MAX> resolved{};
  return realpath(path.c_str(), resolved.data()) == nullptr ? path : resolved.data();
}

class SharedObject final : public Subject {
 public:
  SharedObject(const std::string& name, const std::string& path, std::string prefix) : prefix_(std::move(prefix)) {
    const std::string file = real_file(path);
    require_shared_object(path);
    require_loadable(path, file);
    library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) throw InputError{path + ": cannot be loaded"};
    name_ = name;
    path_ = file;
    version_ = file.substr(file.rfind('/') + 1);
    if (prefix_ == kMallocx) {
      if (!use_mallocx(library_, api_)) throw InputError{path + ": has no mallocx and its kin"};
      code_ = code_range_of(dlsym(library_, "mallocx"));
    } else {
      find_functions(path);
    }
    promises_ = probe_promises(api_);
    promises_.serves_the_process = is_this_file(dlsym(RTLD_DEFAULT, "malloc"));
    instruments_.watch_os = watch_system_calls;
  }
  // Never unloaded: threads, exit handlers and TLS destructors of an allocator outlive any handle.
  ~SharedObject() override = default;

  bool owns_code(const void* pc) const override { return code_.contains(pc); }

 private:
  void find_functions(const std::string& path) {
#define ASSAY_FUNCTION(id, name, Result, parameters) find(api_.name, {#name});
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
#define ASSAY_HEAP_FUNCTION(id, name, Result, parameters) find(api_.name, {#name});
#include "harness/subject/heap_functions.def"
#undef ASSAY_HEAP_FUNCTION
    if (api_.malloc == nullptr) throw InputError{path + ": has no function " + prefix_ + "malloc"};
    if (api_.free == nullptr) throw InputError{path + ": has no function " + prefix_ + "free"};
    api_.usable_size = nullptr;
    find(api_.usable_size, {"malloc_usable_size", "usable_size", "malloc_size"});
    if (api_.collect == nullptr) collect_by_malloc_trim();
    if (prefix_ == kMimallocPrefix) use_mimalloc_visit(library_, heap_kit_);
    code_ = code_range_of(reinterpret_cast<const void*>(api_.malloc));
  }

  void collect_by_malloc_trim() {
    static size_t used = 0;
    int (*trim)(size_t) = nullptr;
    find(trim, {"malloc_trim"});
    if (trim == nullptr || used == kTrimmers) return;
    trim_functions[used] = trim;
    api_.collect = kCollectByTrim[used++];
  }

  bool is_this_file(const void* function) const {
    Dl_info owner;
    return function != nullptr && dladdr(function, &owner) != 0 && real_file(owner.dli_fname) == path_;
  }

  // The first of `symbols` that this very file defines: dlsym would also find one of a library that it depends on.
  template <typename Function>
  void find(Function*& function, std::initializer_list<std::string_view> symbols) const {
    for (const std::string_view symbol : symbols) {
      void* found = dlsym(library_, (prefix_ + std::string(symbol)).c_str());
      if (!is_this_file(found)) continue;
      function = reinterpret_cast<Function*>(found);
      return;
    }
  }

  std::string prefix_;
  void* library_ = nullptr;
  CodeRange code_;
};

}  // namespace

std::unique_ptr<Subject> open_shared_object(const std::string& name, const std::string& path,
                                            const std::string& prefix) {
  return std::make_unique<SharedObject>(name, path, prefix);
}

void ensure_static_tls(char** argv) {
  const char* present = getenv(kTunables);
  if (present != nullptr && std::strstr(present, kStaticTls) != nullptr) return;
  const std::string tunables =
      (present == nullptr || *present == '\0' ? std::string() : std::string(present) + ":") + kStaticTls + "=16384";
  setenv(kTunables, tunables.c_str(), 1);
  execv("/proc/self/exe", argv);
}

}  // namespace assay
