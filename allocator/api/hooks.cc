// Functions of the program that the allocator calls, and the start and end of process and threads.
#include "allocator/api/request.h"
#include "allocator/base/start.h"
#include "allocator/heap/deferred_free.h"
#include "allocator/heap/thread_heap.h"
#include "allocator/include/ximalloc.h"
#include "allocator/process/process.h"
#include "allocator/support/output.h"

void xi_register_deferred_free(xi_deferred_free_fun* function, void* argument) noexcept {
  xi::set_deferred_free(function, argument);
}

void xi_register_output(xi_output_fun* function, void* argument) noexcept {
  xi::set_output(function, argument);
}

void xi_register_error(xi_error_fun* function, void* argument) noexcept {
  xi::set_error_function(function, argument);
}

void xi_process_init() noexcept {
  xi::start_process();
}

void xi_process_done() noexcept {
  xi_collect(true);
}

void xi_thread_init() noexcept {
  if (!xi::thread_state.has_heap()) xi::start_thread();
}

void xi_thread_done() noexcept {
  xi::end_thread();
}
