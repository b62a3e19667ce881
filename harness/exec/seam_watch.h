// Watches the system calls of a program: lets those fail that the program says, and has the oracle look at each. One
// for a run, whatever number of threads it has, also when several of them are inside of the subject at a time; orders
// nothing between them in the eyes of a race detector.
#pragma once

#include <atomic>
#include <cstdint>

#include "failpoints/armed_plan.h"
#include "harness/exec/came_failures.h"
#include "harness/model/shadow_heap.h"
#include "harness/op/program.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// The calls that each line of a program made, while one thread at a time is inside of the subject. In memory that all
// processes of the run share.
struct OsCallLog {
  struct Entry {
    uint64_t line;  // kNoOperation: the end of the program
    uint32_t nth;   // of its kind within the line
    SystemCall call;
    OsCallSite site;
  };
  uint64_t count = 0;     // of all calls
  uint64_t capacity = 0;  // entries that there is room for
  Entry entries[1];       // as many as there is room for

  static constexpr size_t bytes_for(uint64_t capacity) { return sizeof(OsCallLog) + capacity * sizeof(Entry); }
};

// The line that a thread is inside of, or was last: what it does after that, at its end, belongs to it too. Threads
// that take turns may share one.
struct WatchedLine {
  ArmedLine armed;
  uint64_t number = kNoOperation;  // kNoOperation: the end of the program
};

// What was done to one thread's present line, for a fork's child to tell its parent.
struct SeamAccount {
  uint64_t calls = 0;
  uint64_t failed = 0;
  uint32_t came = 0;
};

class SeamWatch final : public OsWatcher {
 public:
  SeamWatch() = default;
  ~SeamWatch() override { stop(); }
  SeamWatch(const SeamWatch&) = delete;
  SeamWatch& operator=(const SeamWatch&) = delete;

  // From now on the subject's calls are seen. `heap` is the model that live blocks are looked up in; `log` and `came`
  // may be null.
  void start(const Subject& subject, const ShadowHeap& heap, OsCallLog* log, CameFailures* came);
  void stop();

  // Whether the subject's calls are seen at all.
  bool watches() const { return subject_ != nullptr; }

  // The calling thread enters a line, and stays there until it enters another one.
  void enter(WatchedLine& line);
  void heal() { standing_.heal(); }
  // What comes now is a question of the harness, and no call of the program.
  void stop_noting() { log_ = nullptr; }

  // Whether a failure stands, or has come since `failed_before`, which failed() answered then.
  bool may_have_failed(uint64_t failed_before) const { return failed() != failed_before || standing_.any(); }
  uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }
  bool has_failed(SystemCall call) const {
    return (failed_calls_.load(std::memory_order_relaxed) >> static_cast<unsigned>(call) & 1) != 0;
  }
  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }

  // What the oracle objected to first, null when to nothing. The call itself did not happen.
  const Violation* violation() const {
    return objection_.load(std::memory_order_acquire) == Objection::kMade ? &violation_ : nullptr;
  }

  const Failure* before(const OsCall& call) override;
  void after(const OsCall&, uintptr_t) override {}

  // Of the calling thread's line, for a process to tell another one.
  SeamAccount account() const;
  void add(const SeamAccount& before, const SeamAccount& after);

 private:
  enum class Objection : uint8_t { kNone, kBeingMade, kMade };

  void note(const OsCall& call, const WatchedLine& line);
  void note_came(const WatchedLine& line, uint32_t came);
  // False when the call would do harm.
  bool is_harmless(const OsCall& call);

  const Subject* subject_ = nullptr;
  const ShadowHeap* heap_ = nullptr;
  OsCallLog* log_ = nullptr;
  CameFailures* came_ = nullptr;
  uint64_t run_ = 0;  // distinguishes what threads remember of this run from what they remember of earlier ones
  StandingFailures standing_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint32_t> failed_calls_{0};
  std::atomic<Objection> objection_{Objection::kNone};
  Violation violation_;  // when it is made
};

}  // namespace assay
