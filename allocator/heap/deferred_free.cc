#include "allocator/heap/deferred_free.h"

#include "allocator/base/atomic.h"
#include "allocator/heap/thread_heap.h"

namespace xi {

namespace {
struct Hook {
  Atomic<DeferredFree> function;
  Atomic<void*> argument;
};
constinit Hook hook;
}  // namespace

void set_deferred_free(DeferredFree function, void* argument) {
  hook.function.store(nullptr, kRelease);
  hook.argument.store(argument, kRelease);
  hook.function.store(function, kRelease);
}

void run_deferred_free(Heap* heap, bool force) {
  const DeferredFree function = hook.function.load(kAcquire);
  if (function == nullptr || heap->in_deferred_free) return;
  const OutsideOfHeapCall outside;
  heap->in_deferred_free = true;
  function(force, static_cast<unsigned long long>(heap->slow_paths.get()), hook.argument.load(kAcquire));
  heap->in_deferred_free = false;
}

}  // namespace xi
