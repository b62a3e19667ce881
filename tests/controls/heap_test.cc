// Positive controls of what the oracles say of heaps, arenas, options and statistics: a wrapper around ximalloc in
// which one function breaks one promise, and a program that shows it.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

const Subject& ximalloc() {
  static const auto subject = open_subject("ximalloc");
  return *subject;
}
const SubjectApi& right() {
  return ximalloc().api();
}
const HeapKit& right_kit() {
  return ximalloc().heap_kit();
}

class Wrapper final : public Subject {
 public:
  Wrapper() {
    api_ = right();
    instruments_ = ximalloc().instruments();
    heap_kit_ = right_kit();
    promises_ = ximalloc().promises();
    name_ = "wrapper";
  }
  bool owns_code(const void* pc) const override { return ximalloc().owns_code(pc); }
  SubjectApi& api() { return api_; }
  HeapKit& kit() { return heap_kit_; }
  Promises& promised() { return promises_; }
};

RunResult run_text(const Subject& subject, const std::string& text) {
  const Program program = parse_text("assay 1\n" + text, "control");
  ProgramSteps steps(program);
  return run_sequential(steps, subject, {});
}

struct Control {
  const char* name;
  void (*spoil)(SubjectApi& api, HeapKit& kit);
  const char* program;
  const char* oracle;
  uint64_t line;  // kNoOperation: the end
};

void PrintTo(const Control& control, std::ostream* out) {
  *out << control.name;
}

// A visit that is changed on its way to the visitor.
struct Changed {
  BlockVisitor visitor;
  void* context;
  uint64_t blocks;
};
template <bool (*kChange)(Changed& changed, const VisitedArea& area, uintptr_t block, uint64_t size)>
bool visit_changed(void* heap, bool all_blocks, BlockVisitor visitor, void* context) {
  Changed changed{visitor, context, 0};
  return right_kit().visit_heap(
      heap, all_blocks,
      [](void* argument, const VisitedArea& area, uintptr_t block, uint64_t size) {
        return kChange(*static_cast<Changed*>(argument), area, block, size);
      },
      &changed);
}
bool skip_first(Changed& changed, const VisitedArea& area, uintptr_t block, uint64_t size) {
  VisitedArea shown = area;
  if (shown.used > 0) --shown.used;
  if (block != 0 && changed.blocks++ == 0) return true;
  return changed.visitor(changed.context, shown, block, size);
}
bool show_one_more(Changed& changed, const VisitedArea& area, uintptr_t block, uint64_t size) {
  VisitedArea shown = area;
  ++shown.used;
  if (block == 0 && !changed.visitor(changed.context, shown, 0, 0)) return false;
  return changed.visitor(changed.context, shown, block == 0 ? area.start + 5 * area.block_size : block,
                         block == 0 ? area.block_size : size);
}
bool count_one_more(Changed& changed, const VisitedArea& area, uintptr_t block, uint64_t size) {
  VisitedArea shown = area;
  ++shown.used;
  return changed.visitor(changed.context, shown, block, size);
}
bool change_tag(Changed& changed, const VisitedArea& area, uintptr_t block, uint64_t size) {
  VisitedArea shown = area;
  ++shown.tag;
  return changed.visitor(changed.context, shown, block, size);
}

constexpr const char* kThreeBlocks = "h0 = heap_new()\np0..p2 = heap_malloc(h0, 100)\nheap_visit_blocks(h0, 1)\n";

