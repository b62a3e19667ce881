#include "harness/exec/worker_channel.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace assay {

WorkerChannel* map_channel(int fd) {
  void* memory = ::mmap(nullptr, sizeof(WorkerChannel), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<WorkerChannel*>(memory);
}

void unmap_channel(WorkerChannel* channel) {
  ::munmap(channel, sizeof(WorkerChannel));
}

void set_state(WorkerChannel& channel, WorkState state) {
  channel.state.store(static_cast<uint32_t>(state), std::memory_order_release);
  // Not FUTEX_PRIVATE: the other side is another process.
  ::syscall(SYS_futex, &channel.state, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

WorkState wait_state(WorkerChannel& channel, WorkState old, uint64_t timeout_ms) {
  const uint32_t unwanted = static_cast<uint32_t>(old);
  if (channel.state.load(std::memory_order_acquire) == unwanted) {
    timespec timeout{static_cast<time_t>(timeout_ms / 1000), static_cast<long>(timeout_ms % 1000) * 1000000};
    ::syscall(SYS_futex, &channel.state, FUTEX_WAIT, unwanted, &timeout, nullptr, 0);
  }
  return static_cast<WorkState>(channel.state.load(std::memory_order_acquire));
}

}  // namespace assay
