// How much address space a program reserves, in each mode.
#include <gtest/gtest.h>

#include <string>

#include "harness/exec/run.h"
#include "harness/op/text.h"
#include "harness/subject/subject.h"
#include "harness/subject/ximalloc.h"

namespace assay {
namespace {

RunResult run(const std::string& lines, Mode mode) {
  return run_in_mode(parse_text("assay 1\n" + lines, "arenas.ops"), mode, *open_ximalloc(), {});
}

// 512 MiB and 512 MiB, and one byte more than a scheduler can follow; then what no system has.
constexpr const char* kLines =
    "reserve_os_memory(536870912, 0, 0)\n"
    "reserve_os_memory(536870912, 0, 0)\n"
    "reserve_os_memory(1, 0, 0)\n"
    "reserve_os_memory(1152921504606846976, 0, 0)\n"
    "stats_print()\n";

TEST(Arenas, MoreThanASchedulerCanFollowIsLeftOutThere) {
  for (const Mode mode : {Mode::kSequential, Mode::kSchedule, Mode::kFree}) {
    const RunResult result = run(kLines, mode);
    EXPECT_FALSE(result.violation) << static_cast<int>(result.violation.oracle);
    EXPECT_EQ(result.skipped, mode == Mode::kSchedule ? 1u : 0u);
    EXPECT_EQ(result.executed, mode == Mode::kSchedule ? 4u : 5u);
  }
}

}  // namespace
}  // namespace assay
