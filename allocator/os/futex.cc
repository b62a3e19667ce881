// How a Lock sleeps. The pointers have constant initialisers: the first lock may be taken before any constructor ran.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allocator/base/lock.h"
#include "allocator/base/patience.h"
#include "allocator/os/errno_keeper.h"

namespace xi {

namespace {

void sleep_on(const void* word, uint32_t value) {
  os::ErrnoKeeper keeper;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void wake_one(const void* word) {
  os::ErrnoKeeper keeper;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void yield() {
  os::ErrnoKeeper keeper;
  syscall(SYS_sched_yield);
}

}  // namespace

constinit void (*lock_sleep)(const void* word, uint32_t value) = &sleep_on;
constinit void (*lock_wake)(const void* word) = &wake_one;
constinit void (*lock_yield)() = &yield;

}  // namespace xi
