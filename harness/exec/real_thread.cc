#include "harness/exec/real_thread.h"

#include <csignal>
#include <cstddef>
#include <stdexcept>

#include "harness/model/mapped_array.h"

namespace assay {
namespace {

constexpr size_t kStackBytes = size_t{1} << 20;
constexpr size_t kSignalStackBytes = size_t{64} << 10;

}  // namespace

pthread_t start_thread(void* (*body)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::runtime_error("the system gives no more threads");
  return thread;
}

SignalStack::~SignalStack() {
  if (memory_ != nullptr) unmap_pages(memory_, kSignalStackBytes);
}

void SignalStack::install() {
  // ASan gives each thread a stack of its own, and at the thread's end unmaps whichever is installed then.
  stack_t current{};
  if (sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0) return;
  if (memory_ == nullptr) memory_ = map_pages(kSignalStackBytes);
  stack_t stack{};
  stack.ss_sp = memory_;
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, nullptr);
}

}  // namespace assay
