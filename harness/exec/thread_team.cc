#include "harness/exec/thread_team.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "harness/exec/destructor.h"
#include "harness/model/mapped_array.h"

namespace assay {
namespace {

void futex_wait(std::atomic<uint32_t>& word, uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace

ThreadTeam::ThreadTeam() : lanes_(static_cast<Lane*>(map_pages(kMaxThreads * sizeof(Lane)))) {}

ThreadTeam::~ThreadTeam() {
  if (lanes_ == nullptr) return;
  for (uint32_t i = 0; i < thread_count_; ++i) lanes_[i].signal_stack.~SignalStack();
  unmap_pages(lanes_, kMaxThreads * sizeof(Lane));
}

void ThreadTeam::start(Body body, void* context) {
  body_ = body;
  context_ = context;
  // A forked child has none of its parent's threads.
  const int32_t process = getpid();
  if (process_ != process && thread_count_ > 0) abandon();
  process_ = process;
  if (lanes_ == nullptr) lanes_ = static_cast<Lane*>(map_pages(kMaxThreads * sizeof(Lane)));
  lanes_[0].token.store(0, std::memory_order_relaxed);
  lanes_[0].kernel_id = static_cast<int32_t>(syscall(SYS_gettid));
}

void ThreadTeam::abandon() {
  lanes_ = nullptr;
  thread_count_ = 0;
}

void* ThreadTeam::enter(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  ThreadTeam& team = *lane.team;
  const auto me = static_cast<uint32_t>(&lane - team.lanes_);
  lane.kernel_id = static_cast<int32_t>(syscall(SYS_gettid));
  lane.signal_stack.install();
  do {
    wait(lane);
  } while (team.body_(team.context_, me));
  return nullptr;
}

void ThreadTeam::go_on_in_destructor(uint32_t me) {
  assay::go_on_in_destructor(enter_destructor, &lanes_[me]);
}

void ThreadTeam::enter_destructor(void* argument) {
  const Lane& lane = *static_cast<Lane*>(argument);
  ThreadTeam& team = *lane.team;
  static_cast<void>(team.body_(team.context_, static_cast<uint32_t>(&lane - team.lanes_)));
}

void ThreadTeam::pass_to(uint32_t thread) {
  Lane& lane = lanes_[thread];
  if (thread != 0 && !lane.alive) {
    lane.token.store(0, std::memory_order_relaxed);
    lane.team = this;
    lane.handle = start_thread(enter, &lane);
    lane.alive = true;
    thread_count_ = std::max(thread_count_, thread + 1);
  }
  lane.resting = false;
  lane.token.store(1, std::memory_order_release);
  futex_wake(lane.token);
}

void ThreadTeam::pass_and_wait(uint32_t thread, uint32_t me) {
  // Taken before the token is gone: from then on another thread may abandon this team and start a new one.
  Lane& own = lanes_[me];
  pass_to(thread);
  wait(own);
}

void ThreadTeam::wait(Lane& lane) {
  while (lane.token.load(std::memory_order_acquire) == 0) futex_wait(lane.token, 0);
  lane.token.store(0, std::memory_order_relaxed);
}

void ThreadTeam::join(uint32_t thread) {
  pthread_join(lanes_[thread].handle, nullptr);
  lanes_[thread].alive = false;
}

}  // namespace assay
