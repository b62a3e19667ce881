// What a subject with heaps and arenas can be asked besides its functions of heap_functions.def. Allocators have all of
// this in forms of their own: a subject's file translates. Each may be null; the operation is skipped then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace assay {

// A page of a heap, as a visit shows it.
struct VisitedArea {
  uintptr_t start;
  uint64_t bytes, used, block_size;  // `used` blocks of `block_size` bytes
  int tag;
};

// Called for each area with block 0, and behind that for each of its blocks that is in use; false ends the visit.
using BlockVisitor = bool (*)(void* context, const VisitedArea& area, uintptr_t block, uint64_t block_size);

struct ArenaWish {
  uint64_t bytes = 0;
  bool committed = false, large = false, zero = false, exclusive = false;
};

struct Statistic {
  int64_t now = 0, peak = 0, total = 0;
};

// What a subject has written when it was asked for all that it can tell of itself.
struct Printed {
  uint64_t texts = 0, bytes = 0;
  bool whole_lines = true;    // the last text of each account ended in a line's end
  bool figures_agree = true;  // what a figure is in one account it is in another one
};

struct HeapKit {
  void* (*heap_new_ex)(int tag, bool allow_destroy, void* arena) = nullptr;
  void* (*heap_new_in_arena)(void* arena) = nullptr;
  // False: the heap cannot be visited (errno says why), or the visitor ended it.
  bool (*visit_heap)(void* heap, bool all_blocks, BlockVisitor visitor, void* context) = nullptr;
  bool (*visit_abandoned)(bool all_blocks, BlockVisitor visitor, void* context) = nullptr;

  // Arenas are whole multiples of it; what is smaller cannot be managed.
  uint64_t arena_unit_bytes = 1;
  // An arena of new address space; 0 or an error. `arena` may be null.
  int (*reserve)(const ArenaWish& wish, void** arena) = nullptr;
  // One of huge pages, as many as the system has; 0 and no arena for no pages.
  int (*reserve_huge)(uint64_t pages, uint64_t timeout_ms, bool exclusive, void** arena) = nullptr;
  // Memory as a program maps it for itself, of which the subject's seam knows; null when there is none.
  void* (*map_memory)(uint64_t bytes, bool access) = nullptr;
  bool (*manage)(void* start, const ArenaWish& wish, void** arena) = nullptr;
  void* (*area)(void* arena, size_t* bytes) = nullptr;
  // Bytes of the longest run of an arena that nobody has.
  uint64_t (*longest_free_run)(void* arena) = nullptr;

  // False when there is no option of that name.
  bool (*has_option)(std::string_view name) = nullptr;
  // Sets it, and says nothing about a value that is out of range; 0 or an error.
  int (*set_option)(std::string_view name, long value) = nullptr;
  // The same for what nobody has set; one that somebody has set stays as it is.
  int (*default_option)(std::string_view name, long value) = nullptr;
  long (*get_option)(std::string_view name) = nullptr;
  // False when other ways of asking for it do not agree with that.
  bool (*option_agrees)(std::string_view name) = nullptr;

  // False when there is none of that name, or it is not counted here.
  bool (*statistic)(const char* name, Statistic& out) = nullptr;
  Printed (*print)() = nullptr;

  // From here on (or no more) a function of the program is called where the subject offers that: it allocates a block
  // and frees it.
  void (*defer)(bool on) = nullptr;
};

}  // namespace assay
