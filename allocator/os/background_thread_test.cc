#include "allocator/os/background_thread.h"

#include <gtest/gtest.h>

#include <csignal>
#include <ctime>

#include "allocator/base/atomic.h"

namespace xi::os {
namespace {

Atomic<uint32_t> looks;
Atomic<bool> hears_signals;

uint32_t look() {
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  if (sigismember(&blocked, SIGTERM) != 1) hears_signals.store(true, kRelaxed);
  looks.fetch_add(1, kRelease);
  return 1;
}

uint32_t look_seldom() {
  looks.fetch_add(1, kRelease);
  return 1'000'000;
}

void wait_for_looks(uint32_t count) {
  const timespec pause = {0, 1'000'000};
  for (int i = 0; i < 20'000 && looks.load(kAcquire) < count; ++i) nanosleep(&pause, nullptr);
  EXPECT_GE(looks.load(kAcquire), count);
}

TEST(BackgroundThreadTest, ItWorksUntilItIsStopped) {
  looks.store(0, kRelaxed);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(start_background_thread(&look), 0);
    EXPECT_TRUE(has_background_thread());
    EXPECT_EQ(start_background_thread(&look), 0) << "one is enough";
    wait_for_looks(looks.load(kAcquire) + 5);
    stop_background_thread();
    EXPECT_FALSE(has_background_thread());
    const uint32_t after = looks.load(kAcquire);
    const timespec pause = {0, 20'000'000};
    nanosleep(&pause, nullptr);
    EXPECT_EQ(looks.load(kAcquire), after);
  }
  EXPECT_FALSE(hears_signals.load(kRelaxed));
}

TEST(BackgroundThreadTest, ItIsWokenToBeStopped) {
  looks.store(0, kRelaxed);
  EXPECT_EQ(start_background_thread(&look_seldom), 0);
  wait_for_looks(1);
  const time_t before = time(nullptr);
  stop_background_thread();
  EXPECT_LE(time(nullptr) - before, 1);
  stop_background_thread();
}

}  // namespace
}  // namespace xi::os
