// Which heaps and arenas of a program there are, as far as its text tells: a guess like that of the slots
// (live_slots.h), for the same purpose.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "harness/op/program.h"

namespace assay {

class LiveNames {
 public:
  bool is_live(ArgKind kind, uint64_t number) const;
  // The first live one at or after `from`, going round after the last; nothing when there is none.
  std::optional<uint32_t> next_live(ArgKind kind, uint32_t from) const;
  // The first empty one at or after `from` of the first `limit`, going round; nothing when there is none.
  std::optional<uint32_t> next_empty(ArgKind kind, uint32_t from, uint32_t limit) const;
  std::optional<uint32_t> newest(ArgKind kind) const;

  // The thread of a live heap; nothing when that has ended.
  std::optional<uint32_t> owner(uint64_t heap) const;
  // The first live heap at or after `from` whose thread lives.
  std::optional<uint32_t> next_owned(uint32_t from) const;
  // The heap that a call of `thread` allocates from; kNoName: the thread's first one, which has no name.
  uint64_t default_of(uint32_t thread) const { return defaults_[thread % kThreads]; }
  // Whether a call of `thread` that names `heap` does what it says.
  bool may_use(uint32_t thread, uint64_t heap) const { return is_live(ArgKind::kHeap, heap) && owner(heap) == thread; }
  bool may_end(uint32_t thread, uint64_t heap) const {
    return is_live(ArgKind::kHeap, heap) && owner(heap).value_or(thread) == thread;
  }

  void make_heap(uint64_t heap, uint32_t thread);
  void end_heap(uint64_t heap);
  void make_arena(uint64_t arena);
  void set_default(uint32_t thread, uint64_t heap) { defaults_[thread % kThreads] = heap; }
  void end_thread(uint32_t thread);

 private:
  static constexpr uint32_t kThreads = 8;
  static constexpr uint32_t kEnded = ~uint32_t{0};

  uint64_t mask(ArgKind kind) const { return names_heap(kind) ? heaps_ : arenas_; }

  uint64_t heaps_ = 0, arenas_ = 0;
  uint32_t newest_heap_ = 0, newest_arena_ = 0;
  std::array<uint32_t, kMaxHeaps> owners_{};
  std::array<uint64_t, kThreads> defaults_ = {kNoName, kNoName, kNoName, kNoName, kNoName, kNoName, kNoName, kNoName};
};

}  // namespace assay
