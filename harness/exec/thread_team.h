// Real threads for a program's logical ones, of which exactly one runs at a time: the one that holds the token. The
// others are parked on a futex. Thread 0 is the thread that owns the team. A thread may rest when its part is over, and
// begin again in the next program: its birth and its end cost more than all of a short one.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "harness/exec/real_thread.h"

namespace assay {

class ThreadTeam {
 public:
  static constexpr uint32_t kMaxThreads = 65536;
  // Threads above rest no more than they must: a program of a thousand would leave them for nobody.
  static constexpr uint32_t kMostResting = 16;
  // Runs on each thread that comes to life while that one holds the token. When it returns, having passed the token on,
  // the thread ends, or rests when the answer is true.
  using Body = bool (*)(void* context, uint32_t thread);

  ThreadTeam();
  // The threads must have ended (not merely rest), or abandon() was called.
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  void start(Body body, void* context);

  bool alive(uint32_t thread) const { return lanes_[thread].alive && !lanes_[thread].resting; }
  // One more than the highest thread that was ever started.
  uint32_t thread_count() const { return thread_count_; }
  int32_t kernel_id(uint32_t thread) const { return lanes_[thread].kernel_id; }

  // Hands the token to `thread`, which comes to life if it is not alive; the caller may then only end.
  // Throws std::runtime_error when the system gives no more threads.
  void pass_to(uint32_t thread);
  // Hands it over and parks thread `me` until it comes back.
  void pass_and_wait(uint32_t thread, uint32_t me);
  // On thread `me` while it holds the token, which it keeps: the body is called once more, in a destructor of the
  // thread's local storage, after it has returned. Needs has_destructor_round().
  void go_on_in_destructor(uint32_t me);
  // On thread 0, after `thread` left its body: returns when it has really ended, TLS destructors included.
  void join(uint32_t thread);
  // On thread 0, after `thread` left its body in order to rest.
  void rest(uint32_t thread) { lanes_[thread].resting = true; }
  // Leaves the parked threads parked for ever, and their memory with them: the heap that they would tear down is
  // broken.
  void abandon();

 private:
  struct Lane {
    std::atomic<uint32_t> token;
    bool alive;
    bool resting;
    int32_t kernel_id;
    pthread_t handle;
    SignalStack signal_stack;
    ThreadTeam* team;
  };
  static void* enter(void* lane);
  static void enter_destructor(void* lane);
  static void wait(Lane& lane);
  Lane* lanes_ = nullptr;
  uint32_t thread_count_ = 0;
  Body body_ = nullptr;
  void* context_ = nullptr;
  int32_t process_ = 0;
};

}  // namespace assay
