// Heaps that a program makes, and every function of the malloc family for a heap of its choice.
#include <cerrno>

#include "allocator/api/request.h"
#include "allocator/arena/arena_set.h"
#include "allocator/arena/program_arena.h"
#include "allocator/base/start.h"
#include "allocator/heap/collect.h"
#include "allocator/heap/first_class.h"
#include "allocator/heap/heap_pool.h"
#include "allocator/heap/subprocess.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/heap/tick.h"
#include "allocator/heap/visit.h"
#include "allocator/heap/watch.h"
#include "allocator/include/ximalloc.h"
#include "allocator/page_map/page_map.h"
#include "allocator/process/process.h"

namespace {

xi::Heap* insides(xi_heap_t* heap) {
  return reinterpret_cast<xi::Heap*>(heap);
}
const xi::Heap* insides(const xi_heap_t* heap) {
  return reinterpret_cast<const xi::Heap*>(heap);
}
xi_heap_t* outside(xi::Heap* heap) {
  return reinterpret_cast<xi_heap_t*>(heap);
}

// Why the calling thread may not do that with the heap, or 0.
int refusal(const xi_heap_t* heap, bool (*may)(const xi::Heap*)) {
  if (heap == nullptr) return EINVAL;
  return may(insides(heap)) ? 0 : EPERM;
}

// A call that allocates from `heap`.
template <class Call>
auto from(xi_heap_t* heap, Call call) -> decltype(call()) {
  if (const int error = refusal(heap, &xi::is_usable)) {
    return static_cast<decltype(call())>(xi::fail(error));
  }
  const xi::HeapCall scope(insides(heap));
  return call();
}

void end(xi_heap_t* heap, void (*how)(xi::Heap*)) {
  if (const int error = refusal(heap, &xi::may_end)) {
    xi::fail(error);
  } else {
    how(insides(heap));
  }
}

// The calling thread's state once it has a heap.
bool has_heap() {
  if (xi::thread_state.has_heap() || xi::start_thread()) return true;
  xi::out_of_memory();
  return false;
}

void* resize(xi_heap_t* heap, void* block, xi::Request request) {
  request.within = insides(heap);
  return from(heap, [&] { return xi::reallocate_request(block, request); });
}

void* resize_many(xi_heap_t* heap, void* block, size_t count, xi::Request request) {
  size_t total = 0;
  if (!xi::multiply(count, request.size, &total)) return xi::out_of_memory();
  request.size = total;
  return resize(heap, block, request);
}

// A visitor of the program.
struct Visit {
  xi_block_visit_fun* visitor;
  void* argument;
};

bool pass_on(const xi::VisitedPage& page, void* block, void* context) {
  const auto* const visit = static_cast<const Visit*>(context);
  const xi_heap_area_t area{page.start, page.bytes, page.used, page.block_size, page.tag};
  return visit->visitor(outside(page.heap), &area, block, block != nullptr ? page.block_size : 0, visit->argument);
}

// What stands for the subprocess; null with EINVAL for what is none.
xi::Heap* orphans(xi_subproc_id_t subprocess) {
  auto* const list = reinterpret_cast<xi::Heap*>(subprocess);
  return static_cast<xi::Heap*>(xi::is_subprocess(list) ? list : xi::fail(EINVAL));
}

}  // namespace

xi_heap_t* xi_heap_new() noexcept {
  return xi_heap_new_ex(0, true, nullptr);
}

xi_heap_t* xi_heap_new_in_arena(xi_arena_id_t arena) noexcept {
  return static_cast<xi_heap_t*>(arena != nullptr ? xi_heap_new_ex(0, true, arena) : xi::fail(EINVAL));
}

xi_heap_t* xi_heap_new_ex(int tag, bool allow_destroy, xi_arena_id_t arena) noexcept {
  auto* const bound = reinterpret_cast<xi::Arena*>(arena);
  if (tag < 0 || tag > UINT8_MAX || (bound != nullptr && !xi::is_arena(bound))) {
    return static_cast<xi_heap_t*>(xi::fail(EINVAL));
  }
  xi::Heap* const heap =
      xi::new_heap({.arena = bound, .tag = static_cast<uint8_t>(tag), .allow_destroy = allow_destroy});
  return static_cast<xi_heap_t*>(heap != nullptr ? outside(heap) : xi::out_of_memory());
}

void xi_heap_delete(xi_heap_t* heap) noexcept {
  end(heap, &xi::delete_heap);
}

void xi_heap_destroy(xi_heap_t* heap) noexcept {
  end(heap, &xi::destroy_heap);
}

xi_heap_t* xi_heap_get_backing() noexcept {
  return has_heap() ? outside(xi::thread_state.backing) : nullptr;
}

xi_heap_t* xi_heap_get_default() noexcept {
  return has_heap() ? outside(xi::thread_state.chosen) : nullptr;
}

