// What the scheduler needs of the system, without the C library: nothing here sets errno, is intercepted by a
// sanitizer, or allocates. A thread may be stopped in the middle of an allocator that has just set errno.
#pragma once

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

// Defined by the runtime of -fsanitize=thread: what happens before what, where our hand-offs must not say so.
extern "C" __attribute__((weak)) void __tsan_acquire(void* address);
extern "C" __attribute__((weak)) void __tsan_release(void* address);

namespace assay {

inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

// A word that one thread sleeps on until another sets it.
struct Token {
  uint32_t word = 0;

  void give() {
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    raw_syscall(SYS_futex, reinterpret_cast<long>(&word), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
  }
  void take() {
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0) {
      raw_syscall(SYS_futex, reinterpret_cast<long>(&word), FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
    }
    __atomic_store_n(&word, 0, __ATOMIC_RELAXED);
  }
};

// Zeroed pages, null when there are none.
inline void* map_zeroed(size_t bytes) {
  const long result = raw_syscall(SYS_mmap, 0, static_cast<long>(bytes), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return result < 0 && result > -4096 ? nullptr : reinterpret_cast<void*>(result);
}
// The same, and zeros again in a forked child.
inline void* map_wiped_on_fork(size_t bytes) {
  void* const pages = map_zeroed(bytes);
  if (pages != nullptr) {
    raw_syscall(SYS_madvise, reinterpret_cast<long>(pages), static_cast<long>(bytes), MADV_WIPEONFORK, 0, 0, 0);
  }
  return pages;
}
inline void unmap_zeroed(void* pages, size_t bytes) {
  raw_syscall(SYS_munmap, reinterpret_cast<long>(pages), static_cast<long>(bytes), 0, 0, 0, 0);
}

inline void announce_release(void* address) {
  if (__tsan_release != nullptr) __tsan_release(address);
}
inline void announce_acquire(void* address) {
  if (__tsan_acquire != nullptr) __tsan_acquire(address);
}

}  // namespace assay
