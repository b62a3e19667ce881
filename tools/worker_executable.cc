// assay-worker: runs a subject that is this process's own malloc (preloaded). C++ allocations of the harness come from
// pages of their own, so that the subject serves nothing but the program under test and the C library.
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "tools/foreign_coverage.h"
#include "tools/worker_main.h"

namespace {

// Blocks of 2^k bytes, each behind a header that holds k; freed ones are kept for the next of their size.
constexpr size_t kHeaderBytes = 16;
constexpr size_t kSmallestLog = 5, kLargestLog = 16;
constexpr size_t kChunkBytes = size_t{1} << 20;

struct FreeBlock {
  FreeBlock* next;
};

class Arena {
 public:
  void* take(size_t size) {
    const size_t log = std::max<size_t>(kSmallestLog, std::bit_width(size + kHeaderBytes - 1));
    if (size > kChunkBytes || log > kLargestLog) return take_mapped(size);
    lock();
    char* block = reinterpret_cast<char*>(free_[log]);
    if (block != nullptr) {
      free_[log] = free_[log]->next;
    } else {
      block = carve(size_t{1} << log);
    }
    unlock();
    if (block == nullptr) return nullptr;
    *reinterpret_cast<size_t*>(block) = log;
    return block + kHeaderBytes;
  }

  void give(void* pointer) {
    char* block = static_cast<char*>(pointer) - kHeaderBytes;
    const size_t log = *reinterpret_cast<size_t*>(block);
    if (log > kLargestLog) {
      ::munmap(block, log);
      return;
    }
    lock();
    auto* entry = reinterpret_cast<FreeBlock*>(block);
    entry->next = free_[log];
    free_[log] = entry;
    unlock();
  }

 private:
  static char* map(size_t size) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
  }

  // The header of a mapped block holds its length, which is larger than any logarithm.
  static void* take_mapped(size_t size) {
    if (size > SIZE_MAX - kHeaderBytes) return nullptr;
    char* block = map(size + kHeaderBytes);
    if (block == nullptr) return nullptr;
    *reinterpret_cast<size_t*>(block) = size + kHeaderBytes;
    return block + kHeaderBytes;
  }

  char* carve(size_t size) {
    if (static_cast<size_t>(end_ - next_) < size) {
      next_ = map(kChunkBytes);
      end_ = next_ == nullptr ? nullptr : next_ + kChunkBytes;
      if (next_ == nullptr) return nullptr;
    }
    char* block = next_;
    next_ += size;
    return block;
  }

  void lock() {
    while (locked_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void unlock() { locked_.clear(std::memory_order_release); }

  std::atomic_flag locked_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  FreeBlock* free_[kLargestLog + 1] = {};
};

constinit Arena arena;

void* take_or_throw(size_t size) {
  void* block = arena.take(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

// Alignments above the arena's own are met by a larger block with the true start in front of the aligned one.
void* take_aligned(size_t size, size_t alignment) {
  char* block = static_cast<char*>(take_or_throw(size + alignment + sizeof(void*)));
  const auto start = reinterpret_cast<uintptr_t>(block) + sizeof(void*);
  char* aligned = block + (((start + alignment - 1) & ~(alignment - 1)) - reinterpret_cast<uintptr_t>(block));
  reinterpret_cast<void**>(aligned)[-1] = block;
  return aligned;
}

void give_aligned(void* pointer) {
  if (pointer != nullptr) arena.give(static_cast<void**>(pointer)[-1]);
}

}  // namespace

void* operator new(size_t size) {
  return take_or_throw(size);
}
void* operator new[](size_t size) {
  return take_or_throw(size);
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return arena.take(size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return arena.take(size);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return take_aligned(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return take_aligned(size, static_cast<size_t>(alignment));
}
void operator delete(void* pointer) noexcept {
  if (pointer != nullptr) arena.give(pointer);
}
void operator delete[](void* pointer) noexcept {
  operator delete(pointer);
}
void operator delete(void* pointer, size_t) noexcept {
  operator delete(pointer);
}
void operator delete[](void* pointer, size_t) noexcept {
  operator delete(pointer);
}
void operator delete(void* pointer, std::align_val_t) noexcept {
  give_aligned(pointer);
}
void operator delete[](void* pointer, std::align_val_t) noexcept {
  give_aligned(pointer);
}
void operator delete(void* pointer, size_t, std::align_val_t) noexcept {
  give_aligned(pointer);
}
void operator delete[](void* pointer, size_t, std::align_val_t) noexcept {
  give_aligned(pointer);
}

int main(int argc, char** argv) {
  constexpr assay::ServerHooks::Coverage kCoverage = {assay::foreign_counters, assay::clear_foreign_counters,
                                                      assay::add_foreign_counters};
  return assay::worker_main(argc, argv, &kCoverage);
}
