#include "harness/subject/mallocx.h"

#include <dlfcn.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>

namespace assay {
namespace {

struct Functions {
  void* (*mallocx)(size_t size, int flags);
  void* (*rallocx)(void* block, size_t size, int flags);
  size_t (*xallocx)(void* block, size_t size, size_t extra, int flags);
  size_t (*sallocx)(const void* block, int flags);
  void (*dallocx)(void* block, int flags);
  void (*sdallocx)(void* block, size_t size, int flags);
  size_t (*nallocx)(size_t size, int flags);
};
Functions of_library;

// As jemalloc.h has them: the alignment's logarithm stands in the lowest bits.
constexpr int kZero = 0x40;
int flag_of(size_t alignment) {
  return std::countr_zero(alignment);
}

// A caller may not ask for nothing, nor for what no size class holds.
constexpr size_t kLargest = SIZE_MAX / 4;
bool is_legal(size_t size, size_t alignment) {
  if (!std::has_single_bit(alignment)) {
    errno = EINVAL;
    return false;
  }
  if (size > kLargest || alignment > kLargest) {
    errno = ENOMEM;
    return false;
  }
  return true;
}

void* or_no_memory(void* block) {
  if (block == nullptr) errno = ENOMEM;
  return block;
}

void* allocate(size_t size, size_t alignment, int flags) {
  if (!is_legal(size, alignment)) return nullptr;
  return or_no_memory(of_library.mallocx(std::max<size_t>(size, 1), flags | flag_of(alignment)));
}

void* reallocate(void* block, size_t size, size_t alignment) {
  if (block == nullptr) return allocate(size, alignment, 0);
  if (!is_legal(size, alignment)) return nullptr;
  return or_no_memory(of_library.rallocx(block, std::max<size_t>(size, 1), flag_of(alignment)));
}

void* allocate_product(size_t count, size_t size, size_t alignment, int flags) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  return allocate(bytes, alignment, flags);
}

// In place or not at all.
void* expand(void* block, size_t size) {
  if (block == nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  if (!is_legal(size, 1)) return nullptr;
  const size_t wanted = std::max<size_t>(size, 1);
  if (of_library.sallocx(block, 0) >= wanted || of_library.xallocx(block, wanted, 0, 0) >= wanted) return block;
  errno = ENOMEM;
  return nullptr;
}

void release(void* block) {
  if (block != nullptr) of_library.dallocx(block, 0);
}

// The size is the one that was asked for, and so is the alignment.
void release_sized(void* block, size_t size, size_t alignment) {
  if (block != nullptr) of_library.sdallocx(block, std::max<size_t>(size, 1), flag_of(alignment));
}

}  // namespace

bool use_mallocx(void* library, SubjectApi& api) {
  const auto find = [library](auto& function, const char* symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    return function != nullptr;
  };
  if (!find(of_library.mallocx, "mallocx") || !find(of_library.rallocx, "rallocx") ||
      !find(of_library.xallocx, "xallocx") || !find(of_library.sallocx, "sallocx") ||
      !find(of_library.dallocx, "dallocx") || !find(of_library.sdallocx, "sdallocx") ||
      !find(of_library.nallocx, "nallocx")) {
    return false;
  }
  api = {};
  api.malloc = [](size_t size) { return allocate(size, 1, 0); };
  api.zalloc = [](size_t size) { return allocate(size, 1, kZero); };
  api.calloc = [](size_t count, size_t size) { return allocate_product(count, size, 1, kZero); };
  api.realloc = [](void* block, size_t size) { return reallocate(block, size, 1); };
  api.malloc_aligned = [](size_t size, size_t alignment) { return allocate(size, alignment, 0); };
  api.zalloc_aligned = [](size_t size, size_t alignment) { return allocate(size, alignment, kZero); };
  api.calloc_aligned = [](size_t count, size_t size, size_t alignment) {
    return allocate_product(count, size, alignment, kZero);
  };
  api.realloc_aligned = reallocate;
  api.expand = expand;
  api.free = release;
  api.free_size_aligned = release_sized;
  api.usable_size = [](const void* block) { return block == nullptr ? 0 : of_library.sallocx(block, 0); };
  api.good_size = [](size_t size) { return size > kLargest ? size : of_library.nallocx(std::max<size_t>(size, 1), 0); };
  return true;
}

}  // namespace assay
