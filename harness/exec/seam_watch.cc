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
  ArmedLine* line = nullptr;
  uint64_t number = kNoOperation;
};
thread_local Entered entered;

std::atomic<uint64_t> runs{0};

}  // namespace

void SeamWatch::start(const Subject& subject, const ShadowHeap& heap, OsCallLog* log) {
  if (subject.instruments().watch_os == nullptr) return;
  subject_ = &subject;
  heap_ = &heap;
  log_ = log;
  run_ = runs.fetch_add(1, std::memory_order_relaxed) + 1;
  subject.instruments().watch_os(this);
}

void SeamWatch::stop() {
  if (subject_ != nullptr) subject_->instruments().watch_os(nullptr);
  subject_ = nullptr;
}

void SeamWatch::enter(ArmedLine& line, uint64_t number) {
  entered = {run_, &line, number};
}

void SeamWatch::note(SystemCall call, uint32_t nth) {
  if (log_ == nullptr) return;
  const uint64_t number = entered.run == run_ ? entered.number : kNoOperation;
  if (log_->count < log_->capacity) log_->entries[log_->count] = {number, nth, call};
  ++log_->count;
}

const Failure* SeamWatch::before(const OsCall& call) {
  ArmedLine& line = entered.run == run_ ? *entered.line : nobodys_;
  const Failure* failure = line.ask(call.call, standing_);
  ++calls_;
  note(call.call, line.calls(call.call));
  if (!violation_ && !check_os_call(call, *heap_, violation_)) return &kRefused;
  if (failure == nullptr) return nullptr;
  ++failed_;
  failed_calls_ |= 1u << static_cast<unsigned>(call.call);
  return failure;
}

SeamAccount SeamWatch::account() const {
  return {.calls = calls_, .failed = failed_, .came = entered.run == run_ ? entered.line->came() : 0};
}

void SeamWatch::add(const SeamAccount& before, const SeamAccount& after) {
  calls_ += after.calls - before.calls;
  failed_ += after.failed - before.failed;
  if (entered.run == run_) entered.line->add_came(after.came);
}

}  // namespace assay
