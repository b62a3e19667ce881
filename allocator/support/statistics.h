// What the allocator holds, counted where it changes and after the change has succeeded. check/ compares the figures
// with the structures that they sum up.
#pragma once

#include <cstddef>

#include "allocator/base/atomic.h"

namespace xi {

// One statistic: what there is now, the most there ever was, and all that was ever added.
class Figure {
 public:
  int64_t get() const { return current_.get(); }
  int64_t peak() const { return peak_.get(); }
  int64_t total() const { return total_.get(); }

  void add(int64_t amount) {
    current_.add(amount);
    if (amount <= 0) return;
    total_.add(amount);
    peak_.raise_to(current_.get());
  }
  // Forgets the past.
  void restart() {
    const int64_t now = get();
    total_.reset();
    total_.add(now);
    peak_.reset();
    peak_.raise_to(now);
  }
  void reset() {
    current_.reset();
    restart();
  }

 private:
  Counter current_, peak_, total_;
};

struct Statistics {
#define XI_STATISTIC(name, doc) Figure name;
#include "allocator/support/statistics.def"
#undef XI_STATISTIC
  // Threads that did not survive a fork: what they were about to count is lost.
  Counter vanished_threads;
};

extern Statistics statistics;

struct StatisticRow {
  const char* name;
  Figure Statistics::* figure;
  const char* doc;
};
inline constexpr size_t kStatisticCount = 0
#define XI_STATISTIC(name, doc) +1
#include "allocator/support/statistics.def"
#undef XI_STATISTIC
    ;
extern const StatisticRow statistic_table[kStatisticCount];

// Blocks one by one, only where there are assertions: it would cost the fast paths their speed.
#if defined(NDEBUG)
inline void count_block(size_t, int) {}
#else
inline void count_block(size_t bytes, int sign) {
  statistics.live_blocks.add(sign);
  statistics.live_bytes.add(sign * static_cast<int64_t>(bytes));
}
#endif

void reset_statistics();

}  // namespace xi
