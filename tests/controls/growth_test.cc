// The footprint oracle for subjects without a seam.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/exec/growth.h"
#include "harness/exec/kept_memory.h"
#include "harness/op/generate.h"
#include "harness/op/text.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

std::string library_path(const std::string& name) {
  return std::string(ASSAY_LIBRARY_DIR) + "/lib" + name + ".so";
}

TEST(Growth, MemoryThatIsNeverUsedAgainIsSeen) {
  const auto subject = open_subject(library_path("faulty_footprint"));
  const Program program = parse_text("assay 1\np0 = malloc(100)\np1 = calloc(3, 50)\nfree(p0)\n", "growth");
  Violation violation;
  EXPECT_FALSE(check_growth(program, *subject, {}, violation));
  EXPECT_EQ(violation.oracle, Oracle::kFootprint);
  EXPECT_NE(std::string(violation.seen), "");
}

TEST(Growth, AllocatorsThatUseTheirMemoryAgainAreClean) {
  for (const std::string& name : {library_path("toy_malloc"), std::string("libc")}) {
    const auto subject = open_subject(name);
    for (uint64_t seed = 0; seed < 3; ++seed) {
      Violation violation;
      EXPECT_TRUE(check_growth(generate(seed, 60), *subject, {}, violation)) << name << ": " << violation.seen;
    }
  }
}

// Each block at an address that none had before, as mimalloc does with its segments; nothing is kept. It takes its
// time, so that the model, which bounds what it keeps, does not come to the bound while it is judged.
class Wanderer final : public Subject {
 public:
  Wanderer() {
    name_ = "wanderer";
    api_.malloc = [](size_t) -> void* {
      constexpr uintptr_t kFirst = uintptr_t{0x2000} << 32, kStep = uintptr_t{1} << 20;
      static uintptr_t next = kFirst;
      next += kStep;
      usleep(200);
      void* const page =
          mmap(reinterpret_cast<void*>(next), kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return page == MAP_FAILED ? nullptr : page;
    };
    api_.free = [](void* block) {
      if (block != nullptr) munmap(block, kPage);
    };
  }
  bool owns_code(const void*) const override { return false; }

 private:
  static constexpr size_t kPage = 4096;
};

long resident_kib() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4;
}

TEST(Growth, WhatTheModelKeepsOfAddressesIsGivenBack) {
  const Wanderer wanderer;
  const Program program = parse_text("assay 1\np0 = malloc(100)\n", "growth");
  const auto run = [&] {
    ProgramSteps steps(program);
    EXPECT_FALSE(run_sequential(steps, wanderer, {}).violation);
  };
  run();
  give_back_kept_memory();
  const long before = resident_kib();
  for (int i = 0; i < 2000; ++i) run();
  const long kept = resident_kib() - before;
  EXPECT_GT(kept, 4000) << "else it shows nothing";
  give_back_kept_memory();
  EXPECT_LT(resident_kib() - before, kept / 4);
  run();
}

TEST(Growth, WhatTheModelKeepsIsNotTheSubjects) {
  const Wanderer wanderer;
  const Program program = parse_text("assay 1\np0 = malloc(100)\n", "growth");
  Violation violation;
  EXPECT_TRUE(check_growth(program, wanderer, {}, violation)) << violation.seen;
}

}  // namespace
}  // namespace assay
