// A recorded trace as a source of steps: a cheap first pass refuses what is truncated or corrupt before anything runs,
// then each process of the trace is replayed chunk by chunk, in memory proportional to its live blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/op/program.h"

namespace assay {

// One image of one process: a fork or an exec begins another one.
struct TraceProcess {
  uint32_t pid = 0;
  uint32_t parent_pid = 0;
  bool by_fork = false;  // blocks of its parent that it frees are unknown here
  std::string program;   // short name of what ran
  uint64_t payload_bytes = 0;
  std::vector<uint64_t> chunks;  // offset of each chunk in the file
};

// What the recording could not say; none of it is an error.
struct TraceTally {
  uint64_t unknown_blocks =
      0;  // freed or resized without having been seen: inherited over fork, or from before the start
  uint64_t missed_frees = 0;    // an address came again that had never been freed: the free happened out of our sight
  uint64_t folded_threads = 0;  // threads that shared a logical thread, since more than 1,023 were alive
};

class TraceFile {
 public:
  // Opens the file and checks every chunk. Throws InputError: not a trace, a newer version, truncated, corrupt (with
  // the offset), not readable.
  explicit TraceFile(std::string path);
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  const std::string& path() const { return path_; }
  const std::vector<TraceProcess>& processes() const { return processes_; }  // in order of their first chunk

 private:
  friend class TraceSteps;
  void index_chunks(uint64_t file_bytes);
  // Reads the payload of one chunk, at most trace::kMaxPayload bytes, and returns its size.
  size_t read_chunk(size_t process, size_t chunk, uint8_t* payload) const;

  std::string path_;
  int fd_ = -1;
  std::vector<TraceProcess> processes_;
};

// The calls of one process. Addresses become dense slots, reused after a free; threads become logical threads, reused
// after their exit; line is the number of the step. All memory is mapped by itself, never from malloc, because steps
// are drawn while a subject that may be the process's own malloc is under test. `file` must outlive it.
class TraceSteps final : public StepSource {
 public:
  TraceSteps(const TraceFile& file, size_t process);
  ~TraceSteps() override;

  bool next(Step& step) override;
  const TraceTally& tally() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
