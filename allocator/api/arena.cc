// Arenas that a program has made.
#include <cerrno>

#include "allocator/api/request.h"
#include "allocator/arena/arena_set.h"
#include "allocator/arena/program_arena.h"
#include "allocator/include/ximalloc.h"
#include "allocator/page_map/page_map.h"
#include "allocator/process/process.h"
#include "allocator/support/line.h"

namespace {

void tell(xi_arena_id_t* out, xi::Arena* arena) {
  if (out != nullptr) *out = reinterpret_cast<xi_arena_id_t>(arena);
}

int reserve_huge(size_t pages, int numa_node, size_t timeout_ms, bool exclusive, xi::Arena** arena) {
  xi::start_process();
  if (pages == 0) return 0;
  return xi::reserve_huge_arena(pages, timeout_ms, {.exclusive = exclusive, .numa_node = numa_node}, arena);
}

}  // namespace

int xi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large, bool exclusive, xi_arena_id_t* out) noexcept {
  xi::start_process();
  xi::Arena* arena = nullptr;
  const int error = xi::reserve_arena(size, {.commit = commit, .large = allow_large, .exclusive = exclusive}, &arena);
  tell(out, arena);
  return error;
}

int xi_reserve_os_memory(size_t size, bool commit, bool allow_large) noexcept {
  return xi_reserve_os_memory_ex(size, commit, allow_large, false, nullptr);
}

bool xi_manage_os_memory_ex(void* start, size_t size, bool is_committed, bool is_large, bool is_zero, int numa_node,
                            bool exclusive, xi_arena_id_t* out) noexcept {
  xi::start_process();
  xi::Arena* arena = nullptr;
  int error = EINVAL;
  // Blocks that have a mapping of their own lie in no arena, and are not to be given away either.
  if (size <= xi::kMaxRequest && !xi::page_map::any(xi::address_of(start), size)) {
    error = xi::manage_arena(start, size,
                             {.committed = is_committed,
                              .zero = is_zero,
                              .pinned = is_large,
                              .exclusive = exclusive,
                              .numa_node = numa_node},
                             &arena);
  }
  tell(out, arena);
  if (error != 0) xi::fail(error);
  return error == 0;
}

bool xi_manage_os_memory(void* start, size_t size, bool is_committed, bool is_large, bool is_zero,
                         int numa_node) noexcept {
  return xi_manage_os_memory_ex(start, size, is_committed, is_large, is_zero, numa_node, false, nullptr);
}

int xi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_ms, bool exclusive,
                                   xi_arena_id_t* out) noexcept {
  xi::Arena* arena = nullptr;
  const int error = reserve_huge(pages, numa_node, timeout_ms, exclusive, &arena);
  tell(out, arena);
  return error;
}

int xi_reserve_huge_os_pages_at(size_t pages, int numa_node, size_t timeout_ms) noexcept {
  return xi_reserve_huge_os_pages_at_ex(pages, numa_node, timeout_ms, false, nullptr);
}

int xi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes, size_t timeout_ms) noexcept {
  if (numa_nodes == 0) return xi_reserve_huge_os_pages_at(pages, -1, timeout_ms);
  int result = pages == 0 ? 0 : ENOMEM;
  for (size_t node = 0; node < numa_nodes && pages > 0; ++node) {
    const size_t here = (pages + numa_nodes - node - 1) / (numa_nodes - node);
    const int error = xi_reserve_huge_os_pages_at(here, static_cast<int>(node), timeout_ms / numa_nodes);
    if (error == 0 || result != 0) result = error;
    pages -= here;
  }
  return result;
}

int xi_reserve_huge_os_pages(size_t pages, double timeout_seconds, size_t* reserved) noexcept {
  xi::Arena* arena = nullptr;
  constexpr double kMostSeconds = 1e9;
  const double seconds = timeout_seconds < kMostSeconds ? timeout_seconds : kMostSeconds;
  const size_t timeout_ms = seconds > 0 ? static_cast<size_t>(seconds * 1000) : 0;
  const int error = reserve_huge(pages, -1, timeout_ms, false, &arena);
  if (reserved != nullptr) *reserved = arena != nullptr ? arena->slice_count / (xi::kGiB >> xi::kSliceShift) : 0;
  return error;
}

void* xi_arena_area(xi_arena_id_t id, size_t* size) noexcept {
  const auto* const arena = reinterpret_cast<const xi::Arena*>(id);
  const bool known = arena != nullptr && xi::is_arena(arena);
  if (size != nullptr) *size = known ? arena->slice_count << xi::kSliceShift : 0;
  return known ? reinterpret_cast<void*>(arena->base) : xi::fail(EINVAL);
}

void xi_arenas_print() noexcept {
  for (size_t i = 0; const xi::Arena* const arena = xi::arena_at(i); ++i) {
    xi::Line line("");
    line.text("arena ").number(i, 10).text(": ").address(reinterpret_cast<const void*>(arena->base));
    line.text(", slices ").number(arena->slice_count, 10).text(", free ").number(arena->free.population(), 10);
    line.text(", committed ").number(arena->committed.population(), 10);
    line.text(", to purge ").number(arena->purge.population(), 10).text(", node ").signed_number(arena->numa_node);
    if (arena->exclusive) line.text(", exclusive");
    if (arena->managed) line.text(", managed");
    if (arena->pinned) line.text(", pinned");
    line.say();
  }
}
