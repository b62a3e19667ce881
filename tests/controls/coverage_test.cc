// A shared object that was compiled with -fsanitize-coverage tells the worker of its branches.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "harness/exec/worker.h"
#include "harness/exec/worker_command.h"
#include "harness/op/encode.h"
#include "harness/op/text.h"

namespace assay {
namespace {

std::string library(const std::string& name) {
  return std::string(ASSAY_LIBRARY_DIR) + "/lib" + name + ".so";
}

// False where there is none, or it is of another flavour than this test.
bool has_worker() {
  const std::string beside = executable_dir() + "/assay-worker";
  if (access(beside.c_str(), X_OK) != 0) return false;
  setenv("ASSAY_WORKER", beside.c_str(), 1);
  return true;
}

OutcomeCounters::Cells counted(Worker& worker, const std::string& text) {
  const std::vector<uint8_t> bytes = encode(parse_text("assay 1\n" + text, "coverage"));
  WorkRequest request;
  request.bytes = bytes;
  request.observe = true;
  request.check_growth = false;
  EXPECT_FALSE(worker.run(request).violation);
  return worker.counters();
}

int64_t hit(const OutcomeCounters::Cells& cells) {
  return std::ranges::count_if(cells, [](uint8_t cell) { return cell != 0; });
}

class Covered : public testing::TestWithParam<const char*> {};

TEST_P(Covered, GuidesByItsBranches) {
  if (!has_worker()) GTEST_SKIP() << "no worker is built in this flavour";
  const std::string covered = library(GetParam()), plain = library("faulty_deep");
  ASSERT_TRUE(must_run_apart(covered));
  ASSERT_FALSE(must_run_apart(plain));
  Worker with(worker_apart(covered)), without(worker_apart(plain));
  // The same to whoever sees answers only, and a step deeper.
  const std::string near = "p0 = malloc(20)\n", deeper = "p0 = malloc(7)\np1 = malloc(19)\n";
  // The first run maps memory.
  counted(with, near);
  counted(without, near);
  const OutcomeCounters::Cells flat = counted(with, near);
  EXPECT_GT(hit(flat), hit(counted(without, near)) + 5);
  EXPECT_EQ(counted(with, near), flat);
  EXPECT_EQ(without.coverage_counters(), 0u);
  const OutcomeCounters::Cells deep = counted(with, deeper);
  EXPECT_GE(hit(deep) - hit(flat), hit(counted(without, deeper)) - hit(counted(without, near)) + 2);
}

INSTANTIATE_TEST_SUITE_P(Ways, Covered,
                         testing::Values("coveredinlinebitcounterspctable", "coveredtracepcguard", "coveredtracepc"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace assay
