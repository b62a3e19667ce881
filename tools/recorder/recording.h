// The recording of this process: one order for the events of all threads, a buffer, and the chunks that it becomes.
#pragma once

#include <cstdint>

#include "harness/op/trace_format.h"

namespace assay::recorder {

// Each entry point of the allocator holds one of these for its whole length. Calls that the allocator below makes to
// itself, and those of a signal handler that came in the middle of one of ours, find the thread busy and pass
// unrecorded: the handler could otherwise wait for a lock that its own thread holds.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool recorded() const { return recorded_; }
  void plain(trace::Event event) const;
  void block(trace::Event event, const void* block) const;
  void block(trace::Event event, uint64_t first, const void* block) const;
  void block(trace::Event event, uint64_t first, uint64_t second, const void* block) const;

 private:
  bool entered_;
  bool recorded_;
};

// Everything so far goes to the file: before what ends the image without running destructors (exec, _exit, abort).
void flush_recording();
// The same, and from now on each event goes at once: other destructors may still free.
void end_recording();

}  // namespace assay::recorder
