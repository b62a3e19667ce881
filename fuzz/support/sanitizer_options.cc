// Defaults of the sanitizers for every executable of a sanitized flavour; the environment still overrides them.

extern "C" {
const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();
const char* __msan_default_options();

// A small quarantine, since the allocator under test is not ASan's and only the harness would fill it: a larger one
// keeps the harness from ever getting memory that is still in the processor's caches. Sizes that no machine has are
// part of the job, so an answer of NULL is one.
const char* __asan_default_options() {
  return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64:detect_leaks=0:allocator_may_return_null=1:"
         "handle_abort=0:detect_stack_use_after_return=0";
}

const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

// The first race ends the process, so that what is saved is the program that raced. Threads that a violation has parked
// are no leak, and a forked child may start threads: it ends before it matters what became of its parent's.
const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:report_thread_leaks=0:die_after_fork=0:handle_abort=0:"
         "allocator_may_return_null=1";
}

// Nothing but the blocks of the allocator under test is marked, by the harness itself (harness/model/uninitialised.h):
// the process's own malloc serves code that is compiled without MemorySanitizer.
const char* __msan_default_options() {
  return "poison_in_malloc=0:poison_in_free=0:handle_abort=0:allocator_may_return_null=1";
}
}
