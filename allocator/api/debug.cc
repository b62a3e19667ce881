// The tester's interface of the test flavours.
#if defined(XIMALLOC_TEST_SEAMS)

#include "allocator/api/request.h"
#include "allocator/arena/arena_set.h"
#include "allocator/check/check.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/include/ximalloc_debug.h"
#include "allocator/os/clock.h"
#include "allocator/os/seam.h"
#include "allocator/os/thread_key.h"
#include "allocator/process/process.h"

// The ends of the section that base/section.h puts the allocator's code into; the linker defines them.
extern "C" const char __start_xi_text[];
extern "C" const char __stop_xi_text[];

namespace {

struct Hook {
  xi_os_before_t before = nullptr;
  xi_os_after_t after = nullptr;
  void* context = nullptr;
};
constinit Hook hook;

static_assert(static_cast<int>(xi::os::Call::kMmap) == XI_OS_MMAP);
static_assert(static_cast<int>(xi::os::Call::kMadvise) == XI_OS_MADVISE);
static_assert(xi::os::kUnaligned == XI_OS_UNALIGNED && xi::os::kHigh == XI_OS_HIGH && xi::os::kDirty == XI_OS_DIRTY);
static_assert(static_cast<int>(xi::os::Call::kGetrandom) == XI_OS_GETRANDOM);
static_assert(static_cast<int>(xi::Access::kUpdate) == XI_ACCESS_UPDATE);
static_assert(static_cast<int>(xi::Access::kSystemCall) == XI_ACCESS_SYSTEM_CALL);
static_assert(static_cast<int>(xi::Access::kYield) == XI_ACCESS_YIELD);

xi_os_call_t to_public(const xi::os::SeamCall& call) {
  return {.kind = static_cast<xi_os_kind_t>(call.kind),
          .address = call.address,
          .size = call.size,
          .alignment = call.alignment,
          .access = call.access == xi::os::Protection::kReadWrite,
          .metadata = call.purpose == xi::os::Purpose::kMetadata,
          .known = call.known,
          .file = call.site.file,
          .function = call.site.function,
          .line = call.site.line};
}

int ask_hook(const xi::os::SeamCall& call) {
  const xi_os_call_t seen = to_public(call);
  return hook.before(hook.context, &seen);
}

void tell_hook(const xi::os::SeamCall& call, void* address) {
  const xi_os_call_t seen = to_public(call);
  hook.after(hook.context, &seen, address);
}

}  // namespace

void xi_debug_reset() {
  xi::reset_process();
  xi::set_error_function(nullptr, nullptr);
}
void xi_debug_end_thread() {
  // A thread of whose end nobody would be told takes its state with it.
  if (xi::os::disarm_thread_exit()) xi::end_thread();
  xi::thread_state = xi::ThreadState{};
}
void xi_debug_advance_clock(uint64_t ms) {
  xi::os::advance_clock(ms);
}

bool xi_debug_check(void (*report)(void* context, const char* what), void* context) {
#if defined(XIMALLOC_SCHED_HOOKS)
  // Its thousands of accesses are no part of any schedule: a scheduler need not even refuse them one by one.
  const xi::SchedHooks* const hooks = xi_sched_hooks;
  xi_sched_hooks = nullptr;
  const bool right = xi::check_all({report, context});
  xi_sched_hooks = hooks;
  return right;
#else
  return xi::check_all({report, context});
#endif
}

bool xi_debug_owns_code(const void* pc) {
  return pc >= static_cast<const void*>(__start_xi_text) && pc < static_cast<const void*>(__stop_xi_text);
}

bool xi_debug_is_committed(const void* block, size_t size) {
  return xi::os::seam_is_committed(reinterpret_cast<uintptr_t>(block), size);
}

void xi_debug_footprint(uint64_t* mapped_bytes, uint64_t* committed_bytes) {
  const xi::os::SeamFootprint now = xi::os::seam_footprint();
  *mapped_bytes = now.mapped_bytes;
  *committed_bytes = now.committed_bytes;
}

uint64_t xi_debug_idle_address_space() {
  uint64_t idle_bytes = 0;
  for (size_t i = 0; const xi::Arena* const arena = xi::arena_at(i); ++i) {
    const bool idle = !arena->managed && arena->free.all_set(0, arena->slice_count);
    if (idle) idle_bytes += arena->slice_count << xi::kSliceShift;
  }
  return idle_bytes;
}

uint64_t xi_debug_longest_free_run(xi_arena_id_t id) {
  const auto* const arena = reinterpret_cast<const xi::Arena*>(id);
  uint64_t longest = 0, run = 0;
  for (size_t slice = 0; slice < arena->slice_count; ++slice) {
    run = arena->free.all_set(slice, 1) ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest << xi::kSliceShift;
}

#if defined(XIMALLOC_SCHED_HOOKS)
bool xi_debug_set_sched_hooks(const xi_sched_hooks_t* hooks) {
  static constinit xi::SchedHooks installed = {};
  if (hooks != nullptr) installed = {hooks->before, hooks->after};
  xi_sched_hooks = hooks != nullptr ? &installed : nullptr;
  return true;
}
#else
bool xi_debug_set_sched_hooks(const xi_sched_hooks_t*) {
  return false;
}
#endif

bool xi_debug_addresses_are_fixed() {
  return xi::os::seam_addresses_are_fixed();
}

void* xi_debug_map_for_program(size_t size, bool access) {
  void* start = nullptr;
  return xi::os::seam_map_for_program(size, access, &start) == 0 ? start : nullptr;
}

void xi_debug_set_os_hook(xi_os_before_t before, xi_os_after_t after, void* context) {
  hook = {before, after, context};
  xi::os::set_seam_hook({before != nullptr ? &ask_hook : nullptr, after != nullptr ? &tell_hook : nullptr});
}

#endif
