#include "harness/model/uninitialised.h"

#include <valgrind/memcheck.h>

#include <algorithm>

// Defined where MemorySanitizer's runtime is linked. The harness itself is compiled without it: its C++ library is,
// too, and what that writes would never count as written.
extern "C" {
__attribute__((weak)) void __msan_poison(const volatile void* block, size_t size);
__attribute__((weak)) void __msan_unpoison(const volatile void* block, size_t size);
}

namespace assay {
namespace {

// What an allocator reads of a block that is not its own lies at the block's beginning; a tool that keeps a byte for
// each byte would otherwise fill the machine's memory with what it knows of a few large blocks.
constexpr size_t kMarkedBytes = size_t{64} << 10;

}  // namespace

void mark_uninitialised(void* block, size_t size) {
  size = std::min(size, kMarkedBytes);
  if (__msan_poison != nullptr) __msan_poison(block, size);
  VALGRIND_MAKE_MEM_UNDEFINED(block, size);
}

void mark_initialised(void* block, size_t size) {
  size = std::min(size, kMarkedBytes);
  if (__msan_unpoison != nullptr) __msan_unpoison(block, size);
  VALGRIND_MAKE_MEM_DEFINED(block, size);
}

}  // namespace assay
