#include "tools/recorder/next_allocator.h"

#include <dlfcn.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace assay::recorder {
namespace {
enum : uint32_t { kUnresolved, kResolving, kResolved };

NextAllocator g_next;
std::atomic<uint32_t> g_state{kUnresolved};
__attribute__((tls_model("initial-exec"))) thread_local bool t_resolving = false;

// The header keeps the size for realloc and the block's 16-byte alignment.
constexpr size_t kEarlyHeader = 16;
alignas(4096) uint8_t g_early[64 * 1024];
std::atomic<size_t> g_early_used{0};

template <typename Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
}  // namespace

const NextAllocator* next_allocator() {
  if (g_state.load(std::memory_order_acquire) == kResolved) return &g_next;
  if (t_resolving) return nullptr;
  uint32_t expected = kUnresolved;
  if (!g_state.compare_exchange_strong(expected, kResolving, std::memory_order_acquire)) {
    // Another thread is at it: a few microseconds, once in the life of a process.
    while (g_state.load(std::memory_order_acquire) != kResolved) sched_yield();
    return &g_next;
  }
  const int saved = errno;
  t_resolving = true;
  find(g_next.malloc, "malloc");
  find(g_next.calloc, "calloc");
  find(g_next.realloc, "realloc");
  find(g_next.aligned_alloc, "aligned_alloc");
  find(g_next.posix_memalign, "posix_memalign");
  find(g_next.memalign, "memalign");
  find(g_next.valloc, "valloc");
  find(g_next.pvalloc, "pvalloc");
  find(g_next.free, "free");
  find(g_next.usable_size, "malloc_usable_size");
  t_resolving = false;
  g_state.store(kResolved, std::memory_order_release);
  errno = saved;
  return &g_next;
}

void* early_allocate(size_t size, size_t alignment) {
  if (alignment < kEarlyHeader) alignment = kEarlyHeader;
  if (size > sizeof g_early || alignment > 4096) {
    errno = ENOMEM;
    return nullptr;
  }
  const size_t worst = kEarlyHeader + alignment + size;
  const size_t start = g_early_used.fetch_add(worst, std::memory_order_relaxed);
  if (start + worst > sizeof g_early) {
    errno = ENOMEM;
    return nullptr;
  }
  uint8_t* block = g_early + ((start + kEarlyHeader + alignment - 1) & ~(alignment - 1));
  *reinterpret_cast<size_t*>(block - sizeof(size_t)) = size;
  return block;  // zeroed, since it was never used before
}

bool is_early(const void* block) {
  return block >= g_early && block < g_early + sizeof g_early;
}

size_t early_size(const void* block) {
  return *reinterpret_cast<const size_t*>(static_cast<const uint8_t*>(block) - sizeof(size_t));
}

void* next_definition(const char* name) {
  return dlsym(RTLD_NEXT, name);
}

}  // namespace assay::recorder
