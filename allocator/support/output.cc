#include "allocator/support/output.h"

#include <cstring>

#include "allocator/base/atomic.h"
#include "allocator/os/environment.h"

namespace xi {

namespace {
struct Output {
  Atomic<OutputFunction> function;
  Atomic<void*> argument;
};
constinit Output output;
}  // namespace

void set_output(OutputFunction function, void* argument) {
  output.function.store(nullptr, kRelease);
  output.argument.store(argument, kRelease);
  output.function.store(function, kRelease);
}

void put(const char* text) {
  const OutputFunction function = output.function.load(kAcquire);
  if (function != nullptr) {
    function(text, output.argument.load(kAcquire));
  } else {
    os::write_error(text, strlen(text));
  }
}

}  // namespace xi
