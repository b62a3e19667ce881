#include "allocator/heap/subprocess.h"

#include "allocator/heap/heap_pool.h"
#include "allocator/heap/ownership.h"

namespace xi {

namespace {
// By index; what is not in use is null, and the first, for the main one, always is.
struct Subprocesses {
  Atomic<Heap*> lists[kMaxSubprocesses];
};
constinit Subprocesses subprocesses;
}  // namespace

Heap* new_subprocess() {
  for (size_t index = 1; index < kMaxSubprocesses; ++index) {
    if (subprocesses.lists[index].load(kRelaxed) != nullptr) continue;
    Heap* const list = take_orphans(static_cast<uint8_t>(index));
    if (list == nullptr) return nullptr;
    Heap* expected = nullptr;
    if (subprocesses.lists[index].compare_exchange(expected, list, kAcqRel)) return list;
    give_heap(list);
  }
  return nullptr;
}

bool is_subprocess(const Heap* list) {
  if (list == &main_orphans) return true;
  for (const Atomic<Heap*>& each : subprocesses.lists) {
    if (list != nullptr && each.load(kAcquire) == list) return true;
  }
  return false;
}

bool end_subprocess(Heap* list) {
  if (list == &main_orphans || !merge_heaps_into_main(list->subprocess)) return false;
  while (Page* const page = take_first_page(list)) give_to_main(page);
  subprocesses.lists[list->subprocess].store(nullptr, kRelease);
  give_heap(list);
  return true;
}

Heap* orphans_of(uint8_t subprocess) {
  return subprocess == 0 ? &main_orphans : subprocesses.lists[subprocess].load(kAcquire);
}

void reset_subprocesses() {
  for (Atomic<Heap*>& list : subprocesses.lists) {
    if (list.load(kRelaxed) != nullptr) list.store(nullptr, kRelaxed);
  }
}

}  // namespace xi
