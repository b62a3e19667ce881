/* What ximalloc offers a tester; exists only in the test flavours (ASSAY_TEST_SEAMS). Nothing here is thread-safe
 * against threads that are inside the allocator, unless a function says so. */
#ifndef XIMALLOC_DEBUG_H
#define XIMALLOC_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ximalloc.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* Back to the state of a fresh process: everything unmapped, globals, options, statistics, random and the virtual clock
 * as before the first call; every thread's heap is gone. Memory is then mapped again from the same fixed base, so the
 * same calls return the same addresses. */
XI_EXPORT void xi_debug_reset(void);

/* What the end of the calling thread does, without its end: it is then as a thread that never called. Thread-safe. */
XI_EXPORT void xi_debug_end_thread(void);

/* Milliseconds pass on the allocator's clock, which is virtual in these flavours and starts at 0. */
XI_EXPORT void xi_debug_advance_clock(uint64_t ms);

/* Runs every structure validator; calls `report` for each thing that is wrong. True when nothing was. */
XI_EXPORT bool xi_debug_check(void (*report)(void* context, const char* what), void* context);

/* True when the program counter `pc` lies in ximalloc's own code: callable at any time, also from a signal handler. */
XI_EXPORT bool xi_debug_owns_code(const void* pc);

/* True when every byte of [block, block + size) is memory that the OS layer handed out and has not taken back: mapped
 * or committed, not decommitted or unmapped. Metadata counts too. Thread-safe. */
XI_EXPORT bool xi_debug_is_committed(const void* block, size_t size);

/* Bytes at the seam now: address space for blocks (arenas, mappings of huge blocks), and what of it is committed. The
 * allocator's own metadata is not in it (it is proportional to the address space and never given back), nor memory that
 * the program has mapped itself. */
XI_EXPORT void xi_debug_footprint(uint64_t* mapped_bytes, uint64_t* committed_bytes);

/* Of the mapped bytes, those of arenas in which nothing is in use: address space that waits for the next block. */
XI_EXPORT uint64_t xi_debug_idle_address_space(void);

/* True when memory comes from the fixed base, false when that was taken and the kernel chose another place. May be
 * asked before the first allocation. */
XI_EXPORT bool xi_debug_addresses_are_fixed(void);

/* Memory as a program maps it for itself, for xi_manage_os_memory: `size` bytes at a multiple of 64 KiB, from the
 * region of fixed addresses; with `access` readable and writable, and zero. NULL when there is none. It does not count
 * for xi_debug_footprint, and xi_debug_reset takes it back. */
XI_EXPORT void* xi_debug_map_for_program(size_t size, bool access);

/* Bytes of the longest run of the arena that nobody has: a block that fits into it, its alignment included, must not be
 * refused to a heap of the arena. */
XI_EXPORT uint64_t xi_debug_longest_free_run(xi_arena_id_t arena);

/* System calls, as the seam sees them: each one that would be made. */
typedef enum xi_os_kind {
  XI_OS_MMAP,
  XI_OS_MUNMAP,
  XI_OS_MPROTECT,
  XI_OS_MADVISE, /* MADV_DONTNEED */
  XI_OS_KEY_CREATE,
  XI_OS_GETRANDOM,
  XI_OS_PROCESS_MADVISE /* MADV_DONTNEED of several ranges: each is shown as a call, and after one that fails the rest
                           is not tried */
} xi_os_kind_t;

typedef struct xi_os_call {
  xi_os_kind_t kind;
  void* address; /* NULL where the kernel chooses */
  size_t size;
  size_t alignment; /* of an mmap: what the caller would like; mmap itself promises 4 KiB */
  bool access;      /* of mmap and mprotect: readable and writable, else not accessible */
  bool metadata;    /* of the allocator's own */
  bool known;       /* false when [address, address + size) is no part of one mapping: a fault of the allocator */
  const char* file; /* the place in os/ that makes it, for ever */
  const char* function;
  unsigned line;
} xi_os_call_t;

/* What the seam makes of a call that is about to happen: 0 lets it happen, an errno value makes it fail with that. An
 * mmap may also succeed at an address that is no multiple of more than 4 KiB, or above all addresses that can be
 * touched; a madvise may fail with ENOMEM and leave rubbish in its range. A call that is not `known` fails anyway. */
enum { XI_OS_UNALIGNED = -1, XI_OS_HIGH = -2, XI_OS_DIRTY = -3 };
typedef int (*xi_os_before_t)(void* context, const xi_os_call_t* call);
/* After a call that succeeded; `address` is where. Both may run on any thread that is inside the allocator, and must
 * not call it. The hook stays over xi_debug_reset(), whose own unmapping it is not told of. Beside what the hook
 * refuses, the seam fails with ENOMEM a call that would take all mapped address space above 1 TiB or all committed
 * memory above 4 GiB. */
typedef void (*xi_os_after_t)(void* context, const xi_os_call_t* call, void* address);
XI_EXPORT void xi_debug_set_os_hook(xi_os_before_t before, xi_os_after_t after, void* context);

/* What a thread is about to do to memory that threads share. */
typedef enum xi_access_kind {
  XI_ACCESS_LOAD,
  XI_ACCESS_STORE,
  XI_ACCESS_EXCHANGE,
  XI_ACCESS_COMPARE_EXCHANGE,
  XI_ACCESS_COMPARE_EXCHANGE_WEAK,
  XI_ACCESS_UPDATE,
  XI_ACCESS_LOCK,        /* takes a lock, whose 32-bit word is zero while it is free */
  XI_ACCESS_SYSTEM_CALL, /* no access: a call to the operating system follows; its order is release when it gives
                            memory back, acquire when it asks for some */
  XI_ACCESS_YIELD        /* no access: the thread looks again when another one has changed something */
} xi_access_kind_t;

/* A scheduler's hooks. `before` runs before each access, and returns when the thread may make it; `order` is a
 * memory_order of C. When it returns true, an XI_ACCESS_COMPARE_EXCHANGE_WEAK fails. Where it was XI_ACCESS_LOCK it
 * returns when the lock is free. `after` runs right after each access (not after a call to the system or a yield):
 * `wrote` is whether it has stored `now` (an exchange may have failed), `before` is what it read, and a load returns
 * what `after` returns. Values are the low bytes. Neither may call the allocator. */
typedef struct xi_sched_hooks {
  bool (*before)(const void* address, size_t size, int kind, int order);
  uint64_t (*after)(bool wrote, uint64_t before, uint64_t now);
} xi_sched_hooks_t;

/* Sets the hooks, which the caller keeps alive; NULL: none. While there are any, at most one thread runs. False where
 * they are not compiled in: in all flavours but sched, sched-tsan and fuzz-sched. */
XI_EXPORT bool xi_debug_set_sched_hooks(const xi_sched_hooks_t* hooks);

#if defined(__cplusplus)
}
#endif
#endif /* XIMALLOC_DEBUG_H */