const std::vector<Control>& controls() {
  static const std::vector<Control> all = {
      {"NoHeap",
       [](SubjectApi& api, HeapKit&) {
         api.heap_new = []() -> void* {
           errno = ENOMEM;
           return nullptr;
         };
       },
       "h0 = heap_new()\n", "null_errno", 0},
      {"NullFromAHeap",
       [](SubjectApi& api, HeapKit&) {
         api.heap_malloc = [](void*, size_t) -> void* {
           errno = ENOMEM;
           return nullptr;
         };
       },
       "h0 = heap_new()\np0 = heap_malloc(h0, 10)\n", "null_errno", 1},
      {"AnotherThreadsHeap",
       [](SubjectApi& api, HeapKit&) { api.heap_malloc = [](void*, size_t size) { return right().malloc(size); }; },
       "h0 = heap_new() @t1\np0 = heap_malloc(h0, 10)\n", "null_errno", 1},
      {"TheWrongErrorOfNoHeap",
       [](SubjectApi& api, HeapKit&) {
         api.heap_malloc = [](void*, size_t) -> void* {
           errno = ENOMEM;
           return nullptr;
         };
       },
       "p0 = heap_malloc(NULL, 10)\n", "null_errno", 0},
      {"ABlockOfAnotherHeap",
       [](SubjectApi& api, HeapKit&) { api.heap_malloc = [](void*, size_t size) { return right().malloc(size); }; },
       "h0 = heap_new()\np0 = heap_malloc(h0, 10)\n", "ownership", 1},
      {"ReallocLeavesItInTheOldHeap",
       [](SubjectApi& api, HeapKit&) {
         api.heap_realloc = [](void*, void* block, size_t size) { return right().realloc(block, size); };
       },
       "h0 = heap_new()\nh1 = heap_new()\np0 = heap_malloc(h0, 100)\np0 = heap_realloc(h1, p0, 99)\n", "ownership", 3},
      {"ZallocOfOldBytes",
       [](SubjectApi& api, HeapKit&) {
         api.heap_zalloc = [](void* heap, size_t size) {
           void* const block = right().heap_malloc(heap, size);
           std::memset(block, 1, size);
           return block;
         };
       },
       "h0 = heap_new()\np0 = heap_zalloc(h0, 100)\n", "zeroing", 1},
      {"ContainsNothing",
       [](SubjectApi& api, HeapKit&) { api.heap_contains_block = [](void*, const void*) { return false; }; },
       "h0 = heap_new()\np0 = heap_malloc(h0, 10)\n", "ownership", 1},
      {"OwnsEverything",
       [](SubjectApi& api, HeapKit&) { api.heap_check_owned = [](void*, const void*) { return true; }; },
       "h0 = heap_new()\nh1 = heap_new()\np0 = heap_malloc(h0, 10)\nheap_check_owned(h1, p0)\n", "ownership", 3},
      {"WalkSkipsOne", [](SubjectApi&, HeapKit& kit) { kit.visit_heap = visit_changed<skip_first>; }, kThreeBlocks,
       "walk", 2},
      {"WalkShowsOneThatIsFree", [](SubjectApi&, HeapKit& kit) { kit.visit_heap = visit_changed<show_one_more>; },
       kThreeBlocks, "walk", 2},
      {"WalkCountsOneMore", [](SubjectApi&, HeapKit& kit) { kit.visit_heap = visit_changed<count_one_more>; },
       "h0 = heap_new()\np0..p2 = heap_malloc(h0, 100)\nheap_visit_blocks(h0, 0)\n", "walk", 2},
      {"WalkOfAnotherTag", [](SubjectApi&, HeapKit& kit) { kit.visit_heap = visit_changed<change_tag>; },
       "h0 = heap_new_ex(4, 1, NULL)\np0 = heap_malloc(h0, 100)\nheap_visit_blocks(h0, 0)\n", "walk", 2},
      {"WalkNobodyAskedFor", [](SubjectApi&, HeapKit& kit) { kit.visit_heap = visit_changed<skip_first>; },
       "h0 = heap_new()\np0 = heap_malloc(h0, 100)\ncheck_all()\n", "walk", 2},
      {"DeleteThatFreesTheBlocks",
       [](SubjectApi& api, HeapKit&) { api.heap_delete = [](void* heap) { right().heap_destroy(heap); }; },
       "h0 = heap_new()\np0 = heap_malloc(h0, 1000)\nheap_delete(h0)\nusable_size(p0)\n", "usable_size", 3},
      {"DestroyThatLeavesTheBlocks",
       [](SubjectApi& api, HeapKit&) { api.heap_destroy = [](void* heap) { right().heap_delete(heap); }; },
       "h0 = heap_new()\np0 = heap_malloc(h0, 1000)\nheap_destroy(h0)\ncollect(1)\n", "walk", kNoOperation},
      {"DeleteOfAnotherThreadsHeap", [](SubjectApi& api, HeapKit&) { api.heap_delete = [](void*) { errno = 0; }; },
       "h0 = heap_new() @t1\nheap_delete(h0)\n", "null_errno", 1},
      {"ADefaultThatIsNone",
       [](SubjectApi& api, HeapKit&) { api.heap_get_default = [] { return right().heap_get_backing(); }; },
       "h0 = heap_new()\nheap_set_default(h0)\nheap_get_default()\n", "ownership", 2},
      {"AHeapThatIsNotBound",
       [](SubjectApi&, HeapKit& kit) { kit.heap_new_in_arena = [](void*) { return right().heap_new(); }; },
       "a0 = reserve_os_memory_ex(4194304, 0, 0, 1)\nh0 = heap_new_in_arena(a0)\np0 = heap_malloc(h0, 10)\n", "arena",
       2},
      {"NullWhileTheArenaHasRoom",
       [](SubjectApi& api, HeapKit&) {
         api.heap_malloc = [](void*, size_t) -> void* {
           errno = ENOMEM;
           return nullptr;
         };
       },
       "a0 = reserve_os_memory_ex(4194304, 0, 0, 1)\nh0 = heap_new_in_arena(a0)\np0 = heap_malloc(h0, 10)\n", "arena",
       2},
      {"AnArenaThatIsTooShort",
       [](SubjectApi&, HeapKit& kit) {
         kit.area = [](void* arena, size_t* bytes) {
           void* const start = right_kit().area(arena, bytes);
           *bytes /= 2;
           return start;
         };
       },
       "a0 = reserve_os_memory_ex(4194304, 0, 0, 1)\n", "arena", 0},
      {"AnArenaInExclusiveMemory",
       [](SubjectApi&, HeapKit& kit) {
         kit.manage = [](void* start, const ArenaWish& wish, void** arena) {
           ArenaWish other = wish;
           other.exclusive = false;
           return right_kit().manage(start, other, arena);
         };
       },
       "a0 = manage_os_memory_ex(4194304, 1, 0, 1, 1)\np0 = malloc(10)\n", "arena", 1},
      {"DirtTakenForZero",
       [](SubjectApi&, HeapKit& kit) {
         kit.manage = [](void* start, const ArenaWish& wish, void** arena) {
           ArenaWish other = wish;
           other.zero = true;
           return right_kit().manage(start, other, arena);
         };
       },
       "a0 = manage_os_memory_ex(1048576, 1, 0, 0, 1)\nh0 = heap_new_in_arena(a0)\np0 = heap_zalloc(h0, 100000)\n",
       "zeroing", 2},
      {"MemoryThatIsTooSmall",
       [](SubjectApi&, HeapKit& kit) { kit.manage = [](void*, const ArenaWish&, void**) { return true; }; },
       "manage_os_memory(1000, 1, 0, 0)\n", "null_errno", 0},
      {"AnOptionThatStaysAsItWas",
       [](SubjectApi&, HeapKit& kit) { kit.set_option = [](std::string_view, long) { return 0; }; },
       "option_set(retire_ticks, 3)\n", "option", 0},
      {"ADefaultThatOverrides", [](SubjectApi&, HeapKit& kit) { kit.default_option = right_kit().set_option; },
       "option_set(retire_ticks, 3)\noption_set_default(retire_ticks, 4)\n", "option", 1},
      {"AnotherValueAsASwitch",
       [](SubjectApi&, HeapKit& kit) { kit.option_agrees = [](std::string_view) { return false; }; },
       "option_get(retire_ticks)\n", "option", 0},
      {"HalfALine",
       [](SubjectApi&, HeapKit& kit) {
         kit.print = [] {
           Printed printed = right_kit().print();
           printed.whole_lines = false;
           return printed;
         };
       },
       "stats_print()\n", "statistics", 0},
      {"TwoFiguresForOne",
       [](SubjectApi&, HeapKit& kit) {
         kit.print = [] {
           Printed printed = right_kit().print();
           printed.figures_agree = false;
           return printed;
         };
       },
       "stats_print()\n", "statistics", 0},
      {"HugePagesRefusedWithTheWrongError",
       [](SubjectApi&, HeapKit& kit) { kit.reserve_huge = [](uint64_t, uint64_t, bool, void**) { return EAGAIN; }; },
       "a0 = reserve_huge_os_pages_at_ex(1, 0, 0)\n", "null_errno", 0},
      {"MoreHugePagesThanThereIsAddressSpace",
       [](SubjectApi&, HeapKit& kit) { kit.reserve_huge = [](uint64_t, uint64_t, bool, void**) { return 0; }; },
       "a0 = reserve_huge_os_pages_at_ex(0xffffffffffffffff, 0, 0)\n", "null_errno", 0},
      {"GuardsForAnotherThreadsHeap",
       [](SubjectApi& api, HeapKit&) { api.heap_guarded_set_sample_rate = [](void*, size_t, size_t) {}; },
       "h0 = heap_new()\nheap_guarded_set_sample_rate(h0, 2, 0) @t1\n", "null_errno", 1},
      {"UnderUtilizedWithoutABlock",
       [](SubjectApi& api, HeapKit&) {
         api.unsafe_heap_page_is_under_utilized = [](void*, void*, size_t) { return true; };
       },
       "h0 = heap_new()\nunsafe_heap_page_is_under_utilized(h0, NULL, 50)\n", "ownership", 1},
      {"OneBlockTooMany",
       [](SubjectApi&, HeapKit& kit) {
         kit.statistic = [](const char* name, Statistic& out) {
           if (!right_kit().statistic(name, out)) return false;
           out.now += std::strcmp(name, "live_blocks") == 0 ? 1 : 0;
           out.peak += 1;
           out.total += 1;
           return true;
         };
       },
       "p0 = malloc(10)\ncheck_statistics()\n", "statistics", 1},
      {"FewerThanNothing",
       [](SubjectApi&, HeapKit& kit) {
         kit.statistic = [](const char* name, Statistic& out) {
           const bool known = right_kit().statistic(name, out);
           if (std::strcmp(name, "committed_bytes") == 0) out.now = -4096;
           return known;
         };
       },
       "p0 = malloc(10)\ncheck_statistics()\n", "statistics", 1},
  };
  return all;
}

