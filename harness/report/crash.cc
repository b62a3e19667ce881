#include "harness/report/crash.h"

#include <execinfo.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "harness/exec/thread_progress.h"
#include "harness/exec/worker_channel.h"
#include "harness/oracle/describe.h"
#include "harness/report/symbols.h"

// What the sanitizers' runtime offers; absent in plain builds.
extern "C" {
__attribute__((weak)) void __asan_set_error_report_callback(void (*callback)(const char* report));
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
}

namespace assay {
namespace {

constexpr size_t kSignalStackBytes = size_t{256} << 10;
constexpr int kMaxFrames = 64;

struct Watched {
  const Subject* subject = nullptr;
  const Progress* progress = nullptr;
  Violation* crash = nullptr;
  SymbolTable symbols;
};
Watched watched;

const Progress& progress_here() {
  return progress_of_this_thread != nullptr ? *progress_of_this_thread : *watched.progress;
}

// How the C library ends a process is no place in an allocator.
bool is_part_of_abort(std::string_view symbol) {
  for (const std::string_view part :
       {"abort", "raise", "gsignal", "pthread_kill", "__libc_message", "malloc_printerr"}) {
    if (symbol == part) return true;
  }
  return false;
}

// The innermost frame in the subject, for the report and the token.
bool find_frame(Violation& crash) {
  void* frames[kMaxFrames];
  const int count = backtrace(frames, kMaxFrames);
  bool owned = false;
  for (int i = 0; i < count; ++i) {
    // All but the faulting frame are return addresses, which may be the first byte of the next function.
    for (const char* pc : {static_cast<const char*>(frames[i]) - 1, static_cast<const char*>(frames[i])}) {
      if (!watched.subject->owns_code(pc)) continue;
      owned = true;
      const char* symbol = watched.symbols.find(pc);
      if (symbol == nullptr || is_part_of_abort(symbol)) continue;
      std::strncpy(crash.frame, symbol, sizeof crash.frame - 1);
      return true;
    }
  }
  return owned;
}

bool already_told() {
  return watched.crash->oracle != Oracle::kNone;
}

// Fills in all but the oracle, which is written last: a reader that sees it sees the rest.
void tell(Oracle oracle, Violation& draft) {
  draft.line = progress_here().line;
  draft.member = progress_here().member;
  draft.op_code = progress_here().op_code;
  *watched.crash = draft;
  watched.crash->oracle = oracle;
}

void on_signal(int signal_number, siginfo_t* details, void*) {
  const char* signal_name = sigabbrev_np(signal_number);
  if (already_told()) _exit(1);
  Violation draft;
  const bool owned = find_frame(draft);
  const uint8_t where = progress_here().in_subject;
  if (where == 0 && !owned) {
    // Whose fault that is, the process that watches finds out. The signal is blocked while this handles it, and ends
    // the process after that.
    if (watched.subject->instruments().reset != nullptr) {
      void* frames[kMaxFrames];
      backtrace_symbols_fd(frames, backtrace(frames, kMaxFrames), STDERR_FILENO);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    return;
  }
  describe(draft.expected, "the call returns");
  Oracle oracle = signal_number == SIGABRT ? Oracle::kAbort : Oracle::kCrash;
  const auto address = reinterpret_cast<uintptr_t>(details->si_addr);
  if (where == kInBlock && !owned) {
    oracle = Oracle::kOutside;
    describe(draft.sentence, "a live block cannot be read or written");
    describe(draft.expected, "every byte of a live block in memory that may be read and written");
    describe(draft.seen, "SIG{} at {:#x}", signal_name, address);
  } else if (oracle == Oracle::kAbort) {
    describe(draft.sentence, "the allocator aborted");
    describe(draft.seen, "SIGABRT");
  } else {
    describe(draft.sentence, "the allocator crashed with SIG{}", signal_name);
    describe(draft.seen, "SIG{} at address {:#x}", signal_name, address);
  }
  tell(oracle, draft);
  _exit(1);
}

// The watchdog asks a thread that hangs where it is.
void on_where(int, siginfo_t*, void*) {
  if (progress_here().in_subject == 0 || already_told()) return;
  Violation draft;
  if (find_frame(draft)) std::memcpy(watched.crash->frame, draft.frame, sizeof draft.frame);
}

void on_exit_inside() {
  if (progress_here().in_subject == 0 || already_told()) return;
  Violation draft;
  find_frame(draft);
  describe(draft.sentence, "the allocator ended the process");
  describe(draft.expected, "the call returns");
  describe(draft.seen, "exit()");
  tell(Oracle::kExit, draft);
}

// The first line of a sanitizer's report that says what happened.
std::string_view headline(const char* report) {
  std::string_view text(report);
  const size_t error = text.find("ERROR: ");
  if (error != std::string_view::npos) text.remove_prefix(error + 7);
  return text.substr(0, text.find('\n'));
}

void tell_sanitizer(std::string_view what) {
  if (already_told()) return;
  Violation draft;
  const bool owned = find_frame(draft);
  if (progress_here().in_subject == 0 && !owned) return;
  describe(draft.sentence, "a sanitizer found a fault in the allocator");
  describe(draft.expected, "no report");
  describe(draft.seen, "{}", what);
  tell(Oracle::kSanitizer, draft);
}

void on_report(const char* report) {
  tell_sanitizer(headline(report));
}
void on_death() {
  tell_sanitizer("the report above");
}

}  // namespace

void install_crash_handlers(const Subject& subject, const Progress& progress, Violation& crash) {
  watched.subject = &subject;
  watched.progress = &progress;
  watched.crash = &crash;
  watched.symbols.load(reinterpret_cast<const void*>(subject.api().malloc));
  // The unwinder allocates when it is first used.
  void* warm_up[2];
  backtrace(warm_up, 2);

  void* stack_memory = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack_memory != MAP_FAILED) {
    stack_t stack{};
    stack.ss_sp = stack_memory;
    stack.ss_size = kSignalStackBytes;
    sigaltstack(&stack, nullptr);
  }
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
    sigaction(signal_number, &action, nullptr);
  }
  action.sa_sigaction = on_where;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(kWhereSignal, &action, nullptr);
  atexit(on_exit_inside);
  if (__asan_set_error_report_callback != nullptr) __asan_set_error_report_callback(on_report);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(on_death);
}

}  // namespace assay
