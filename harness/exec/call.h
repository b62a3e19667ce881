// The calls themselves: one step becomes one call into the subject's table, and what came back. Judges nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/op/program.h"
#include "harness/subject/subject.h"

namespace assay {

struct Answer {
  uintptr_t address = 0;  // 0: no block
  int error = 0;          // errno, or the error that was returned
  // Whether a call that failed left its out-pointer and errno alone; true for calls without an out-pointer.
  bool out_untouched = true;
  bool errno_untouched = true;
  // What the u-variants told of the block before and after.
  std::optional<uint64_t> usable_before, usable_after;
};

// Calls an operation that fills or moves a slot; `old` is the block that it takes, null for none, `heap` the heap that
// it names.
Answer call_allocating(const SubjectApi& api, const Step& step, void* old, void* heap);

// What the caller of a freeing function must know about the block.
struct FreedAs {
  void* block = nullptr;
  uint64_t size = 0;
  uint64_t alignment = 1;
};
// Calls an operation that empties a slot. `error` is errno behind the call, kErrnoMark when it was left alone.
Answer call_freeing(const SubjectApi& api, OpCode code, const FreedAs& freed);

// errno before each call that may not change it; no error has this number.
inline constexpr int kErrnoMark = 0x5A5A;

// The string of `length` bytes that strdup and strndup are given; it ends where a page of text ends, so that strings of
// all lengths share their last bytes. Needs length <= kMaxStringLength.
const char* source_string(uint64_t length);

// What realpath is asked for, by its argument, and what it answers ("" where it must fail).
const char* path_to_resolve(uint64_t which);
inline constexpr const char* kResolvedPath = "/";

}  // namespace assay
