// AFL++ keeps a process that has opened the subject and forks a new one off it whenever one has died of a program. The
// counters are in memory that it shares with us: those of -fsanitize-coverage=trace-pc-guard in the order of their
// guards, then those of outcomes, which stay zero where the subject has counters of its own.
#include "fuzz/support/engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

extern "C" {
// Bounds of the guards that the compiler emits; AFL++'s runtime numbers them, and counts by the number.
extern uint32_t __start___sancov_guards[] __attribute__((weak, visibility("hidden")));
extern uint32_t __stop___sancov_guards[] __attribute__((weak, visibility("hidden")));
extern uint8_t* __afl_area_ptr;
void __sanitizer_cov_trace_pc_guard_init(uint32_t* start, uint32_t* stop);
}

namespace assay::fuzz {
namespace {

// Guards of no code make room behind the others; before AFL++ is told how much there is, which may be before main.
std::array<uint32_t, kOutcomeCounters> extra_guards;
[[gnu::constructor(101)]] void make_room() {
  __sanitizer_cov_trace_pc_guard_init(extra_guards.data(), extra_guards.data() + extra_guards.size());
}

StatsPage* page = nullptr;
bool in_program = false;

// Stands in for the shared memory where nobody may see the counters.
std::array<uint8_t, 2 * kMaxCounters> unseen;

void child_of_a_fork() {
  if (in_program) {
    // A program's own fork. What its child does at the same time as we go on would be counted in an order of chance.
    __afl_area_ptr = unseen.data();
    in_program = false;
    return;
  }
  // A process for the programs to come. It does not outlive the one that it was forked off.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (page->in_program != 0) page->evidence_held = 1;
  page->in_program = 0;
  // What ran in the process before this one is nothing that this one's finds could come of.
  if (page->evidence_held == 0) page->recent.forget();
}

// To AFL++ an exit is a good end, whoever asked for it.
void on_exit_of_the_process() {
  if (in_program) std::abort();
}

// Who is killed cannot remove the memory that it shares with us; marked now, it goes with the last who uses it.
void let_shared_memory_go(const char* variable) {
  const char* id = std::getenv(variable);
  if (id != nullptr) ::shmctl(std::atoi(id), IPC_RMID, nullptr);
}

}  // namespace

void engine_begins(StatsPage& stats) {
  page = &stats;
  stats.in_program = 0;
  stats.evidence_held = 0;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  let_shared_memory_go("__AFL_SHM_ID");
  let_shared_memory_go("__AFL_SHM_FUZZ_ID");
  std::atexit(on_exit_of_the_process);
  ::pthread_atfork(nullptr, nullptr, child_of_a_fork);
}

OutcomeCounters::Cells& extra_counters() {
  return *reinterpret_cast<OutcomeCounters::Cells*>(__afl_area_ptr + extra_guards.front());
}

std::span<const uint8_t> counters() {
  if (__start___sancov_guards == nullptr) return {};
  const auto count = static_cast<size_t>(__stop___sancov_guards - __start___sancov_guards);
  return {__afl_area_ptr + *__start___sancov_guards, count};
}

void forget_counters() {
  if (__start___sancov_guards != nullptr) std::memset(__afl_area_ptr + *__start___sancov_guards, 0, counters().size());
}

void program_begins(StatsPage& stats, std::span<const uint8_t> bytes) {
  if (stats.evidence_held == 0) stats.current.keep(bytes);
  stats.in_program = 1;
  in_program = true;
}

void program_ends(StatsPage& stats) {
  stats.in_program = 0;
  in_program = false;
}

}  // namespace assay::fuzz
