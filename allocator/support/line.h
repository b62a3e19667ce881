// One line of text for people, built on the stack: whoever reports something cannot count on the allocator.
#pragma once

#include <cstddef>

#include "allocator/os/environment.h"
#include "allocator/support/output.h"

namespace xi {

class Line {
 public:
  explicit Line(const char* prefix = "ximalloc: ") { text(prefix); }

  Line& text(const char* part) {
    while (*part != '\0' && length_ < sizeof(buffer_) - 2) buffer_[length_++] = *part++;
    return *this;
  }

  Line& number(unsigned long long value, unsigned base) {
    char digits[20];
    size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count > 0 && length_ < sizeof(buffer_) - 2) buffer_[length_++] = digits[--count];
    return *this;
  }

  Line& signed_number(long long value) {
    if (value >= 0) return number(static_cast<unsigned long long>(value), 10);
    return text("-").number(0 - static_cast<unsigned long long>(value), 10);
  }

  Line& address(const void* pointer) { return text("0x").number(reinterpret_cast<unsigned long long>(pointer), 16); }

  const char* c_str() {
    buffer_[length_] = '\0';
    return buffer_;
  }

  void say() {
    end();
    put(buffer_);
  }

  // Past the program's own function, which cannot be trusted any more than the rest of its memory.
  [[noreturn]] void say_and_abort() {
    end();
    os::write_error(buffer_, length_);
    os::abort_process();
  }

 private:
  void end() {
    buffer_[length_++] = '\n';
    buffer_[length_] = '\0';
  }

  char buffer_[320];
  size_t length_ = 0;
};

}  // namespace xi
