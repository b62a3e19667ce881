// What a program believes of the heaps and arenas that it has made, of the threads' default heaps and of the options
// that it has set. Part of the shadow heap, whose blocks say which of these heaps they came from.
//
// A heap has a record as long as the program runs, so that blocks can name it when it is gone; record 0 stands for the
// first heaps of all threads, which nobody has made. Where threads run at a time, what names the same heap is ordered
// by the executor; records are handed out under a lock.
#pragma once

#include <array>
#include <cstdint>

#include "harness/model/mapped_array.h"
#include "harness/model/spin_lock.h"
#include "harness/op/program.h"

namespace assay {

enum class HeapState : uint8_t {
  kGone,
  kLive,
  kOrphan,     // its thread has ended
  kUncertain,  // its thread goes on in a destructor: nobody knows whether the subject takes it for ended
};

struct MadeHeap {
  void* handle;
  uint32_t owner;  // the logical thread
  uint32_t arena;  // that it is bound to: one more than the index of the arena; 0: none
  HeapState state;
  uint8_t tag;
  bool is_backing;  // the thread's first heap under a name; blocks of it have record 0
  bool destroys;    // heap_destroy frees its blocks
  bool tainted;     // blocks may have come from it that the model believes elsewhere
};

struct MadeArena {
  void* handle;
  uintptr_t start;
  uint64_t bytes;
  bool exclusive;

  bool contains(uintptr_t begin, uint64_t size) const { return begin >= start && begin - start + size <= bytes; }
};

struct SetOption {
  bool was_set;
  long first, now;           // before the program changed it, and since
  bool has_default = false;  // the program has said what it is where nobody sets it

  bool was_changed() const { return was_set || has_default; }
};

class MadeHeaps {
 public:
  static constexpr uint32_t kBacking = 0;
  static constexpr uint32_t kUnknown = ~uint32_t{0};
  static constexpr uint32_t kMostArenas = 64;

  void clear();
  // What is kept of so many heaps stays where it is from here on.
  void make_room(uint64_t heaps);
  // After that, several threads at a time.
  void share();

  // The record of h<name>, 0 when there is no such heap.
  uint32_t record_of(uint64_t name) const { return name < kMaxHeaps ? names_[name] : 0; }
  MadeHeap& at(uint32_t record) { return records_[record]; }
  const MadeHeap& at(uint32_t record) const { return records_[record]; }
  uint32_t record_count() const { return record_count_; }  // record 0 included
  bool none() const { return record_count_ <= 1; }
  void make(uint64_t name, const MadeHeap& heap);
  void end(uint64_t name);
  // The record of a heap that is there, else of those that nobody has made.
  uint32_t living(uint32_t record) const {
    return record != kBacking && records_[record].state != HeapState::kGone ? record : kBacking;
  }

  // The record of the heap that calls of a thread allocate from; kUnknown after the thread went on in a destructor with
  // a default heap that is not its first one.
  uint32_t default_of(uint32_t thread) const { return thread < defaults_.capacity() ? defaults_[thread] : kBacking; }
  void set_default(uint32_t thread, uint32_t record);
  // The thread ends (kOrphan; kGone where its heaps end with it), or goes on in a destructor (kUncertain).
  void leave_thread(uint32_t thread, HeapState state);

  const MadeArena* arena_named(uint64_t name) const {
    return name < kMaxArenas && arena_names_[name] != 0 ? &arenas_[arena_names_[name] - 1] : nullptr;
  }
  uint32_t arena_index(uint64_t name) const { return name < kMaxArenas ? arena_names_[name] : 0; }
  const MadeArena& arena_at(uint32_t index) const { return arenas_[index - 1]; }
  uint32_t arena_count() const { return arena_count_; }
  // False when there are more than kMostArenas. `name` kNoName: none.
  bool make_arena(uint64_t name, const MadeArena& arena);
  // The exclusive arena that has a byte of [begin, begin + size); null: none.
  const MadeArena* exclusive_at(uintptr_t begin, uint64_t size) const;

  void note_reserved(uint64_t bytes, uint64_t committed);

  // Bytes of all arenas of the program; those that it has reserved accessible stay so.
  uint64_t reserved_bytes = 0, reserved_count = 0, committed_bytes = 0;
  bool never_purged = false;  // an option has kept what was freed from going back, for ever
  bool defers = false;        // the subject calls a function of the program
  bool limited = false;       // an option may have left too little address space for anything
  std::array<SetOption, 64> options{};

 private:
  mutable SpinLock lock_;
  MappedArray<MadeHeap> records_;
  MappedArray<uint32_t> defaults_;
  uint32_t record_count_ = 1;
  uint32_t arena_count_ = 0;
  uint64_t defaults_used_ = 0;
  std::array<uint32_t, kMaxHeaps> names_{};
  std::array<uint32_t, kMaxArenas> arena_names_{};
  std::array<MadeArena, kMostArenas> arenas_{};
};

}  // namespace assay
