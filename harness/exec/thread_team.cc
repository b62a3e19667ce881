#include "harness/exec/thread_team.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <stdexcept>

#include "harness/model/mapped_array.h"

namespace assay {
namespace {

// Room for the subject and a sanitizer's frames; small enough for a thousand threads.
constexpr size_t kStackBytes = size_t{1} << 20;
constexpr size_t kSignalStackBytes = size_t{64} << 10;

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
  for (uint32_t i = 0; i < thread_count_; ++i) {
    if (lanes_[i].signal_stack != nullptr) unmap_pages(lanes_[i].signal_stack, kSignalStackBytes);
  }
  unmap_pages(lanes_, kMaxThreads * sizeof(Lane));
}

void ThreadTeam::start(Body body, void* context) {
  body_ = body;
  context_ = context;
  if (lanes_ == nullptr) lanes_ = static_cast<Lane*>(map_pages(kMaxThreads * sizeof(Lane)));
  lanes_[0].token.store(0, std::memory_order_relaxed);
  lanes_[0].kernel_id = static_cast<int32_t>(syscall(SYS_gettid));
}

void ThreadTeam::abandon() {
  lanes_ = nullptr;
  thread_count_ = 0;
}

void ThreadTeam::use_signal_stack(Lane& lane) {
  // ASan gives each thread a stack of its own, and at the thread's end unmaps whichever is installed then.
  stack_t current{};
  if (sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0) return;
  if (lane.signal_stack == nullptr) lane.signal_stack = map_pages(kSignalStackBytes);
  stack_t stack{};
  stack.ss_sp = lane.signal_stack;
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, nullptr);
}

void* ThreadTeam::enter(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  ThreadTeam& team = *lane.team;
  const auto me = static_cast<uint32_t>(&lane - team.lanes_);
  lane.kernel_id = static_cast<int32_t>(syscall(SYS_gettid));
  team.use_signal_stack(lane);
  wait(lane);
  team.body_(team.context_, me);
  return nullptr;
}

void ThreadTeam::pass_to(uint32_t thread) {
  Lane& lane = lanes_[thread];
  if (thread != 0 && !lane.alive) {
    lane.token.store(0, std::memory_order_relaxed);
    lane.team = this;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    const int error = pthread_create(&lane.handle, &attributes, enter, &lane);
    pthread_attr_destroy(&attributes);
    if (error != 0) throw std::runtime_error("the system gives no more threads");
    lane.alive = true;
    thread_count_ = std::max(thread_count_, thread + 1);
  }
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
