// The trap: each test is a forked child, since what is trapped once stays so.
#include "failpoints/syscall_trap.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace assay {
namespace {

constexpr size_t kBytes = size_t{1} << 20;

// Of the calls since fail_next(), the `failing` one of this kind fails.
constexpr int kAll = -1;
std::atomic<int> seen[kSystemCalls];
SystemCall failing_call = SystemCall::kMmap;
int failing = 0;
Failure failure;
TrappedCall last;

const Failure* on_call(const TrappedCall& call) {
  last = call;
  const int nth = ++seen[static_cast<size_t>(call.call)];
  return failing == kAll || (call.call == failing_call && nth == failing) ? &failure : nullptr;
}

int count(SystemCall call) {
  return seen[static_cast<size_t>(call)];
}

void fail_next(SystemCall call, Failure how = {}) {
  for (auto& one : seen) one = 0;
  failing_call = call;
  failing = 1;
  failure = how;
}

void fail_nothing() {
  fail_next(SystemCall::kMmap);
  failing = 0;
}

#if defined(__has_feature)
constexpr bool kUnderThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kUnderThreadSanitizer = false;
#endif

class SyscallTrap : public testing::Test {
 protected:
  void SetUp() override {
    if (kUnderThreadSanitizer) GTEST_SKIP() << "nothing is trapped under ThreadSanitizer";
  }
};

// A trap would look sound: the kernel ends the process in the midst of it, where a thread starts.
TEST(SyscallTrapUnderThreadSanitizer, IsRefused) {
  if (!kUnderThreadSanitizer) GTEST_SKIP() << "not under ThreadSanitizer";
  const char* why = nullptr;
  EXPECT_FALSE(trap_system_calls(on_call, why));
  ASSERT_NE(why, nullptr);
  EXPECT_NE(std::strstr(why, "ThreadSanitizer"), nullptr) << why;
}

// The line of the first condition that does not hold, 0 where all do.
#define REQUIRE(condition) \
  if (!(condition)) return __LINE__

int in_child(int (*body)()) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    const char* why = nullptr;
    const int line = trap_system_calls(on_call, why) ? body() : -1;
    FILE* const told = line == 0 ? nullptr : stderr;
    if (told != nullptr) fprintf(told, "line %d does not hold\n", line);
    _exit(line == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

void* map(size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int calls_of_the_library() {
  fail_nothing();
  void* const pages = map(kBytes);
  REQUIRE(pages != MAP_FAILED && count(SystemCall::kMmap) == 1 && last.size == kBytes && !last.takes_away);
  REQUIRE(mprotect(pages, 4096, PROT_NONE) == 0 && last.takes_away && !last.access);
  REQUIRE(mprotect(pages, 4096, PROT_READ | PROT_WRITE) == 0 && !last.takes_away && last.access);
  REQUIRE(madvise(pages, 4096, MADV_HUGEPAGE) == 0 && !last.takes_away);
  REQUIRE(madvise(pages, 4096, MADV_DONTNEED) == 0 && last.takes_away);
  REQUIRE(last.address == reinterpret_cast<uintptr_t>(pages) && last.size == 4096);
  REQUIRE(munmap(pages, kBytes) == 0 && count(SystemCall::kMunmap) == 1);
  fail_next(SystemCall::kMmap, {.error = EPERM});
  REQUIRE(map(kBytes) == MAP_FAILED && errno == EPERM);
  REQUIRE(map(kBytes) != MAP_FAILED);
  return 0;
}

TEST_F(SyscallTrap, SeesWhatTheLibraryIsAskedFor) {
  EXPECT_EQ(in_child(calls_of_the_library), 0);
}

// What tcmalloc does.
int raw_calls() {
  fail_next(SystemCall::kMmap);
  REQUIRE(syscall(SYS_mmap, 0, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 && errno == ENOMEM);
  long result = SYS_mmap;
  register long r10 asm("r10") = MAP_PRIVATE | MAP_ANONYMOUS;
  register long r8 asm("r8") = -1;
  register long r9 asm("r9") = 0;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(0L), "S"(kBytes), "d"(long{PROT_READ}), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  REQUIRE(result > 0 && count(SystemCall::kMmap) == 2);
  return 0;
}

TEST_F(SyscallTrap, SeesAnInstructionOfTheCallersOwn) {
  EXPECT_EQ(in_child(raw_calls), 0);
}

int calls_inside_the_library() {
  // It falls back from the one to the other.
  fail_next(SystemCall::kMmap);
  failing = kAll;
  void* volatile block = malloc(64 * kBytes);
  REQUIRE(block == nullptr && errno == ENOMEM && count(SystemCall::kMmap) >= 1 && count(SystemCall::kBrk) >= 1);
  fail_nothing();
  block = malloc(64 * kBytes);
  REQUIRE(block != nullptr && count(SystemCall::kMmap) == 1);
  free(block);
  REQUIRE(count(SystemCall::kMunmap) == 1);
  return 0;
}

TEST_F(SyscallTrap, SeesWhatTheLibraryDoesForItself) {
  EXPECT_EQ(in_child(calls_inside_the_library), 0);
}

int the_end_of_the_heap() {
  fail_nothing();
  void* const before = sbrk(0);
  REQUIRE(count(SystemCall::kBrk) == 0);
  REQUIRE(sbrk(65536) == before && count(SystemCall::kBrk) == 1 && last.size == 65536 && !last.takes_away);
  REQUIRE(sbrk(-65536) != reinterpret_cast<void*>(-1) && last.takes_away);
  REQUIRE(last.address == reinterpret_cast<uintptr_t>(before) && last.size == 65536);
  fail_next(SystemCall::kBrk);
  REQUIRE(sbrk(65536) == reinterpret_cast<void*>(-1) && errno == ENOMEM && sbrk(0) == before);
  return 0;
}

TEST_F(SyscallTrap, SeesTheEndOfTheHeapMove) {
  EXPECT_EQ(in_child(the_end_of_the_heap), 0);
}

int an_unaligned_mapping() {
  for (int i = 0; i < 4; ++i) {
    fail_next(SystemCall::kMmap, {.kind = FailureKind::kUnaligned, .error = 0});
    char* const pages = static_cast<char*>(map(kBytes + static_cast<size_t>(i) * 4096));
    REQUIRE(pages != MAP_FAILED && reinterpret_cast<uintptr_t>(pages) % 8192 == 4096);
    memset(pages, 1, kBytes + static_cast<size_t>(i) * 4096);
  }
  return 0;
}

TEST_F(SyscallTrap, GivesAMappingThatIsAlignedToAPageOnly) {
  EXPECT_EQ(in_child(an_unaligned_mapping), 0);
}

int a_dirty_advice() {
  fail_nothing();
  char* const pages = static_cast<char*>(map(kBytes));
  pages[7] = 1;
  fail_next(SystemCall::kMadvise, {.kind = FailureKind::kDirty, .error = 0});
  REQUIRE(madvise(pages, 4096, MADV_DONTNEED) == -1 && errno == ENOMEM && pages[7] == 0);
  return 0;
}

TEST_F(SyscallTrap, HalfDoesWhatIsDirty) {
  EXPECT_EQ(in_child(a_dirty_advice), 0);
}

// The C library blocks every signal while a thread ends, and gives the rest of its stack back then.
void* live(void*) {
  void* const pages = map(kBytes);
  memset(pages, 1, kBytes);
  munmap(pages, kBytes);
  return nullptr;
}

int threads_and_blocked_signals() {
  fail_nothing();
  sigset_t all, before, now;
  sigfillset(&all);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &all, &before) == 0);
  REQUIRE(map(kBytes) != MAP_FAILED);
  REQUIRE(pthread_sigmask(SIG_SETMASK, nullptr, &now) == 0);
  REQUIRE(sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGSYS) == 0 && sigismember(&before, SIGTERM) == 0);
  for (int i = 0; i < 10; ++i) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, nullptr, live, nullptr) == 0);
    pthread_join(thread, nullptr);
  }
  REQUIRE(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  REQUIRE(pthread_sigmask(SIG_BLOCK, nullptr, &now) == 0 && sigismember(&now, SIGTERM) == 0);
  // Each thread's own madvise is about its own stack, and none of the hook's business.
  REQUIRE(count(SystemCall::kMadvise) == 0 && count(SystemCall::kMunmap) >= 10);
  return 0;
}

TEST_F(SyscallTrap, NobodyCanBlockIt) {
  EXPECT_EQ(in_child(threads_and_blocked_signals), 0);
}

int another_program() {
  execl("/bin/true", "true", nullptr);
  REQUIRE(errno == EPERM);
  return 0;
}

TEST_F(SyscallTrap, StartsNoOtherProgram) {
  EXPECT_EQ(in_child(another_program), 0);
}

int a_forked_child() {
  fail_nothing();
  const pid_t child = fork();
  if (child == 0) {
    fail_next(SystemCall::kMmap);
    _exit(map(kBytes) == MAP_FAILED && map(kBytes) != MAP_FAILED ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  REQUIRE(map(kBytes) != MAP_FAILED);
  return 0;
}

TEST_F(SyscallTrap, HoldsInAForkedChild) {
  EXPECT_EQ(in_child(a_forked_child), 0);
}

}  // namespace
}  // namespace assay
