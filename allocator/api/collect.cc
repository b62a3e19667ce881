#include "allocator/heap/collect.h"

#include "allocator/include/ximalloc.h"
#include "allocator/support/statistics.h"

void xi_collect(bool force) noexcept {
  xi::collect(force);
}

void xi_collect_reduce(size_t target) noexcept {
  xi::collect_and_reduce(target);
}

int xi_malloc_trim(size_t) noexcept {
  const int64_t before = xi::statistics.purged_bytes.get();
  xi::collect(true);
  return xi::statistics.purged_bytes.get() != before ? 1 : 0;
}

int xi_version() noexcept {
  return XI_VERSION;
}
