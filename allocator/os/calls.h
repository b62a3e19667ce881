// The system calls that memory.cc is made of, one function each: 0 or an errno value. In the test flavours the seam
// (os/seam.h) stands in their place; in all others they are the calls themselves.
#pragma once

#include <cstddef>

#include "allocator/os/memory.h"
#if !defined(XIMALLOC_TEST_SEAMS)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace xi::os {

enum class Protection { kNone, kReadWrite };

#if defined(XIMALLOC_TEST_SEAMS)

// The place in os/ that makes a call, for a tester that counts which have failed: one line of one function.
struct CallSite {
  const char* file;  // without folders
  const char* function;
  unsigned line;

  static constexpr CallSite here(const char* file = __builtin_FILE_NAME(), const char* function = __builtin_FUNCTION(),
                                 unsigned line = __builtin_LINE()) {
    return {file, function, line};
  }
};

// New private memory of zeros at a multiple of 4 KiB, at `hint` if that is free. `wanted` is the alignment that the
// caller would like; a seam that can be as kind as a kernel seldom is saves the tester five calls for each mapping.
int call_mmap(void* hint, size_t size, size_t wanted, Protection access, Purpose purpose, void** out,
              CallSite site = CallSite::here());
int call_munmap(void* address, size_t size, CallSite site = CallSite::here());
int call_mprotect(void* address, size_t size, Protection access, CallSite site = CallSite::here());
// Memory of zeros in huge pages in the place of a part of a mapping.
int call_mmap_huge(void* address, size_t size, unsigned page_shift, CallSite site = CallSite::here());
// Of no consequence for what the memory holds, and not told to the tester.
inline void call_mbind(void*, size_t, uint64_t) {}
// MADV_DONTNEED: what is accessible there reads as zeros afterwards.
int call_madvise(void* address, size_t size, CallSite site = CallSite::here());
// The same for several ranges at a time: how many of them, from the first on, have gone.
size_t call_process_madvise(const Range* ranges, size_t count, CallSite site = CallSite::here());

#else

struct CallSite {
  static constexpr CallSite here() { return {}; }
};

inline int call_mmap(void* hint, size_t size, size_t, Protection access, Purpose, void** out, CallSite = {}) {
  const int protection = access == Protection::kNone ? PROT_NONE : PROT_READ | PROT_WRITE;
  void* const address = mmap(hint, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return errno;
  *out = address;
  return 0;
}
inline int call_munmap(void* address, size_t size, CallSite = {}) {
  return munmap(address, size) == 0 ? 0 : errno;
}
inline int call_mprotect(void* address, size_t size, Protection access, CallSite = {}) {
  return mprotect(address, size, access == Protection::kNone ? PROT_NONE : PROT_READ | PROT_WRITE) == 0 ? 0 : errno;
}
inline int call_mmap_huge(void* address, size_t size, unsigned page_shift, CallSite = {}) {
  const int flags =
      MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | static_cast<int>(page_shift << MAP_HUGE_SHIFT);
  return mmap(address, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? errno : 0;
}
inline void call_mbind(void* address, size_t size, uint64_t nodes) {
  constexpr int kPreferred = 1;  // MPOL_PREFERRED
  syscall(SYS_mbind, address, size, kPreferred, &nodes, 8 * sizeof nodes, 0);
}
inline int call_madvise(void* address, size_t size, CallSite = {}) {
  return madvise(address, size, MADV_DONTNEED) == 0 ? 0 : errno;
}
// Takes MADV_DONTNEED, of the calling process only, since Linux 6.13, and its name for that process since 6.14; a
// descriptor instead of the name would be the parent's in a child. Others answer EBADF or ENOSYS, and every call again:
// a purge is rare.
inline size_t call_process_madvise(const Range* ranges, size_t count, CallSite = {}) {
  constexpr int kThisProcess = -10001;  // PIDFD_SELF_THREAD_GROUP
  iovec parts[kMaxRanges];
  for (size_t i = 0; i < count; ++i) parts[i] = {reinterpret_cast<void*>(ranges[i].start), ranges[i].size};
  const long advised = syscall(SYS_process_madvise, kThisProcess, parts, count, MADV_DONTNEED, 0);
  size_t done = 0;
  for (long left = advised; done < count && left >= static_cast<long>(ranges[done].size); ++done) {
    left -= static_cast<long>(ranges[done].size);
  }
  return done;
}

#endif

}  // namespace xi::os
