// What the functions of the malloc family ask for, and how it is served. They differ in how they name a request and in
// what they do with a failure; everything else is here.
#pragma once

#include <cstddef>

namespace xi {

struct Heap;

// The address handed out plus `offset` is a multiple of `alignment`.
struct Request {
  size_t size = 0;
  size_t alignment = 1;
  size_t offset = 0;
  bool zero = false;
  const Heap* within = nullptr;  // a block that stays where it is must be this heap's
};

// 0 and the block in *out, or EINVAL (the alignment is no power of two) or ENOMEM. errno is left alone.
int serve(const Request& request, void** out);

// The block, or null with errno set.
void* allocate_request(const Request& request);

// As allocate_request, with the contents of `old` (null: none), which is freed. `zero` stands for the bytes beyond what
// `old` had. A block that fits, and is aligned as the request wants, stays where it is. On failure `old` is untouched.
// 0, EINVAL (also for an `old` that is not ours) or ENOMEM.
int serve_again(void* old, const Request& request, void** out);
void* reallocate_request(void* old, const Request& request);

// count * size in *total, false when it overflows.
inline bool multiply(size_t count, size_t size, size_t* total) {
  return !__builtin_mul_overflow(count, size, total);
}

// Tells the program's error function, and sets errno; null, for functions to end with.
void* fail(int error);
void* out_of_memory();

// The function that hears of each call that fails, with the errno value; null: none. While it is changed no other
// thread may be inside the allocator.
using ErrorFunction = void (*)(int error, void* argument);
void set_error_function(ErrorFunction function, void* argument);

}  // namespace xi
