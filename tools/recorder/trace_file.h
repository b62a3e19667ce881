// The file that a process appends its chunks to. The descriptor is high and closed on exec; a program that closes or
// reuses every descriptor makes us open the file again by its path, and never writes into a file of its own by mistake.
#pragma once

#include <cstddef>

#include "harness/op/trace_format.h"

namespace assay::recorder {

class TraceAppender {
 public:
  // `path` is kept, not copied. False when the file cannot be opened: nothing is recorded then.
  bool open(const char* path);
  // Writes header and payload, which lie one behind the other. False when the chunk did not get into the file whole.
  // Keeps errno; is no cancellation point; a file size limit raises no signal.
  bool append(const trace::ChunkHeader* chunk);

 private:
  bool is_ours() const;
  bool reopen();

  const char* path_ = nullptr;
  int fd_ = -1;
  unsigned long device_ = 0;
  unsigned long inode_ = 0;
};

}  // namespace assay::recorder
