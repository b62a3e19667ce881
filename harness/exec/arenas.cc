// Arenas that a program makes, from new address space or from memory that it has mapped itself.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/exec/operations.h"
#include "harness/oracle/arena.h"
#include "harness/oracle/heap_answer.h"

namespace assay {
namespace {

// Above this neither success nor refusal is judged: the seam, or the host, decides.
constexpr uint64_t kJudgedArena = uint64_t{1} << 30;
constexpr uint64_t kJudgedArenas = uint64_t{64} << 30;
constexpr uint64_t kJudgedCount = 200;
// Of memory that is accessible at once, so that what blocks may have besides is left within what the seam gives. What
// other threads are about to reserve is not counted yet.
constexpr uint64_t kJudgedCommitted = uint64_t{2} << 30;
constexpr uint64_t kJudgedCommittedBeside = uint64_t{64} << 20;
// Under a scheduler each access of a search through the pieces of an arena costs a thousand times what it does else:
// what a call that looks at all of them would need for more is no hang. Sizes that no system has are still asked for.
constexpr uint64_t kMostScheduled = uint64_t{1} << 30;
constexpr uint64_t kNoSystemHas = uint64_t{1} << 47;
constexpr uint64_t kMostManaged = uint64_t{256} << 20;
// Of managed memory that need not be zero so much is written to, at its beginning and at its end: what is used first,
// and what lies where the rounding is.
constexpr uint64_t kDirtyFront = uint64_t{512} << 10;
constexpr uint64_t kDirtyBack = uint64_t{64} << 10;
constexpr int kDirt = 0xA7;
// What a subject may round up by.
constexpr uint64_t kRounding = uint64_t{4} << 20;

struct Wanted {
  bool managed = false, named = false;
  ArenaWish wish;
};

Wanted wanted_by(const Step& step) {
  const auto& a = step.args;
  switch (step.code) {
    case OpCode::kReserveOsMemory: return {.wish = {.bytes = a[0], .committed = a[1] != 0, .large = a[2] != 0}};
    case OpCode::kReserveOsMemoryEx:
      return {.named = true,
              .wish = {.bytes = a[1], .committed = a[2] != 0, .large = a[3] != 0, .exclusive = a[4] != 0}};
    case OpCode::kManageOsMemory:
      return {.managed = true, .wish = {.bytes = a[0], .committed = a[1] != 0, .large = a[2] != 0, .zero = a[3] != 0}};
    default:
      return {
          .managed = true,
          .named = true,
          .wish = {
              .bytes = a[1], .committed = a[2] != 0, .large = a[3] != 0, .zero = a[4] != 0, .exclusive = a[5] != 0}};
  }
}

void make_dirty(void* start, const ArenaWish& wish) {
  if (!wish.committed || wish.zero) return;
  auto* const bytes = static_cast<char*>(start);
  const uint64_t front = std::min(wish.bytes, kDirtyFront);
  const uint64_t back = std::min(wish.bytes, kDirtyBack);
  std::memset(bytes, kDirt, front);
  std::memset(bytes + wish.bytes - back, kDirt, back);
}

}  // namespace

Operations::Ran Operations::make_arena(const Step& step) {
  MadeHeaps& made = heap_.made();
  const Wanted wanted = wanted_by(step);
  const ArenaWish& wish = wanted.wish;
  const HeapKit& kit = subject_.heap_kit();
  if (wanted.named && made.arena_named(step.args[0]) != nullptr) return Ran::kSkipped;
  if (made.arena_count() == MadeHeaps::kMostArenas) return Ran::kSkipped;
  const bool too_long = wish.bytes < kNoSystemHas && made.reserved_bytes + wish.bytes > kMostScheduled;
  if (!wanted.managed && ledger_.is_scheduled() && too_long) return Ran::kSkipped;
  void* start = nullptr;
  if (wanted.managed) {
    if (wish.bytes > kMostManaged || wish.bytes == 0) return Ran::kSkipped;
    enter_query();
    const uint64_t units = (wish.bytes + kit.arena_unit_bytes - 1) / kit.arena_unit_bytes;
    start = kit.map_memory(units * kit.arena_unit_bytes, wish.committed);
    leave();
    if (start == nullptr) return Ran::kSkipped;
    enter_block();
    make_dirty(start, wish);
    leave();
  }
  void* arena = nullptr;
  void** const out = wanted.named ? &arena : nullptr;
  int error = 0;
  errno = kErrnoMark;
  enter_subject();
  if (!wanted.managed) {
    error = kit.reserve(wish, out);
  } else if (!kit.manage(start, wish, out)) {
    error = errno;
  }
  leave();
  outcome_.succeeded = error == 0;
  outcome_.error = error;
  const bool impossible = wanted.managed ? wish.bytes < kit.arena_unit_bytes : wish.bytes == 0;
  if (impossible) return check_refused(step.code, EINVAL, error, result_.violation) ? Ran::kDone : fail();
  // However much of it is left: what is more than all of it is refused.
  const SetOption& limit = made.options[static_cast<size_t>(OptionId::kArenaLimit)];
  const bool passes_limit = limit.was_set && limit.now > 0 && wish.bytes > static_cast<uint64_t>(limit.now);
  if (!wanted.managed && passes_limit) {
    return check_refused(step.code, ENOMEM, error, result_.violation) ? Ran::kDone : fail();
  }
  const bool many = made.reserved_count >= kJudgedCount || made.reserved_bytes + wish.bytes > kJudgedArenas;
  const bool beside = ledger_.concurrent || ledger_.under_way > 1;
  const bool heavy = wish.committed && (made.reserved_bytes + wish.bytes > kJudgedCommitted ||
                                        (beside && wish.bytes > kJudgedCommittedBeside));
  const bool open = many || heavy || wish.bytes > kJudgedArena || made.limited;
  const bool may_fail = open || ledger_.seam->may_have_failed(failed_before_);
  if (!check_made(step.code, error == 0, may_fail, ENOMEM, error, result_.violation)) return fail();
  if (error != 0) return Ran::kDone;
  const bool stays_committed = !wanted.managed && (wish.committed || wish.large);
  made.note_reserved(wish.bytes, stays_committed ? wish.bytes + kRounding : 0);
  if (!wanted.named) return Ran::kDone;
  const MadeArena adopted{.handle = arena, .start = 0, .bytes = 0, .exclusive = wish.exclusive};
  return adopt_arena(step, adopted, wish.bytes, reinterpret_cast<uintptr_t>(start)) ? Ran::kDone : fail();
}

// How many of these pages the system has is its own affair, so that they may be refused at any time; with one of them
// the program has a quarter of what the seam lets it have.
Operations::Ran Operations::make_huge_arena(const Step& step) {
  constexpr uint64_t kHugePage = uint64_t{1} << 30;
  MadeHeaps& made = heap_.made();
  const uint64_t pages = step.args[1];
  const bool exclusive = step.args[3] != 0;
  if (made.arena_named(step.args[0]) != nullptr || made.arena_count() == MadeHeaps::kMostArenas) return Ran::kSkipped;
  constexpr uint64_t kImpossible = uint64_t{1} << 40;
  if (pages < kImpossible && (pages > 1 || made.committed_bytes + pages * kHugePage > kHugePage)) return Ran::kSkipped;
  void* arena = nullptr;
  enter_subject();
  const int error = subject_.heap_kit().reserve_huge(pages, step.args[2], exclusive, &arena);
  leave();
  outcome_.succeeded = error == 0;
  outcome_.error = error;
  const bool may_fail = pages != 0;
  const bool told = error == ENOMEM || (error == ETIMEDOUT && step.args[2] != 0);
  if (!check_made(step.code, error == 0 && pages < kImpossible, may_fail, told ? error : ENOMEM, error,
                  result_.violation)) {
    return fail();
  }
  if (arena == nullptr) return Ran::kDone;
  made.note_reserved(kHugePage, kHugePage + kRounding);
  const MadeArena adopted{.handle = arena, .start = 0, .bytes = 0, .exclusive = exclusive};
  return adopt_arena(step, adopted, kHugePage, 0) ? Ran::kDone : fail();
}

bool Operations::adopt_arena(const Step& step, MadeArena arena, uint64_t asked_bytes, uintptr_t managed_start) {
  size_t bytes = 0;
  enter_query();
  arena.start = reinterpret_cast<uintptr_t>(subject_.heap_kit().area(arena.handle, &bytes));
  leave();
  arena.bytes = bytes;
  heap_.made().make_arena(step.args[0], arena);
  return check_area(arena, asked_bytes, managed_start, result_.violation);
}

Operations::Ran Operations::ask_area(const Step& step) {
  const MadeArena* const arena = heap_.made().arena_named(step.args[0]);
  if (arena == nullptr && step.args[0] != kNoName) return Ran::kSkipped;
  size_t bytes = 1;
  errno = kErrnoMark;
  enter_subject();
  void* const start = subject_.heap_kit().area(arena == nullptr ? nullptr : arena->handle, &bytes);
  const int error = errno;
  leave();
  if (arena == nullptr) {
    outcome_.succeeded = false;
    outcome_.error = error;
    return check_refused(step.code, EINVAL, start == nullptr && bytes == 0 ? error : 0, result_.violation) ? Ran::kDone
                                                                                                           : fail();
  }
  const bool same = reinterpret_cast<uintptr_t>(start) == arena->start && bytes == arena->bytes;
  return check_made(step.code, same, false, 0, 0, result_.violation) ? Ran::kDone : fail();
}

}  // namespace assay
