#include "harness/exec/growth.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

#include "harness/exec/kept_memory.h"
#include "harness/oracle/describe.h"
#include "harness/oracle/footprint.h"

// Present in sanitized builds, whose runtime keeps something for every thread that ever lived.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// The first warms up and is not judged. So many that what only spreads ends before they do: blocks of an allocator that
// permutes its free lists come to lie on one more page each time, until all have been touched.
constexpr size_t kStretches = 16;
constexpr auto kStretchTime = std::chrono::milliseconds(60);
constexpr uint64_t kMaxRuns = 50'000;
constexpr uint64_t kMinRuns = 4;
// Growth that counts: more than the noise of a process, and at least a small block a run.
constexpr uint64_t kMinGrowthBytes = 256 << 10;
constexpr uint64_t kMinBytesPerRun = 16;

// Resident bytes of this process, read without allocating.
uint64_t resident_bytes() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t got = read(file, text.data(), text.size() - 1);
  close(file);
  if (got <= 0) return 0;
  char* next = nullptr;
  (void)std::strtoull(text.data(), &next, 10);
  return std::strtoull(next, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

bool can_be_judged(const Program& program, const Subject& subject) {
  if (has_footprint(subject)) return false;
  const bool sanitized = __sanitizer_set_death_callback != nullptr;
  return std::none_of(program.lines.begin(), program.lines.end(), [sanitized](const Operation& line) {
    return line.code == OpCode::kFork || (sanitized && line.thread != 0);
  });
}

class GrowthCheck {
 public:
  GrowthCheck(const Program& program, const Subject& subject, const RunOptions& options)
      : program_(program), subject_(subject), options_(options) {
    options_.strictness = Strictness::kSampled;
    options_.observer = nullptr;
    options_.print_steps = false;
    options_.break_at_line = kNoOperation;
  }

  bool run(Violation& violation) {
    const auto start = Clock::now();
    if (!run_times(kMinRuns)) return true;
    const auto once = std::max<Clock::duration>((Clock::now() - start) / kMinRuns, std::chrono::microseconds(1));
    const uint64_t runs = std::clamp<uint64_t>(static_cast<uint64_t>(kStretchTime / once), kMinRuns, kMaxRuns);
    const uint64_t judged = std::max(kMinGrowthBytes, runs * kMinBytesPerRun);
    std::array<uint64_t, kStretches> held{};
    for (size_t i = 0; i < kStretches; ++i) {
      if (!run_times(runs)) return true;
      if (subject_.api().collect != nullptr) subject_.api().collect(true);
      give_back_kept_memory();
      held[i] = resident_bytes();
      if (i > 0 && held[i] < held[i - 1] + judged) return true;
    }
    violation.oracle = Oracle::kFootprint;
    describe(violation.sentence, "the same program takes more memory each time that it runs");
    describe(violation.expected, "as much after {} runs as after {}", kStretches * runs, runs);
    describe(violation.seen, "{} KiB resident after {} runs, {} KiB after {}", held.front() >> 10, runs,
             held.back() >> 10, kStretches * runs);
    return false;
  }

 private:
  bool run_times(uint64_t times) {
    for (uint64_t i = 0; i < times; ++i) {
      ProgramSteps steps(program_);
      if (run_sequential(steps, subject_, options_).violation) return false;
    }
    return true;
  }

  const Program& program_;
  const Subject& subject_;
  RunOptions options_;
};

}  // namespace

bool check_growth(const Program& program, const Subject& subject, const RunOptions& options, Violation& violation) {
  return !can_be_judged(program, subject) || GrowthCheck(program, subject, options).run(violation);
}

}  // namespace assay