xi_heap_t* xi_heap_set_default(xi_heap_t* heap) noexcept {
  if (const int error = refusal(heap, &xi::is_usable)) return static_cast<xi_heap_t*>(xi::fail(error));
  xi_heap_t* const before = outside(xi::thread_state.chosen);
  xi::thread_state.chosen = insides(heap);
  xi::thread_state.use(insides(heap));
  return before;
}

void xi_heap_collect(xi_heap_t* heap, bool force) noexcept {
  if (const int error = refusal(heap, &xi::is_usable)) {
    xi::fail(error);
    return;
  }
  xi::collect_heap(insides(heap), force && xi::purges_pages());
  xi::purge_arenas(force);
}

void* xi_heap_malloc(xi_heap_t* heap, size_t size) noexcept {
  return from(heap, [=] { return xi_malloc(size); });
}

void* xi_heap_zalloc(xi_heap_t* heap, size_t size) noexcept {
  return from(heap, [=] { return xi_zalloc(size); });
}

void* xi_heap_calloc(xi_heap_t* heap, size_t count, size_t size) noexcept {
  return from(heap, [=] { return xi_calloc(count, size); });
}

void* xi_heap_mallocn(xi_heap_t* heap, size_t count, size_t size) noexcept {
  return from(heap, [=] { return xi_mallocn(count, size); });
}

void* xi_heap_malloc_small(xi_heap_t* heap, size_t size) noexcept {
  return from(heap, [=] { return xi_malloc_small(size); });
}

void* xi_heap_zalloc_small(xi_heap_t* heap, size_t size) noexcept {
  return from(heap, [=] { return xi_zalloc_small(size); });
}

void* xi_heap_malloc_aligned(xi_heap_t* heap, size_t size, size_t alignment) noexcept {
  return from(heap, [=] { return xi_malloc_aligned(size, alignment); });
}

void* xi_heap_malloc_aligned_at(xi_heap_t* heap, size_t size, size_t alignment, size_t offset) noexcept {
  return from(heap, [=] { return xi_malloc_aligned_at(size, alignment, offset); });
}

void* xi_heap_zalloc_aligned(xi_heap_t* heap, size_t size, size_t alignment) noexcept {
  return from(heap, [=] { return xi_zalloc_aligned(size, alignment); });
}

void* xi_heap_zalloc_aligned_at(xi_heap_t* heap, size_t size, size_t alignment, size_t offset) noexcept {
  return from(heap, [=] { return xi_zalloc_aligned_at(size, alignment, offset); });
}

void* xi_heap_calloc_aligned(xi_heap_t* heap, size_t count, size_t size, size_t alignment) noexcept {
  return from(heap, [=] { return xi_calloc_aligned(count, size, alignment); });
}

void* xi_heap_calloc_aligned_at(xi_heap_t* heap, size_t count, size_t size, size_t alignment, size_t offset) noexcept {
  return from(heap, [=] { return xi_calloc_aligned_at(count, size, alignment, offset); });
}

void* xi_heap_realloc(xi_heap_t* heap, void* block, size_t size) noexcept {
  return resize(heap, block, {.size = size});
}

void* xi_heap_reallocn(xi_heap_t* heap, void* block, size_t count, size_t size) noexcept {
  return resize_many(heap, block, count, {.size = size});
}

void* xi_heap_reallocf(xi_heap_t* heap, void* block, size_t size) noexcept {
  void* const moved = xi_heap_realloc(heap, block, size);
  if (moved == nullptr && errno == ENOMEM) xi_free(block);
  return moved;
}

void* xi_heap_rezalloc(xi_heap_t* heap, void* block, size_t size) noexcept {
  return resize(heap, block, {.size = size, .zero = true});
}

void* xi_heap_recalloc(xi_heap_t* heap, void* block, size_t count, size_t size) noexcept {
  return resize_many(heap, block, count, {.size = size, .zero = true});
}

void* xi_heap_realloc_aligned(xi_heap_t* heap, void* block, size_t size, size_t alignment) noexcept {
  return resize(heap, block, {.size = size, .alignment = alignment});
}

void* xi_heap_realloc_aligned_at(xi_heap_t* heap, void* block, size_t size, size_t alignment, size_t offset) noexcept {
  return resize(heap, block, {.size = size, .alignment = alignment, .offset = offset});
}

void* xi_heap_rezalloc_aligned(xi_heap_t* heap, void* block, size_t size, size_t alignment) noexcept {
  return resize(heap, block, {.size = size, .alignment = alignment, .zero = true});
}

void* xi_heap_rezalloc_aligned_at(xi_heap_t* heap, void* block, size_t size, size_t alignment, size_t offset) noexcept {
  return resize(heap, block, {.size = size, .alignment = alignment, .offset = offset, .zero = true});
}

void* xi_heap_recalloc_aligned(xi_heap_t* heap, void* block, size_t count, size_t size, size_t alignment) noexcept {
  return resize_many(heap, block, count, {.size = size, .alignment = alignment, .zero = true});
}

