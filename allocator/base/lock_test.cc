#include "allocator/base/lock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace xi {
namespace {

TEST(LockTest, ExcludesAndNeverLosesASleeper) {
  Lock lock;
  long count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        LockGuard guard(lock);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 8 * 20000);
  EXPECT_FALSE(lock.is_held());
}

}  // namespace
}  // namespace xi
