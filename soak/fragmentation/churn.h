// Threads that allocate and free without end while the bytes in use stay the same: sizes change with the time of day,
// a few blocks live long, and some are freed by another thread than the one that allocated them.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <vector>

#include "harness/subject/subject.h"

namespace assay {

struct ChurnBlock {
  unsigned char* address = nullptr;
  size_t bytes = 0;
};

// Blocks of one kind, with the sum of their sizes.
class BlockPool {
 public:
  void add(const ChurnBlock& block);
  ChurnBlock take(size_t index);
  size_t count() const { return blocks_.size(); }
  uint64_t bytes() const { return bytes_; }
  const std::vector<ChurnBlock>& blocks() const { return blocks_; }

 private:
  std::vector<ChurnBlock> blocks_;
  uint64_t bytes_ = 0;
};

class Churn {
 public:
  Churn(const Subject& subject, uint64_t live_bytes, unsigned threads, uint64_t seed);
  ~Churn();  // frees what is live
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  // So many operations (a free, and the allocations that make up for it) by all threads together, which are new ones
  // and have exited when it returns. `phase` says which sizes are in demand. False when the subject gave NULL.
  bool run(uint64_t operations, uint64_t phase);

  uint64_t live_bytes() const;
  // Of the pages that the live blocks touch.
  uint64_t touched_bytes() const;

 private:
  // What a thread has; the next thread in its place goes on with it.
  struct Seat {
    BlockPool young, old;
    std::minstd_rand random;
    std::mutex lock;  // of `returned`
    std::vector<ChurnBlock> returned;
  };

  void work(Seat& seat, Seat& neighbour, uint64_t operations, uint64_t phase);
  bool allocate(Seat& seat, uint64_t phase);
  void free_block(const ChurnBlock& block) const;
  void retire_one(Seat& seat, Seat& neighbour);
  void free_returned(Seat& seat) const;

  const Subject& subject_;
  uint64_t seat_bytes_;
  std::deque<Seat> seats_;
  bool failed_ = false;
};

}  // namespace assay
