// Memory that a worker process and the process that watches it share: one request at a time goes in, its result comes
// out, and what is there when the worker dies says how far it had come.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <type_traits>

#include "harness/exec/came_failures.h"
#include "harness/exec/comparison.h"
#include "harness/exec/explore.h"
#include "harness/exec/outcome_counters.h"
#include "harness/exec/run.h"
#include "harness/exec/seam_watch.h"
#include "harness/oracle/violation.h"

namespace assay {

enum class WorkState : uint32_t {
  kStarting,  // the worker has not opened its subject yet
  kIdle,      // it waits for a request
  kAsked,     // a request is there, or under way
  kDone,      // `result` is filled in
  kRefused,   // bad input, `message` says which
  kBroken,    // a fault of the harness, `message` says which
};

enum class WorkForm : uint32_t { kBytes, kFile, kTraceProcess };

struct WorkOrder {
  WorkForm form = WorkForm::kBytes;
  uint32_t byte_count = 0;
  uint32_t trace_process = 0;  // which process of a trace
  Mode mode = Mode::kSequential;
  Strictness strictness = Strictness::kStrict;
  bool print_steps = false;
  bool observe = false;   // fill `counters`
  bool explores = false;  // in mode schedule, under many schedules, within `limits`
  ExploreLimits limits;
  bool compares = false;       // fill `comparison`, whose drops are there already
  bool logs_os_calls = false;  // fill `os_calls`
  bool check_growth = true;    // of a subject without a seam, after a clean strict run
  uint64_t live_bytes_cap = uint64_t{1} << 30;
  uint64_t fork_limit_ms = 0;
  uint64_t break_at_line = kNoOperation;
  uint64_t break_at_member = 0;
  char path[4096] = {};
};

// A number of the text of the harness that this program was built from: what lays out this memory, decodes programs and
// judges them. Generated (cmake/harness_sources.cmake).
uint64_t harness_sources();
// The exit status of a worker that was built from another.
inline constexpr int kOtherSources = 3;

inline constexpr uint64_t kMostLoggedCalls = 65'536;

// Sent to a thread of the worker that stands still: its handler writes the innermost frame in the subject to `crash`.
inline constexpr int kWhereSignal = SIGUSR2;

struct WorkerChannel {
  // Checked by the worker before anything else.
  uint64_t sources = harness_sources();
  std::atomic<uint32_t> state{static_cast<uint32_t>(WorkState::kStarting)};
  WorkOrder order;
  uint8_t bytes[kMaxBytes] = {};
  Progress progress;
  Violation crash;  // written by the crash handler of the worker; of a hang, only its frame
  // `result` is there already; the program runs again and again, only to see whether the process grows.
  std::atomic<bool> judging_growth{false};
  RunResult result;
  CameFailures came;  // of the run that `result` is of, or of the one that died
  OutcomeCounters::Cells counters{};
  Comparison comparison;    // of the last run that asked for it
  Exploration exploration;  // in mode schedule; its record is that of the last run, or of the one that died
  char message[1024] = {};
  AskableOperations askable{};     // what the subject can be asked; filled in with its version
  char subject_version[128] = {};  // filled in when the subject has been opened
  uint64_t coverage_counters = 0;  // of the subject's own, that `counters` also has
  bool resettable = false;         // it can be put back to the state of a fresh process
  // An OsCallLog with room for kMostLoggedCalls, of the last run that asked for it.
  alignas(OsCallLog) unsigned char os_calls[OsCallLog::bytes_for(kMostLoggedCalls)];
};
static_assert(std::atomic<uint32_t>::is_always_lock_free && std::is_trivially_copyable_v<RunResult>);

// Maps the channel behind a file descriptor; null on failure (errno says why).
WorkerChannel* map_channel(int fd);
void unmap_channel(WorkerChannel* channel);

// Sets the state and wakes whoever waits for it, in either process.
void set_state(WorkerChannel& channel, WorkState state);
// Returns the state once it differs from `old`, or after `timeout_ms`.
WorkState wait_state(WorkerChannel& channel, WorkState old, uint64_t timeout_ms);

}  // namespace assay
