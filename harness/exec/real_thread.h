// Threads for a program's logical ones, whoever decides when they run.
#pragma once

#include <pthread.h>

namespace assay {

// Starts a thread with a stack that is large enough for the subject and a sanitizer's frames, and small enough for a
// thousand of them. Throws std::runtime_error when the system gives no more threads.
pthread_t start_thread(void* (*body)(void*), void* argument);

// A stack for signal handlers, without which a crash on a thread's own broken stack would say nothing. Installed on one
// thread at a time; outlives the thread.
class SignalStack {
 public:
  SignalStack() = default;
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

  // On the calling thread, unless a sanitizer has given it one already.
  void install();

 private:
  void* memory_ = nullptr;
};

}  // namespace assay
