// libassay_failpoints.so: lets system calls of any program fail, without the tester.
//
//   LD_PRELOAD=build/release/lib/libassay_failpoints.so ASSAY_FAILPOINTS='mmap#3+=ENOMEM, munmap#1' PROGRAM
//
// Calls of each kind are counted over all threads, from the marker on: from the program's own start, or, with
// ASSAY_FAILPOINTS_FROM=marker, from its call of assay_failpoints_begin() to that of assay_failpoints_end(). At the end
// one line on standard error says how many calls of each kind came, and which failures. What is seen and what is not
// stands in failpoints/syscall_trap.h.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "failpoints/armed_plan.h"
#include "failpoints/plan.h"
#include "failpoints/syscall_trap.h"

namespace assay {
namespace {

std::array<Failure, kMaxFailures> planned;
size_t planned_count = 0;
// All threads count together, so that each call has one number.
std::array<std::atomic<uint32_t>, kSystemCalls> made;
std::atomic<uint32_t> came{0};
StandingFailures standing;
std::atomic<bool> counting{false};
// A copy of standard error: some programs close theirs at the end.
int account = 2;

const Failure* ask(const TrappedCall& call) {
  if (!counting.load(std::memory_order_relaxed)) return nullptr;
  const uint32_t nth = ++made[static_cast<size_t>(call.call)];
  for (size_t i = 0; i < planned_count; ++i) {
    const Failure& failure = planned[i];
    if (failure.call != call.call || failure.nth != nth) continue;
    came.fetch_or(1u << i, std::memory_order_relaxed);
    if (failure.persistent) standing.begin(failure);
    return &failure;
  }
  static thread_local Failure found;
  return standing.find(call.call, found) ? &found : nullptr;
}

[[noreturn]] void refuse(const std::string& why) {
  fprintf(stderr, "assay_failpoints: %s\n", why.c_str());
  _exit(2);
}

void read_plan(std::string_view text) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (planned_count == kMaxFailures) refuse("ASSAY_FAILPOINTS: more than 16 failures");
    std::string error;
    size_t at = 0;
    if (!parse_failure(one, planned[planned_count], error, at)) {
      refuse("ASSAY_FAILPOINTS: '" + std::string(one) + "': " + error);
    }
    const SystemCall call = planned[planned_count++].call;
    if (call == SystemCall::kKeyCreate || call == SystemCall::kThreadCreate) {
      refuse("ASSAY_FAILPOINTS: " + std::string(name(call)) + " is no system call, and cannot be made to fail here");
    }
  }
}

bool starts_at_marker() {
  const char* const from = getenv("ASSAY_FAILPOINTS_FROM");
  if (from == nullptr || std::strcmp(from, "start") == 0) return false;
  if (std::strcmp(from, "marker") == 0) return true;
  refuse("ASSAY_FAILPOINTS_FROM: '" + std::string(from) + "' is neither start nor marker");
}

// Before the constructors of the program, and behind those of the libraries that this one needs.
__attribute__((constructor)) void begin() {
  const char* const plan = getenv("ASSAY_FAILPOINTS");
  if (plan == nullptr) return;
  read_plan(plan);
  const bool waits = starts_at_marker();
  constexpr int kOutOfTheWay = 100;
  const int copy = fcntl(2, F_DUPFD_CLOEXEC, kOutOfTheWay);
  if (copy >= 0) account = copy;
  const char* why = nullptr;
  if (!trap_system_calls(ask, why)) refuse(why);
  counting.store(!waits, std::memory_order_relaxed);
}

__attribute__((destructor)) void tell() {
  if (getenv("ASSAY_FAILPOINTS") == nullptr) return;
  counting.store(false, std::memory_order_relaxed);
  std::array<char, 1024> line{};
  size_t length = static_cast<size_t>(snprintf(line.data(), line.size(), "assay_failpoints:"));
  for (size_t call = 0; call < kSystemCalls; ++call) {
    const uint32_t calls = made[call].load(std::memory_order_relaxed);
    if (calls == 0) continue;
    length += static_cast<size_t>(snprintf(line.data() + length, line.size() - length, " %s %u",
                                           name(static_cast<SystemCall>(call)).data(), calls));
  }
  const uint32_t all = came.load(std::memory_order_relaxed);
  for (size_t i = 0; i < planned_count && length < line.size(); ++i) {
    length += static_cast<size_t>(
        snprintf(line.data() + length, line.size() - length, "%s %s",
                 (all >> i & 1) != 0 ? ", came:" : ", did not come:", print_failure(planned[i]).c_str()));
  }
  dprintf(account, "%s\n", line.data());
}

}  // namespace
}  // namespace assay

extern "C" {

__attribute__((visibility("default"))) void assay_failpoints_begin() {
  assay::counting.store(true, std::memory_order_relaxed);
}

__attribute__((visibility("default"))) void assay_failpoints_end() {
  assay::counting.store(false, std::memory_order_relaxed);
}
}