class HeapControl : public testing::TestWithParam<Control> {
 protected:
  void SetUp() override {
    if (ximalloc().instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  }
};

TEST_P(HeapControl, IsCaught) {
  const Control& control = GetParam();
  Wrapper wrapper;
  const RunResult clean = run_text(wrapper, control.program);
  EXPECT_FALSE(clean.violation) << "without the fault: " << clean.violation.sentence << ", " << clean.violation.expected
                                << ", " << clean.violation.seen;
  control.spoil(wrapper.api(), wrapper.kit());
  const RunResult result = run_text(wrapper, control.program);
  EXPECT_EQ(name(result.violation.oracle), control.oracle) << result.violation.sentence;
  EXPECT_EQ(result.violation.line, control.line) << result.violation.sentence;
}

INSTANTIATE_TEST_SUITE_P(Each, HeapControl, testing::ValuesIn(controls()),
                         [](const auto& info) { return std::string(info.param.name); });

// As in mimalloc: nothing is said of why it failed, and the block is gone.
TEST(HeapsOfOthers, AReallocfThatFailsHasFreedTheBlock) {
  Wrapper wrapper;
  wrapper.promised().heap_calls_are_checked = wrapper.promised().extensions_set_errno = false;
  wrapper.api().heap_reallocf = [](void* heap, void* block, size_t size) {
    void* const moved = right().heap_reallocf(heap, block, size);
    errno = 0;
    return moved;
  };
  const RunResult result = run_text(
      wrapper, "h0 = heap_new()\np0 = heap_malloc(h0, 100)\np0 = heap_reallocf(h0, p0, 9223372036854775900)\n");
  EXPECT_FALSE(result.violation) << result.violation.sentence;
}

// Where it is the process's malloc, libraries have blocks in the first heap, and nowhere else.
TEST(HeapsOfOthers, BlocksOfLibrariesAreShownInTheFirstHeapOnly) {
  Wrapper wrapper;
  wrapper.kit().visit_heap = visit_changed<show_one_more>;
  const std::string first = "p0 = malloc(100)\nh0 = heap_get_backing()\nheap_visit_blocks(h0, 1)\n";
  EXPECT_TRUE(run_text(wrapper, first).violation);
  wrapper.promised().serves_the_process = true;
  EXPECT_FALSE(run_text(wrapper, first).violation);
  EXPECT_TRUE(run_text(wrapper, kThreeBlocks).violation);
}

TEST(HeapsOfOthers, NoneBecomesTheDefaultOfTheProcess) {
  Wrapper wrapper;
  wrapper.promised().serves_the_process = true;
  const RunResult result = run_text(wrapper, "h0 = heap_new()\nheap_set_default(h0)\n");
  EXPECT_EQ(result.executed, 1u);
  EXPECT_EQ(result.skipped, 1u);
}

}  // namespace
}  // namespace assay
