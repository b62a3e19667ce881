#include "allocator/heap/thread_heap.h"

namespace xi {

__thread ThreadState thread_state;

#if defined(XIMALLOC_TEST_SEAMS)

namespace {
struct Registry {
  Lock lock;
  List<ThreadState, &ThreadState::next, &ThreadState::prev> states;
};
constinit Registry registry;
}  // namespace

void register_thread_state() {
  SeamGuard guard(registry.lock);
  registry.states.push_back(&thread_state);
}

void unregister_thread_state() {
  SeamGuard guard(registry.lock);
  registry.states.remove(&thread_state);
}

void reset_thread_states() {
  SeamGuard guard(registry.lock);
  while (ThreadState* const state = registry.states.first()) {
    registry.states.remove(state);
    *state = ThreadState{};
  }
  // The caller is not among them when there was no key to be told of its end by.
  thread_state = ThreadState{};
}

void lock_thread_states() {
  registry.lock.lock();
}
void unlock_thread_states() {
  registry.lock.unlock();
}

void forget_other_thread_states() {
  registry.states = {};
  if (thread_state.has_heap()) {
    registry.states.push_back(&thread_state);
  }
}

#else

void register_thread_state() {}
void unregister_thread_state() {}
void lock_thread_states() {}
void unlock_thread_states() {}
void forget_other_thread_states() {}

#endif

}  // namespace xi
