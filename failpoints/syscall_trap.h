// System calls of this process, caught by the kernel whoever makes them: a library through the C library, the C library
// for itself, code with a syscall instruction of its own. A seccomp filter turns each into SIGSYS, whose handler asks a
// hook and makes the call, or answers in its place.
//
// Seen: mmap, munmap, mprotect, madvise, process_madvise, mremap, brk, getrandom. Not seen: threads that were there
// before, file operations, pthread_key_create and pthread_create, which make no such call of their own. No other
// program can be started: the filter would kill it.
#pragma once

#include <cstdint>

#include "failpoints/plan.h"

namespace assay {

// One that is about to be made.
struct TrappedCall {
  SystemCall call = SystemCall::kMmap;
  uintptr_t address = 0;    // 0 where the kernel chooses
  uint64_t size = 0;        // bytes that the call is about
  bool access = false;      // of mmap and mprotect: readable and writable afterwards
  bool takes_away = false;  // what the range holds is lost, or out of reach, afterwards
};

// Null: the call happens. Runs in a signal handler, in the middle of whatever the thread was doing: no memory, no
// locks.
using TrapHook = const Failure* (*)(const TrappedCall& call);

// For the rest of this process's life, and of those that it forks; a later call only changes the hook (null: everything
// happens). False, with `why`, where the kernel does not permit it,
// and under ThreadSanitizer.
bool trap_system_calls(TrapHook hook, const char*& why);

}  // namespace assay
