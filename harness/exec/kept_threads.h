// Threads that are kept from one program to the next, since most of a short program's time is the birth and the end of
// its threads. Belongs to one thread, which starts others here and takes them back.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "harness/exec/real_thread.h"

namespace assay {

class KeptThread;
// Returns whether the thread stays for another one; else it ends, with what the C library does then.
using KeptThreadBody = bool (*)(KeptThread& self, void* argument);

class KeptThreads {
 public:
  // Runs body(thread, argument) on a thread that waits, or on a new one. Throws std::runtime_error when the system
  // gives no more threads.
  KeptThread& start(KeptThreadBody body, void* argument);
  // The same from any thread, always on a new one.
  static KeptThread& start_another(KeptThreadBody body, void* argument);
  // The body has returned true, or is about to.
  void take_back(KeptThread& thread) { waiting_.push_back(&thread); }
  // Waits for the end of a thread whose body returned false, or is about to, from any thread.
  static void join(KeptThread& thread);

  size_t waiting() const { return waiting_.size(); }

 private:
  // A forked child has none of its parent's threads.
  void forget_those_of_another_process();

  std::vector<KeptThread*> waiting_;
  pid_t process_ = 0;
};

}  // namespace assay
