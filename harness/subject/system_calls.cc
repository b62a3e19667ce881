#include "harness/subject/system_calls.h"

#include <atomic>

#include "failpoints/syscall_trap.h"

namespace assay {

constinit thread_local bool inside_subject = false;

namespace {

std::atomic<bool> permitted{false};
std::atomic<OsWatcher*> present_watcher{nullptr};

const Failure* ask_watcher(const TrappedCall& call) {
  OsWatcher* const watcher = present_watcher.load(std::memory_order_relaxed);
  if (watcher == nullptr || !inside_subject) return nullptr;
  // What the watcher does is none of the subject's doing.
  inside_subject = false;
  const Failure* const failure = watcher->before({.call = call.call,
                                                  .address = call.address,
                                                  .size = call.size,
                                                  .access = call.access,
                                                  .takes_away = call.takes_away});
  inside_subject = true;
  return failure;
}

}  // namespace

void permit_system_call_watch() {
  permitted.store(true, std::memory_order_relaxed);
}

bool watch_system_calls(OsWatcher* watcher) {
  if (!permitted.load(std::memory_order_relaxed)) return false;
  present_watcher.store(watcher, std::memory_order_relaxed);
  const char* why = nullptr;
  return trap_system_calls(ask_watcher, why);
}

}  // namespace assay
