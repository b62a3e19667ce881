#include "harness/exec/seam_watch.h"

#include <atomic>
#include <cerrno>

#include "harness/oracle/seam.h"

namespace assay {
namespace {

// A call that would do harm fails, so that the process lives to tell.
constexpr Failure kRefused{.error = EINVAL};

struct Entered {
  uint64_t run = 0;
  WatchedLine* line = nullptr;
};
thread_local Entered entered;
// For calls of a thread that has not entered a line. Nothing waits there.
thread_local WatchedLine nobodys;

std::atomic<uint64_t> runs{0};

}  // namespace

void SeamWatch::start(const Subject& subject, const ShadowHeap& heap, OsCallLog* log, CameFailures* came) {
  if (came != nullptr) came->clear();
  if (subject.instruments().watch_os == nullptr) return;
  heap_ = &heap;
  log_ = log;
  came_ = came;
  run_ = runs.fetch_add(1, std::memory_order_relaxed) + 1;
  if (subject.instruments().watch_os(this)) subject_ = &subject;
}

void SeamWatch::stop() {
  if (subject_ != nullptr) subject_->instruments().watch_os(nullptr);
  subject_ = nullptr;
}

void SeamWatch::enter(WatchedLine& line) {
  entered = {run_, &line};
}

void SeamWatch::note(const OsCall& call, const WatchedLine& line) {
  if (log_ == nullptr) return;
  if (log_->count < log_->capacity) {
    log_->entries[log_->count] = {line.number, line.armed.calls(call.call), call.call, call.site};
  }
  ++log_->count;
}

void SeamWatch::note_came(const WatchedLine& line, uint32_t came) {
  if (came_ == nullptr) return;
  for (uint32_t index = 0; index < kMaxFailures; ++index) {
    if ((came >> index & 1) != 0) came_->note(line.number, index);
  }
}

bool SeamWatch::is_harmless(const OsCall& call) {
  if (objection_.load(std::memory_order_relaxed) != Objection::kNone) return true;
  Violation violation;
  if (check_os_call(call, *heap_, violation)) return true;
  Objection none = Objection::kNone;
  if (objection_.compare_exchange_strong(none, Objection::kBeingMade, std::memory_order_relaxed)) {
    violation_ = violation;
    objection_.store(Objection::kMade, std::memory_order_release);
  }
  return false;
}

const Failure* SeamWatch::before(const OsCall& call) {
  WatchedLine& line = entered.run == run_ ? *entered.line : nobodys;
  const uint32_t had_come = line.armed.came();
  const Failure* failure = line.armed.ask(call.call, standing_);
  calls_.fetch_add(1, std::memory_order_relaxed);
  note(call, line);
  if (line.armed.came() != had_come) note_came(line, line.armed.came() & ~had_come);
  if (!is_harmless(call)) return &kRefused;
  if (failure == nullptr) return nullptr;
  failed_calls_.fetch_or(1u << static_cast<unsigned>(call.call), std::memory_order_relaxed);
  failed_.fetch_add(1, std::memory_order_relaxed);
  return failure;
}

SeamAccount SeamWatch::account() const {
  return {.calls = calls(), .failed = failed(), .came = entered.run == run_ ? entered.line->armed.came() : 0};
}

void SeamWatch::add(const SeamAccount& before, const SeamAccount& after) {
  calls_.fetch_add(after.calls - before.calls, std::memory_order_relaxed);
  failed_.fetch_add(after.failed - before.failed, std::memory_order_relaxed);
  if (entered.run != run_) return;
  note_came(*entered.line, after.came & ~entered.line->armed.came());
  entered.line->armed.add_came(after.came);
}

}  // namespace assay
