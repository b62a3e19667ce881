#include "harness/exec/kept_threads.h"

#include <memory>

#include "harness/sched/raw.h"

namespace assay {

class KeptThread {
 public:
  // The work, which a thread that waits may begin with once it has been given.
  void give(KeptThreadBody body, void* argument) {
    body_ = body;
    argument_ = argument;
    given_.give();
  }

  static KeptThread& start(KeptThreadBody body, void* argument) {
    auto thread = std::make_unique<KeptThread>();
    thread->give(body, argument);
    thread->handle_ = start_thread(enter, thread.get());
    return *thread.release();
  }

  void join() const { pthread_join(handle_, nullptr); }

 private:
  static void* enter(void* argument) {
    auto& self = *static_cast<KeptThread*>(argument);
    self.signal_stack_.install();
    do {
      self.given_.take();
    } while (self.body_(self, self.argument_));
    return nullptr;
  }

  pthread_t handle_{};
  SignalStack signal_stack_;
  Token given_;
  KeptThreadBody body_ = nullptr;
  void* argument_ = nullptr;
};

KeptThread& KeptThreads::start_another(KeptThreadBody body, void* argument) {
  return KeptThread::start(body, argument);
}

void KeptThreads::forget_those_of_another_process() {
  const pid_t process = getpid();
  if (process_ != process) waiting_.clear();
  process_ = process;
}

KeptThread& KeptThreads::start(KeptThreadBody body, void* argument) {
  forget_those_of_another_process();
  if (waiting_.empty()) return start_another(body, argument);
  KeptThread& thread = *waiting_.back();
  waiting_.pop_back();
  thread.give(body, argument);
  return thread;
}

void KeptThreads::join(KeptThread& thread) {
  thread.join();
  delete &thread;
}

}  // namespace assay
