#include "harness/subject/libc.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <cerrno>

#include "harness/op/program.h"
#include "harness/subject/code_range.h"
#include "harness/subject/probe.h"
#include "harness/subject/system_calls.h"

namespace assay {
namespace {

int (*libc_malloc_trim)(size_t pad) = nullptr;

void collect_libc(bool) {
  const int saved_errno = errno;
  libc_malloc_trim(0);
  errno = saved_errno;
}

class LibcSubject final : public Subject {
 public:
  LibcSubject() {
    void* library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) throw InputError{"subject 'libc': this process has no libc.so.6 of its own"};
    const auto find = [library](auto& function, const char* symbol) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
      if (function == nullptr) throw InputError{std::string("subject 'libc': libc.so.6 has no ") + symbol};
    };
    find(api_.malloc, "malloc");
    find(api_.calloc, "calloc");
    find(api_.realloc, "realloc");
    find(api_.aligned_alloc, "aligned_alloc");
    find(api_.posix_memalign, "posix_memalign");
    find(api_.free, "free");
    find(api_.memalign, "memalign");
    find(api_.valloc, "valloc");
    find(api_.pvalloc, "pvalloc");
    // These call malloc by its name, which binds to the process's own: a sanitizer's, or what is preloaded.
    if (dlsym(RTLD_DEFAULT, "malloc") == reinterpret_cast<void*>(api_.malloc)) {
      find(api_.reallocarray, "reallocarray");
      find(api_.strdup, "strdup");
      find(api_.strndup, "strndup");
      find(api_.realpath, "realpath");
    }
    find(api_.usable_size, "malloc_usable_size");
    find(libc_malloc_trim, "malloc_trim");
    api_.collect = collect_libc;
    name_ = "libc";
    version_ = std::string("glibc ") + gnu_get_libc_version();
    code_ = code_range_of(reinterpret_cast<const void*>(api_.malloc));
    path_ = code_.file;
    promises_ = probe_promises(api_);
    instruments_.watch_os = watch_system_calls;
  }

  bool owns_code(const void* pc) const override { return code_.contains(pc); }

 private:
  CodeRange code_;
};

}  // namespace

std::unique_ptr<Subject> open_libc() {
  return std::make_unique<LibcSubject>();
}

}  // namespace assay
