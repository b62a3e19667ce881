// The footprint oracle for subjects without a seam.
#include <gtest/gtest.h>

#include <string>

#include "harness/exec/growth.h"
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

}  // namespace
}  // namespace assay
