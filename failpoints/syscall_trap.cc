#include "failpoints/syscall_trap.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>

// One place makes all calls of the handler, and the filter lets that one pass: it knows it by the address behind the
// instruction.
extern "C" long assay_untrapped_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                     uint64_t f);
extern "C" const char assay_behind_untrapped_call[];
// What the kernel returns to from a handler, as the C library has it.
extern "C" void assay_return_from_trap();
asm(R"(
  .text
  .globl assay_untrapped_call
  .hidden assay_untrapped_call
  .type assay_untrapped_call, @function
assay_untrapped_call:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  .globl assay_behind_untrapped_call
  .hidden assay_behind_untrapped_call
assay_behind_untrapped_call:
  ret
  .size assay_untrapped_call, .-assay_untrapped_call
  .globl assay_return_from_trap
  .hidden assay_return_from_trap
  .type assay_return_from_trap, @function
assay_return_from_trap:
  mov $15, %eax
  syscall
  .size assay_return_from_trap, .-assay_return_from_trap
)");

// Where ThreadSanitizer's runtime is in the process.
extern "C" void __tsan_acquire(void*) __attribute__((weak));

namespace assay {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSysBit = uint64_t{1} << (SIGSYS - 1);
// A thread that ends gives the unused part of its own stack back, which is no business of an allocator.
constexpr uint64_t kNearStack = uint64_t{64} << 10;

std::atomic<TrapHook> present_hook{nullptr};
std::atomic<bool> installed{false};

long untrapped(long number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0,
               uint64_t f = 0) {
  return assay_untrapped_call(number, a, b, c, d, e, f);
}

bool loses_contents(uint64_t advice) {
  constexpr uint64_t kDontneedLocked = 24, kGuardInstall = 102;
  return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE || advice == kDontneedLocked ||
         advice == kGuardInstall;
}

bool is_open(uint64_t protection) {
  constexpr uint64_t kBoth = PROT_READ | PROT_WRITE;
  return (protection & kBoth) == kBoth;
}

struct Arguments {
  long number;
  uint64_t of[6];
  uint64_t stack;  // the stack pointer where the call was made
};

// False for what is no call of interest: a question, or the thread's own stack.
bool understand(const Arguments& made, TrappedCall& call) {
  const uint64_t* const of = made.of;
  switch (made.number) {
    case SYS_mmap: {
      const bool fixed = (of[3] & MAP_FIXED) != 0;
      call = {SystemCall::kMmap, fixed ? of[0] : 0, of[1], is_open(of[2]), fixed};
      return true;
    }
    case SYS_munmap: call = {SystemCall::kMunmap, of[0], of[1], false, true}; break;
    case SYS_mprotect: call = {SystemCall::kMprotect, of[0], of[1], is_open(of[2]), !is_open(of[2])}; break;
    case SYS_madvise: call = {SystemCall::kMadvise, of[0], of[1], false, loses_contents(of[2])}; break;
    case SYS_process_madvise: call = {SystemCall::kProcessMadvise, 0, 0, false, false}; return true;
    case SYS_mremap: call = {SystemCall::kMremap, of[0], of[1], true, true}; break;
    case SYS_brk: {
      if (of[0] == 0) return false;
      const uint64_t now = static_cast<uint64_t>(untrapped(SYS_brk));
      const bool shrinks = of[0] < now;
      call = {SystemCall::kBrk, shrinks ? of[0] : now, shrinks ? now - of[0] : of[0] - now, true, shrinks};
      return true;
    }
    case SYS_getrandom: call = {SystemCall::kGetrandom, 0, 0, false, false}; return true;
    default: return false;
  }
  const uint64_t end = call.address + call.size;
  return !(end <= made.stack && made.stack - end < kNearStack);
}

long make(const Arguments& made) {
  const uint64_t* const of = made.of;
  return untrapped(made.number, of[0], of[1], of[2], of[3], of[4], of[5]);
}

// At a multiple of a page and of no more: a page further than it came, between two that go back.
long map_unaligned(const Arguments& made) {
  const uint64_t* const of = made.of;
  const uint64_t size = (of[1] + kPage - 1) & ~(kPage - 1);
  if ((of[3] & MAP_FIXED) != 0 || size == 0) return make(made);
  const long whole = untrapped(SYS_mmap, 0, size + 2 * kPage, of[2], of[3], of[4], of[5]);
  if (whole < 0) return whole;
  const uint64_t start = static_cast<uint64_t>(whole);
  const uint64_t skipped = (start & kPage) == 0 ? kPage : 2 * kPage;
  untrapped(SYS_munmap, start, skipped);
  if (skipped < 2 * kPage) untrapped(SYS_munmap, start + skipped + size, 2 * kPage - skipped);
  return static_cast<long>(start + skipped);
}

long fail(const Arguments& made, const Failure& failure) {
  switch (failure.kind) {
    case FailureKind::kUnaligned: return map_unaligned(made);
    // Half done: the contents are gone, and the caller is told that they are not.
    case FailureKind::kDirty: make(made); return -ENOMEM;
    // No kernel gives an address that cannot be touched to one who has not asked for it.
    case FailureKind::kHigh: return -ENOMEM;
    case FailureKind::kErrno: break;
  }
  // Whoever asks for more is told where the end is, and finds that it has not moved.
  if (made.number == SYS_brk) return untrapped(SYS_brk);
  return -static_cast<long>(failure.error);
}

// Nobody blocks SIGSYS: the kernel would end the process at the next call. The mask is the one that the thread goes on
// with.
long change_mask(const Arguments& made, ucontext_t& context) {
  const uint64_t* const wanted = reinterpret_cast<const uint64_t*>(made.of[1]);
  uint64_t* const told = reinterpret_cast<uint64_t*>(made.of[2]);
  if (made.of[3] != sizeof(uint64_t)) return -EINVAL;
  uint64_t& mask = *reinterpret_cast<uint64_t*>(&context.uc_sigmask);
  const uint64_t before = mask;
  if (wanted != nullptr) {
    switch (made.of[0]) {
      case SIG_BLOCK: mask |= *wanted; break;
      case SIG_UNBLOCK: mask &= ~*wanted; break;
      case SIG_SETMASK: mask = *wanted; break;
      default: return -EINVAL;
    }
    mask &= ~kSysBit;
  }
  if (told != nullptr) *told = before;
  return 0;
}

// It would have the filter and no handler, and end at its first mapping.
long refuse_program() {
  constexpr char kWhy[] = "assay: system calls are watched here, and no other program can be started\n";
  untrapped(SYS_write, 2, reinterpret_cast<uint64_t>(kWhy), sizeof kWhy - 1);
  return -EPERM;
}

void on_trap(int, siginfo_t* details, void* where) {
  ucontext_t& context = *static_cast<ucontext_t*>(where);
  greg_t* const registers = context.uc_mcontext.gregs;
  const Arguments made{
      details->si_syscall,
      {static_cast<uint64_t>(registers[REG_RDI]), static_cast<uint64_t>(registers[REG_RSI]),
       static_cast<uint64_t>(registers[REG_RDX]), static_cast<uint64_t>(registers[REG_R10]),
       static_cast<uint64_t>(registers[REG_R8]), static_cast<uint64_t>(registers[REG_R9])},
      static_cast<uint64_t>(registers[REG_RSP]),
  };
  long result = 0;
  if (made.number == SYS_rt_sigprocmask) {
    result = change_mask(made, context);
  } else if (made.number == SYS_execve || made.number == SYS_execveat) {
    result = refuse_program();
  } else {
    const TrapHook hook = present_hook.load(std::memory_order_relaxed);
    TrappedCall call;
    const Failure* const failure = hook != nullptr && understand(made, call) ? hook(call) : nullptr;
    result = failure == nullptr ? make(made) : fail(made, *failure);
  }
  registers[REG_RAX] = result;
}

// As the kernel lays it out; a sanitizer's sigaction would put a function of its own in between.
struct KernelAction {
  void (*handler)(int, siginfo_t*, void*);
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};

long take_signal() {
  constexpr uint64_t kHasRestorer = 0x04000000;
  // SA_NODEFER: a call of the handler's own may be trapped, too.
  const KernelAction action{on_trap, SA_SIGINFO | SA_NODEFER | SA_RESTART | kHasRestorer, assay_return_from_trap, 0};
  const uint64_t unblocked = kSysBit;
  untrapped(SYS_rt_sigprocmask, SIG_UNBLOCK, reinterpret_cast<uint64_t>(&unblocked), 0, sizeof unblocked);
  return untrapped(SYS_rt_sigaction, SIGSYS, reinterpret_cast<uint64_t>(&action), 0, sizeof action.mask);
}

constexpr long kTrapped[] = {SYS_mmap,           SYS_munmap, SYS_mprotect,        SYS_madvise,
                             SYS_mremap,         SYS_brk,    SYS_process_madvise, SYS_getrandom,
                             SYS_rt_sigprocmask, SYS_execve, SYS_execveat};

// Which calls, and then from where: the handler's own pass.
long install_filter() {
  const auto pass = reinterpret_cast<uint64_t>(assay_behind_untrapped_call);
  const auto low = static_cast<uint32_t>(pass), high = static_cast<uint32_t>(pass >> 32);
  constexpr uint32_t kPointer = offsetof(seccomp_data, instruction_pointer);
  constexpr uint8_t kCalls = sizeof kTrapped / sizeof kTrapped[0];
  sock_filter filter[4 + kCalls + 6];
  size_t at = 0;
  filter[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  filter[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, kCalls + 1);
  filter[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (uint8_t i = 0; i < kCalls; ++i) {
    const auto to_pointer = static_cast<uint8_t>(kCalls - i);
    filter[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(kTrapped[i]), to_pointer, 0);
  }
  filter[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kPointer);
  filter[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 3);
  filter[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kPointer + 4);
  filter[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 1);
  filter[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  const sock_fprog program{static_cast<unsigned short>(at), filter};
  return untrapped(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, reinterpret_cast<uint64_t>(&program));
}

}  // namespace

bool trap_system_calls(TrapHook hook, const char*& why) {
  if (__tsan_acquire != nullptr) {
    why = "ThreadSanitizer blocks signals for itself, SIGSYS among them";
    return false;
  }
  present_hook.store(hook, std::memory_order_relaxed);
  if (installed.load(std::memory_order_relaxed)) return true;
  if (untrapped(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1) != 0) {
    why = "the kernel does not give privileges up (prctl)";
    return false;
  }
  if (take_signal() != 0) {
    why = "SIGSYS cannot be handled";
    return false;
  }
  if (install_filter() != 0) {
    why = "the kernel takes no seccomp filter";
    return false;
  }
  installed.store(true, std::memory_order_relaxed);
  return true;
}

}  // namespace assay
