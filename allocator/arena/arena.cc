#include "allocator/arena/arena.h"

#include <new>

#include "allocator/base/assert.h"
#include "allocator/os/clock.h"
#include "allocator/os/memory.h"
#include "allocator/support/statistics.h"

namespace xi {

namespace {

size_t bitmap_size(size_t slices) {
  return align_up(Bitmap::words_for(slices) * sizeof(Bitmap::Word), 64);
}

// Hands out consecutive parts of the metadata mapping.
class Layout {
 public:
  explicit Layout(char* start) : at_(start) {}

  Bitmap bitmap(size_t bits) { return {reinterpret_cast<Bitmap::Word*>(take(bitmap_size(bits))), bits}; }

  char* take(size_t size) {
    char* const part = at_;
    at_ += align_up(size, 64);
    return part;
  }

 private:
  char* at_;
};

size_t metadata_size_for(size_t slices) {
  return align_up(align_up(sizeof(Arena), 64) + (4 + kBinCount) * bitmap_size(slices) + slices * kPageMetaSize +
                      align_up(slices * sizeof(uint16_t), 64),
                  kSliceSize);
}

}  // namespace

Arena* make_arena(const ArenaRange& range) {
  const size_t slices = range.slices;
  const size_t metadata_size = metadata_size_for(slices);
  void* metadata = nullptr;
  if (os::map(metadata_size, kSliceSize, os::Purpose::kMetadata, &metadata) != 0) return nullptr;
  Layout layout(static_cast<char*>(metadata));
  os::will_use(address_of(metadata), align_up(sizeof(Arena), 64) + 4 * bitmap_size(slices));
  auto* const arena = new (layout.take(sizeof(Arena))) Arena;
  arena->base = range.base;
  arena->slice_count = slices;
  arena->pinned = range.pinned;
  arena->managed = range.managed;
  arena->exclusive = range.exclusive;
  arena->numa_node = range.numa_node;
  arena->metadata_size = metadata_size;
  arena->free = layout.bitmap(slices);
  arena->committed = layout.bitmap(slices);
  arena->dirty = layout.bitmap(slices);
  arena->purge = layout.bitmap(slices);
  arena->pages = layout.take(slices * kPageMetaSize);
  for (Bitmap& bin : arena->abandoned) bin = layout.bitmap(slices);
  arena->purged_inside = reinterpret_cast<uint16_t*>(layout.take(slices * sizeof(uint16_t)));
  arena->free.set(0, slices);
  if (range.committed) arena->committed.set(0, slices);
  if (!range.zero) arena->dirty.set(0, slices);
  return arena;
}

Arena* create_arena(size_t slices, size_t alignment) {
  const size_t size = slices << kSliceShift;
  void* range = nullptr;
  if (os::reserve(size, alignment, &range) != 0) return nullptr;
  Arena* const arena = make_arena({.base = address_of(range), .slices = slices});
  if (arena == nullptr) os::unmap(range, size);
  return arena;
}

void forget_arena(Arena* arena) {
  os::unmap(arena, arena->metadata_size);
}

void destroy_arena(Arena* arena) {
  os::unmap(reinterpret_cast<void*>(arena->base), arena->slice_count << kSliceShift);
  forget_arena(arena);
}

int Arena::claim(size_t count, size_t alignment, SliceClaim* out) {
  if (count > slice_count) return ENOSPC;
  const size_t phase = base >> kSliceShift;
  const size_t step = alignment >> kSliceShift;
  const size_t hint = search_from.load(kRelaxed);
  size_t first = free.claim_run(hint, count, step, phase);
  if (first == Bitmap::kNone && hint > 0) first = free.claim_run(0, count, step, phase);
  if (first == Bitmap::kNone) return ENOSPC;
  // The hint moves up only past slices that this very claim took, and down again with every release below it.
  if (first == hint) search_from.store(first + count, kRelaxed);

  if (const int error = commit_claimed(first, count)) {
    // What was committed, before or now, must not stay so for ever.
    for (size_t slice = first; slice < first + count; ++slice) {
      if (committed.get(slice)) schedule_purge(slice, 1, os::clock_ms());
    }
    free.set(first, count);
    if (first < search_from.load(kRelaxed)) search_from.store(first, kRelaxed);
    return error;
  }
  purge.clear(first, count);
  out->arena = this;
  out->first = first;
  out->count = count;
  out->zero = dirty.all_clear(first, count);
  dirty.set(first, count);
  return 0;
}

int Arena::commit_claimed(size_t first, size_t count) {
  const size_t end = first + count;
  for (size_t from = committed.first_clear(first, end); from != Bitmap::kNone;) {
    const size_t found = committed.first_set(from, end);
    const size_t to = found == Bitmap::kNone ? end : found;
    if (const int error = os::commit(reinterpret_cast<void*>(address_of_slice(from)), (to - from) << kSliceShift)) {
      return error;
    }
    committed.set(from, to - from);
    statistics.committed_bytes.add(static_cast<int64_t>((to - from) << kSliceShift));
    from = committed.first_clear(to, end);
  }
  return 0;
}

void Arena::set_abandoned(size_t bin, size_t slice, bool value) {
  Bitmap& bits = abandoned[bin];
  if (value) {
    os::will_use(address_of(bits.word_of(slice)), sizeof(Bitmap::Word));
    bits.set(slice, 1);
  } else {
    bits.clear(slice, 1);
  }
}

bool Arena::is_valid() const {
  if (base == 0 || !is_aligned(base, kSliceSize) || search_from.load(kRelaxed) > slice_count) return false;
  for (size_t first = 0; first < slice_count; first += 64) {
    const uint64_t here = bit_mask(0, slice_count - first < 64 ? slice_count - first : 64);
    const uint64_t unused = free.word_of(first)->load(kRelaxed);
    const uint64_t accessible = committed.word_of(first)->load(kRelaxed);
    // Nothing that is in use waits for purge, or is not committed; nothing is dirty that was never committed, but for
    // what a program had written to before it gave the memory away.
    const uint64_t wrong = (purge.word_of(first)->load(kRelaxed) & ~(unused & accessible)) | (~unused & ~accessible) |
                           (managed ? 0 : dirty.word_of(first)->load(kRelaxed) & ~accessible);
    if ((wrong & here) != 0) return false;
  }
  return true;
}

}  // namespace xi