void* xi_heap_recalloc_aligned_at(xi_heap_t* heap, void* block, size_t count, size_t size, size_t alignment,
                                  size_t offset) noexcept {
  return resize_many(heap, block, count, {.size = size, .alignment = alignment, .offset = offset, .zero = true});
}

char* xi_heap_strdup(xi_heap_t* heap, const char* string) noexcept {
  return from(heap, [=] { return xi_strdup(string); });
}

char* xi_heap_strndup(xi_heap_t* heap, const char* string, size_t length) noexcept {
  return from(heap, [=] { return xi_strndup(string, length); });
}

char* xi_heap_realpath(xi_heap_t* heap, const char* name, char* resolved) noexcept {
  return from(heap, [=] { return xi_realpath(name, resolved); });
}

bool xi_heap_check_owned(xi_heap_t* heap, const void* pointer) noexcept {
  const xi::Page* const page = xi::page_map::find(pointer);
  return heap != nullptr && page != nullptr && page->heap.load(xi::kRelaxed) == insides(heap);
}

bool xi_heap_contains_block(xi_heap_t* heap, const void* block) noexcept {
  return xi_heap_check_owned(heap, block) && xi::page_map::find(block)->is_handed_out_at(block);
}

bool xi_heap_visit_blocks(const xi_heap_t* heap, bool all_blocks, xi_block_visit_fun* visitor,
                          void* argument) noexcept {
  if (const int error = refusal(heap, &xi::is_usable)) {
    xi::fail(error);
    return false;
  }
  if (visitor == nullptr) {
    xi::fail(EINVAL);
    return false;
  }
  Visit visit{visitor, argument};
  return xi::visit_heap(const_cast<xi::Heap*>(insides(heap)), all_blocks, pass_on, &visit);
}

bool xi_unsafe_heap_page_is_under_utilized(xi_heap_t* heap, void* block, size_t percent) noexcept {
  if (heap == nullptr) heap = outside(xi::thread_state.chosen);
  if (!xi::thread_state.has_heap()) return false;
  if (!xi::is_usable(insides(heap))) {
    xi::fail(EPERM);
    return false;
  }
  xi::Page* const page = xi::page_map::find(block);
  // One that is in no queue is full, or was when it was left.
  if (page == nullptr || page->heap.load(xi::kRelaxed) != insides(heap) || !page->in_queue) return false;
  page->collect_thread_free();
  if (insides(heap)->queues[page->bin.index()].first() == page) return false;
  return page->used * size_t{100} <= page->reserved * (percent < 100 ? percent : 100);
}

void xi_heap_guarded_set_sample_rate(xi_heap_t* heap, size_t rate, size_t seed) noexcept {
  if (const int error = refusal(heap, &xi::is_usable)) {
    xi::fail(error);
    return;
  }
  xi::guard_each(insides(heap), rate, seed);
  xi::follow_watch(insides(heap));
}

void xi_heap_guarded_set_size_bound(xi_heap_t* heap, size_t smallest, size_t largest) noexcept {
  if (const int error = refusal(heap, &xi::is_usable)) {
    xi::fail(error);
    return;
  }
  insides(heap)->guard_min = smallest;
  insides(heap)->guard_max = largest;
}

xi_subproc_id_t xi_subproc_main() noexcept {
  return reinterpret_cast<xi_subproc_id_t>(&xi::main_orphans);
}

xi_subproc_id_t xi_subproc_new() noexcept {
  xi::start_process();
  xi::Heap* const list = xi::new_subprocess();
  return static_cast<xi_subproc_id_t>(list != nullptr ? list : xi::out_of_memory());
}

void xi_subproc_delete(xi_subproc_id_t subprocess) noexcept {
  xi::Heap* const list = orphans(subprocess);
  if (list == nullptr) return;
  if (!xi::end_subprocess(list)) xi::fail(EBUSY);
}

void xi_subproc_add_current_thread(xi_subproc_id_t subprocess) noexcept {
  const xi::Heap* const list = orphans(subprocess);
  if (list == nullptr) return;
  if (xi::thread_state.has_heap()) {
    if (xi::thread_state.backing->subprocess != list->subprocess) xi::fail(EBUSY);
    return;
  }
  xi::thread_state.subprocess = list->subprocess;
  if (!has_heap()) xi::thread_state.subprocess = 0;
}

bool xi_abandoned_visit_blocks(xi_subproc_id_t subprocess, int heap_tag, bool all_blocks, xi_block_visit_fun* visitor,
                               void* argument) noexcept {
  xi::Heap* const list = orphans(subprocess);
  if (list == nullptr) return false;
  if (visitor == nullptr || heap_tag > UINT8_MAX) {
    xi::fail(EINVAL);
    return false;
  }
  Visit visit{visitor, argument};
  return xi::visit_abandoned(list, heap_tag, all_blocks, pass_on, &visit);
}
