#include "allocator/heap/watch.h"

#include "allocator/heap/page_source.h"
#include "allocator/heap/profile.h"
#include "allocator/os/backtrace.h"
#include "allocator/support/options.h"

namespace xi {

namespace {

// xorshift64*: the low bits are the better ones after the multiplication. Marsaglia 2003, Vigna 2016.
uint64_t next_random(uint64_t* state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

// Bytes until the next sample, exponentially distributed with the mean `interval`, so that what pprof takes for the
// probability of a block to be sampled is right. -log2 of a random number in (0, 1] is its leading zeros, and between
// two powers of two a parabola that is off by less than 1 %.
int64_t draw_distance(uint64_t* state, int64_t interval) {
  const uint64_t random = next_random(state) | 1;
  const int zeros = __builtin_clzll(random);
  const double fraction = static_cast<double>(random << zeros << 1) / 18446744073709551616.0;  // [0, 1)
  const double log2_of_fraction = fraction * (1.3465 - 0.3465 * fraction);
  constexpr double kLog2 = 0.6931471805599453;
  return static_cast<int64_t>((zeros + 1 - log2_of_fraction) * kLog2 * static_cast<double>(interval)) + 1;
}

bool guard_is_due(Heap* heap, size_t size) {
  if (heap->guard_rate == 0 || size < heap->guard_min || size > heap->guard_max) return false;
  if (heap->until_guard > 0) {
    --heap->until_guard;
    return false;
  }
  heap->until_guard = heap->guard_rate - 1;
  return true;
}

bool sample_is_due(Heap* heap, size_t size) {
  const int64_t interval = options.profile_interval;
  if (interval == 0) return false;
  if (heap->until_sample == 0) heap->until_sample = draw_distance(&heap->random, interval);
  if (static_cast<int64_t>(size) < heap->until_sample) {
    heap->until_sample -= static_cast<int64_t>(size);
    return false;
  }
  heap->until_sample = draw_distance(&heap->random, interval);
  return true;
}

bool is_to_be_watched(const Heap* heap) {
  return heap->guard_rate != 0 || options.profile_interval != 0;
}

}  // namespace

Allocation allocate_watched(size_t size) {
  const Unwatched here;
  Heap* const heap = thread_state.current;
  // A heap of an arena has its blocks there and nowhere else.
  if (heap->arena == nullptr) {
    const bool guarded = guard_is_due(heap, size);
    const bool sampled = sample_is_due(heap, size);
    if (guarded || sampled) {
      SampledBlock block = new_sampled_block(heap, size, guarded);
      if (block.address != nullptr) {
        if (sampled) {
          void* frames[kMaxFrames];
          add_sample(block.page, size, frames, os::backtrace_of_thread(frames, kMaxFrames));
        }
        release_sampled_block(block);
        return {block.address, true};
      }
    }
  }
  return allocate(size);
}

void guard_each(Heap* heap, size_t rate, size_t seed) {
  heap->guard_rate = rate;
  heap->until_guard = rate != 0 ? seed % rate : 0;
}

void begin_watch(Heap* heap) {
  heap->guard_min = static_cast<size_t>(int64_t{options.guarded_min});
  heap->guard_max = static_cast<size_t>(int64_t{options.guarded_max});
  guard_each(heap, static_cast<size_t>(int64_t{options.guarded_sample_rate}),
             static_cast<size_t>(int64_t{options.guarded_sample_seed}));
  heap->until_sample = 0;
  heap->random = static_cast<uint64_t>(heap->thread) * 0x9e3779b97f4a7c15 | 1;
  heap->is_watched = is_to_be_watched(heap);
}

void follow_watch(Heap* heap) {
  const bool watched = is_to_be_watched(heap);
  if (watched == heap->is_watched) return;
  heap->is_watched = watched;
  // Else it is allocate_watched() that has called, and does that.
  if (thread_state.current == heap && watched) thread_state.use(heap);
}

void prepare_profile() {
  void* frame = nullptr;
  os::backtrace_of_thread(&frame, 1);
}

}  // namespace xi
