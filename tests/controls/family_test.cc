// Positive controls of what the oracles say of the malloc family beyond the standard's five functions: a wrapper around
// ximalloc in which one function breaks one promise, and a program that shows it.
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

// A copy of ximalloc in which a test replaces functions.
class Wrapper final : public Subject {
 public:
  Wrapper() {
    api_ = right();
    instruments_ = ximalloc().instruments();
    promises_ = ximalloc().promises();
    name_ = "wrapper";
  }
  bool owns_code(const void* pc) const override { return ximalloc().owns_code(pc); }
  SubjectApi& api() { return api_; }
};

RunResult run_text(const Subject& subject, const std::string& text) {
  const Program program = parse_text("assay 1\n" + text, "control");
  ProgramSteps steps(program);
  return run_sequential(steps, subject, {});
}

// Bytes that are not zero where the next blocks will be.
constexpr const char* kDirt = "p100..p163 = malloc(3000)\nfree(p100..p163)\n";

struct Control {
  const char* name;
  void (*spoil)(SubjectApi& api);
  const char* program;
  const char* oracle;
  uint64_t line;  // kNoOperation: the end
  bool dirty = false;
};

void PrintTo(const Control& control, std::ostream* out) {
  *out << control.name;
}

const std::vector<Control>& controls() {
  static const std::vector<Control> rows = {
      {"zalloc_is_malloc", [](SubjectApi& api) { api.zalloc = right().malloc; }, "p0 = zalloc(3000)\n", "zeroing", 2,
       true},
      {"calloc_aligned_is_aligned",
       [](SubjectApi& api) {
         api.calloc_aligned = [](size_t count, size_t size, size_t alignment) {
           return right().malloc_aligned(count * size, alignment);
         };
       },
       "p0 = calloc_aligned(3, 1000, 8)\n", "zeroing", 2, true},
      {"rezalloc_grows_as_realloc", [](SubjectApi& api) { api.rezalloc = right().realloc; },
       "p0 = zalloc(10)\np0 = rezalloc(p0, 3000)\n", "zeroing", 3, true},
      // What was cut off by shrinking in place has to be zero when it comes back, where the caller has not written.
      {"rezalloc_shrinks_as_realloc",
       [](SubjectApi& api) {
         api.rezalloc = [](void* block, size_t size) {
           return size < right().usable_size(block) ? right().realloc(block, size) : right().rezalloc(block, size);
         };
       },
       "p0..p31 = zalloc(1000)\np0..p31 = rezalloc(p0..p31, 930)\np0..p31 = rezalloc(p0..p31, 1000)\n", "zeroing", 2},
      {"recalloc_grows_as_reallocn", [](SubjectApi& api) { api.recalloc = right().reallocn; },
       "p0 = calloc(1, 10)\np0 = recalloc(p0, 3, 1000)\n", "zeroing", 3, true},
      {"offset_is_ignored",
       [](SubjectApi& api) {
         api.malloc_aligned_at = [](size_t size, size_t alignment, size_t) {
           return right().malloc_aligned(size, alignment);
         };
       },
       "p0 = malloc_aligned_at(100, 64, 8)\n", "alignment", 0},
      {"resize_loses_its_alignment",
       [](SubjectApi& api) {
         api.realloc_aligned = [](void* block, size_t size, size_t) { return right().realloc(block, size); };
       },
       "p1 = malloc(80)\np0 = malloc(80)\np0 = realloc_aligned(p0, 80, 4096)\n", "alignment", 2},
      {"aligned_resize_never_shrinks",
       [](SubjectApi& api) {
         api.realloc_aligned = [](void* block, size_t size, size_t alignment) {
           const bool fits = size <= right().usable_size(block);
           return fits ? block : right().realloc_aligned(block, size, alignment);
         };
       },
       "p0 = malloc(4000)\np0 = realloc_aligned(p0, 1000, 16)\n", "usable_size", 1},
      {"valloc_is_malloc", [](SubjectApi& api) { api.valloc = right().malloc; }, "p1 = valloc(80)\np0 = valloc(80)\n",
       "alignment", 1},
      // The first block of a page of the allocator is aligned as any.
      {"pvalloc_rounds_nothing", [](SubjectApi& api) { api.pvalloc = right().malloc; }, "p0 = pvalloc(1000)\n",
       "usable_size", 0},
      {"memalign_accepts_three",
       [](SubjectApi& api) { api.memalign = [](size_t, size_t size) { return right().malloc(size); }; },
       "p0 = memalign(3, 100)\n", "null_errno", 0},
      {"mallocn_overflows",
       [](SubjectApi& api) { api.mallocn = [](size_t count, size_t size) { return right().malloc(count * size); }; },
       "p0 = mallocn(0x8000000000000001, 2)\n", "null_errno", 0},
      {"good_size_of_the_next_class",
       [](SubjectApi& api) { api.good_size = [](size_t size) { return right().good_size(size) + 1; }; },
       "p0 = malloc(100)\n", "usable_size", 0},
      {"good_size_below_the_size",
       [](SubjectApi& api) { api.malloc_good_size = [](size_t size) { return size & ~size_t{7}; }; },
       "malloc_good_size(100)\n", "usable_size", 0},
      {"umalloc_tells_the_request",
       [](SubjectApi& api) {
         api.umalloc = [](size_t size, size_t* usable) {
           *usable = size;
           return right().malloc(size);
         };
       },
       "p0 = umalloc(100)\n", "usable_size", 0},
      {"urealloc_tells_one_size_twice",
       [](SubjectApi& api) {
         api.urealloc = [](void* block, size_t size, size_t* before, size_t* after) {
           void* const moved = right().urealloc(block, size, before, after);
           *before = *after;
           return moved;
         };
       },
       "p0 = umalloc(100)\np0 = urealloc(p0, 5000)\n", "usable_size", 1},
      {"ufree_tells_nothing", [](SubjectApi& api) { api.ufree = [](void* block, size_t*) { right().free(block); }; },
       "p0 = umalloc(100)\nufree(p0)\n", "usable_size", 1},
      {"malloc_size_of_null", [](SubjectApi& api) { api.malloc_size = [](const void*) { return size_t{8}; }; },
       "malloc_size(NULL)\n", "usable_size", 0},
      {"reallocf_keeps_the_block", [](SubjectApi& api) { api.reallocf = right().realloc; },
       "p0 = malloc(100000)\np0 = reallocf(p0, 0x7fffffffffffffff)\n", "footprint", kNoOperation},
      {"reallocarr_clears_the_pointer",
       [](SubjectApi& api) {
         api.reallocarr = [](void* pointer, size_t count, size_t size) {
           void* old = nullptr;
           std::memcpy(&old, pointer, sizeof old);
           void* const moved = right().reallocarray(old, count, size);
           std::memcpy(pointer, &moved, sizeof moved);
           return moved == nullptr ? 12 : 0;
         };
       },
       "p0 = malloc(100)\np0 = reallocarr(p0, 0x7fffffffffffffff, 2)\n", "null_errno", 1},
      {"reallocarr_sets_errno_too",
       [](SubjectApi& api) {
         api.reallocarr = [](void* pointer, size_t count, size_t size) {
           const int error = right().reallocarr(pointer, count, size);
           errno = error;
           return error;
         };
       },
       "p0 = malloc(100)\np0 = reallocarr(p0, 0x7fffffffffffffff, 2)\n", "null_errno", 1},
      {"reallocarr_says_minus_one", [](SubjectApi& api) { api.reallocarr = [](void*, size_t, size_t) { return -1; }; },
       "p0 = malloc(100)\np0 = reallocarr(p0, 0x7fffffffffffffff, 2)\n", "null_errno", 1},
      {"expand_moves", [](SubjectApi& api) { api.expand = right().realloc; }, "p0 = malloc(100)\nexpand(p0, 5000)\n",
       "usable_size", 1},
      {"expand_never_does", [](SubjectApi& api) { api.expand = [](void*, size_t) -> void* { return nullptr; }; },
       "p0 = malloc(100)\nexpand(p0, 101)\n", "usable_size", 1},
      {"expand_always_does", [](SubjectApi& api) { api.expand = [](void* block, size_t) { return block; }; },
       "p0 = malloc(100)\nexpand(p0, 5000)\n", "usable_size", 1},
      {"strdup_forgets_the_end",
       [](SubjectApi& api) {
         api.strdup = [](const char* text) {
           auto* const copy = static_cast<char*>(right().malloc(std::strlen(text) + 1));
           return static_cast<char*>(std::memcpy(copy, text, std::strlen(text)));
         };
       },
       "p0 = strdup(2999)\n", "contents", 2, true},
      {"strndup_copies_one_too_few",
       [](SubjectApi& api) {
         api.strndup = [](const char* text, size_t limit) {
           auto* const copy = static_cast<char*>(right().calloc(1, limit + 1));
           return static_cast<char*>(std::memcpy(copy, text, limit - 1));
         };
       },
       "p0 = strndup(200, 20)\n", "contents", 0},
      {"realpath_resolves_nothing",
       [](SubjectApi& api) { api.realpath = [](const char* path, char*) { return right().strdup(path); }; },
       "p0 = realpath(0)\n", "contents", 0},
      {"realpath_finds_everything",
       [](SubjectApi& api) { api.realpath = [](const char*, char*) { return right().strdup("/"); }; },
       "p0 = realpath(1)\n", "null_errno", 0},
      {"check_owned_claims_null", [](SubjectApi& api) { api.check_owned = [](const void*) { return true; }; },
       "check_owned(NULL)\n", "ownership", 0},
      {"check_owned_disowns_a_live_block", [](SubjectApi& api) { api.check_owned = [](const void*) { return false; }; },
       "p0 = malloc(100)\ncheck_owned(p0)\n", "ownership", 1},
      {"heap_region_knows_nothing", [](SubjectApi& api) { api.is_in_heap_region = [](const void*) { return false; }; },
       "p0 = malloc(100)\nis_in_heap_region(p0)\n", "ownership", 1},
      {"cfree_sets_errno",
       [](SubjectApi& api) {
         api.cfree = [](void* block) {
           right().free(block);
           errno = 5;
         };
       },
       "p0 = malloc(100)\ncfree(p0)\n", "null_errno", 1},
  };
  return rows;
}

