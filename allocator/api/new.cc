// What operator new does, under C names. The C++ library is not linked: where the program has it, its handler is called
// and its exception thrown, by name; these functions have unwind tables, and nothing of theirs needs to be undone.
#include <cerrno>

#include "allocator/api/request.h"
#include "allocator/include/ximalloc.h"
#include "allocator/support/line.h"

// std::get_new_handler() and std::__throw_bad_alloc() of libstdc++ (and of libc++ the first).
extern "C" [[gnu::weak]] void (*_ZSt15get_new_handlerv())();
extern "C" [[gnu::weak, noreturn]] void _ZSt17__throw_bad_allocv();

namespace {

// [new.delete.single]: the handler is to find memory; without one it ends. False then.
bool call_handler() {
  if (&_ZSt15get_new_handlerv == nullptr) return false;
  void (*const handler)() = _ZSt15get_new_handlerv();
  if (handler == nullptr) return false;
  handler();
  return true;
}

[[noreturn]] void throw_bad_alloc() {
  if (&_ZSt17__throw_bad_allocv != nullptr) _ZSt17__throw_bad_allocv();
  xi::Line().text("operator new: out of memory, and there is no C++ library to throw bad_alloc").say_and_abort();
}

// Tries until there is a block, or no handler any more.
template <class Try>
void* until_served(Try attempt) {
  for (;;) {
    void* const block = attempt();
    if (block != nullptr || errno != ENOMEM || !call_handler()) return block;
  }
}

template <class Try>
void* or_throw(Try attempt) {
  void* const block = until_served(attempt);
  if (block == nullptr) throw_bad_alloc();
  return block;
}

}  // namespace

void* xi_new(size_t size) {
  return or_throw([size] { return xi_malloc(size); });
}

void* xi_new_nothrow(size_t size) {
  return until_served([size] { return xi_malloc(size); });
}

void* xi_new_aligned(size_t size, size_t alignment) {
  return or_throw([=] { return xi_malloc_aligned(size, alignment); });
}

void* xi_new_aligned_nothrow(size_t size, size_t alignment) {
  return until_served([=] { return xi_malloc_aligned(size, alignment); });
}

// [expr.new]: a size that overflows is not a matter of memory, and no handler can help.
void* xi_new_n(size_t count, size_t size) {
  size_t total = 0;
  if (!xi::multiply(count, size, &total)) throw_bad_alloc();
  return xi_new(total);
}

void* xi_new_realloc(void* block, size_t size) {
  return or_throw([=] { return xi_realloc(block, size); });
}

void* xi_new_reallocn(void* block, size_t count, size_t size) {
  size_t total = 0;
  if (!xi::multiply(count, size, &total)) throw_bad_alloc();
  return xi_new_realloc(block, total);
}

// The handler is the program's, and runs outside of the heap.
void* xi_heap_alloc_new(xi_heap_t* heap, size_t size) {
  return or_throw([=] { return xi_heap_malloc(heap, size); });
}

void* xi_heap_alloc_new_n(xi_heap_t* heap, size_t count, size_t size) {
  size_t total = 0;
  if (!xi::multiply(count, size, &total)) throw_bad_alloc();
  return xi_heap_alloc_new(heap, total);
}
