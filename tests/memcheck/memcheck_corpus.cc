// memcheck_corpus SUBJECT FILE...: runs each program in this one process, under valgrind's memcheck, and says after
// which of them memcheck had more to object to. Exit status 1 where it had, or an oracle had; 3 outside of valgrind.
#include <fmt/format.h>
#include <valgrind/memcheck.h>

#include "harness/exec/run.h"
#include "harness/op/read_program.h"
#include "harness/subject/registry.h"

namespace assay {
namespace {

int run_all(const Subject& subject, int count, char** files) {
  int failed = 0;
  uint64_t operations = 0;
  auto errors = VALGRIND_COUNT_ERRORS;
  for (int i = 0; i < count; i++) {
    const Program program = read_program(files[i]);
    ProgramSteps steps(program);
    RunOptions options;
    options.strictness = Strictness::kSampled;
    options.fork_limit_ms = 120'000;
    const RunResult result = run_sequential(steps, subject, options);
    operations += result.executed;
    const auto after = VALGRIND_COUNT_ERRORS;
    if (after != errors) fmt::print("{}: memcheck objects\n", files[i]);
    if (result.violation) fmt::print("{}: {}\n", files[i], result.violation.sentence);
    failed += after != errors || result.violation ? 1 : 0;
    errors = after;
  }
  fmt::print("{} programs, {} operations, {} failed\n", count, operations, failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  if (argc < 3 || RUNNING_ON_VALGRIND == 0) return 3;
  try {
    return assay::run_all(*assay::open_subject(argv[1]), argc - 2, argv + 2);
  } catch (const assay::InputError& error) {
    fmt::print(stderr, "{}\n", error.message);
    return 2;
  }
}