class FamilyControl : public testing::TestWithParam<Control> {
 protected:
  void SetUp() override {
    if (ximalloc().instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  }
  static std::string program() { return (GetParam().dirty ? kDirt : "") + std::string(GetParam().program); }
};

TEST_P(FamilyControl, IsCaughtByItsOracle) {
  Wrapper wrapper;
  GetParam().spoil(wrapper.api());
  const RunResult result = run_text(wrapper, program());
  EXPECT_EQ(name(result.violation.oracle), GetParam().oracle) << result.violation.sentence;
  EXPECT_EQ(result.violation.line, GetParam().line);
  EXPECT_NE(std::string(result.violation.sentence), "");
  EXPECT_NE(std::string(result.violation.expected), "");
  EXPECT_NE(std::string(result.violation.seen), "");
}

TEST_P(FamilyControl, IsCleanWithoutTheFault) {
  const Wrapper wrapper;
  const RunResult result = run_text(wrapper, program());
  EXPECT_FALSE(result.violation) << result.violation.sentence << ": " << result.violation.seen;
  EXPECT_EQ(result.skipped, 0u);
}

INSTANTIATE_TEST_SUITE_P(Controls, FamilyControl, testing::ValuesIn(controls()),
                         [](const testing::TestParamInfo<Control>& row) { return std::string(row.param.name); });

// Memory may have changed hands once another thread has acted, so that what is said of it is not judged any more.
TEST(Ownership, IsJudgedWhileNoOtherThreadActs) {
  if (ximalloc().instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  Wrapper wrapper;
  wrapper.api().check_owned = [](const void*) { return false; };
  const auto objects_at = [&](const char* text) { return run_text(wrapper, text).violation.line; };
  EXPECT_EQ(objects_at("p0 = malloc(100)\np1 = malloc(9) @t1\ncheck_owned(p0)\ncheck_owned(p1)\n"), kNoOperation);
  EXPECT_EQ(objects_at("p0 = malloc(100)\np1 = malloc(9) @t1\np2 = malloc(9)\ncheck_owned(p2)\n"), 3u);
  EXPECT_EQ(objects_at("p0 = malloc(9) @t1\ncheck_owned(p0) @t1\n"), 1u);
  EXPECT_EQ(objects_at("p0 = malloc(9) @t1\nthread_exit() @t1\ncheck_owned(p0) @t1\n"), kNoOperation);
  EXPECT_EQ(objects_at("p0 = malloc(9)\np1 = malloc(9) @t1\np0 = realloc(p0, 10)\ncheck_owned(p0)\n"), kNoOperation);
  EXPECT_EQ(objects_at("p0 = malloc(9)\np1 = malloc(9) @t1\np0 = realloc(p0, 9000)\ncheck_owned(p0)\n"), 3u);
}

// What the caller must get right comes from the model: this allocator writes down what it is told.
struct Told {
  size_t size = 0, alignment = 0;
  bool operator==(const Told&) const = default;
};
std::vector<Told> told;

TEST(DerivedArguments, SizeAndAlignmentAreThoseOfTheLastRequest) {
  if (ximalloc().instruments().reset == nullptr) GTEST_SKIP() << "this flavour has no test seams";
  Wrapper wrapper;
  wrapper.api().free_size = [](void* block, size_t size) {
    told.push_back({size, 0});
    right().free_size(block, size);
  };
  wrapper.api().free_size_aligned = [](void* block, size_t size, size_t alignment) {
    told.push_back({size, alignment});
    right().free_size_aligned(block, size, alignment);
  };
  wrapper.api().free_aligned = [](void* block, size_t alignment) {
    told.push_back({0, alignment});
    right().free_aligned(block, alignment);
  };
  told.clear();
  const RunResult result = run_text(wrapper,
                                    "p0 = malloc(100)\nfree_size(p0)\n"
                                    "p0 = calloc(3, 7)\np0 = realloc(p0, 5000)\nfree_size(p0)\n"
                                    "p0 = malloc(100)\nexpand(p0, 110)\nfree_size(p0)\n"
                                    "p0 = strndup(50, 9)\nfree_size(p0)\n"
                                    "p0 = aligned_alloc(4096, 100)\nfree_size_aligned(p0)\n"
                                    "p0 = calloc_aligned_at(2, 100, 4096, 8192)\nfree_size_aligned(p0)\n"
                                    "p0 = malloc_aligned_at(77, 64, 3)\nfree_size_aligned(p0)\n"
                                    "p0 = aligned_alloc(4096, 100)\np0 = realloc(p0, 9000)\nfree_aligned(p0)\n"
                                    "p0 = malloc(10)\np0 = realloc_aligned(p0, 20, 256)\nfree_aligned(p0)\n"
                                    "p0 = valloc(10)\nfree_aligned(p0)\nfree_size_aligned(NULL)\n");
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  EXPECT_EQ(result.skipped, 0u);
  const std::vector<Told> expected = {{100, 0}, {5000, 0}, {110, 0}, {10, 0},   {100, 4096}, {200, 4096},
                                      {77, 1},  {0, 1},    {0, 256}, {0, 4096}, {0, 1}};
  EXPECT_TRUE(told == expected);
}

TEST(DerivedArguments, WhatIsNotSmallIsSkipped) {
  const RunResult result = run_text(ximalloc(),
                                    "p0 = malloc_small(1024)\nfree_small(p0)\np1 = malloc_small(1025)\n"
                                    "p2 = malloc(1025)\nfree_small(p2)\nfree_small(NULL)\np3 = strdup(1048577)\n");
  EXPECT_FALSE(result.violation) << result.violation.sentence;
  EXPECT_EQ(result.executed, 3u);
  EXPECT_EQ(result.skipped, 4u);
}

}  // namespace
}  // namespace assay
