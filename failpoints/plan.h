// A plan of failures: which call to the operating system fails, how, and whether once or from then on. Plain data, so
// that programs can carry it and a preloaded library can read it; what a failure does to a call is the seam's business.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

enum class SystemCall : uint8_t {
  kMmap,
  kMunmap,
  kMprotect,
  kMadvise,
  kProcessMadvise,
  kMremap,
  kGetrandom,
  kKeyCreate,
  kThreadCreate,
  kBrk,  // that moves the end of the heap; asking where it is counts as none
};
inline constexpr size_t kSystemCalls = 10;
std::string_view name(SystemCall call);  // "mmap", "key_create", ...

enum class FailureKind : uint8_t {
  kErrno,      // the call does nothing and fails
  kUnaligned,  // mmap succeeds at an address that is a multiple of 4 KiB and of no more
  kHigh,       // mmap succeeds at an address above the 47 bits of user space, which cannot be touched
  kDirty,      // madvise fails with ENOMEM, and what the range held has become rubbish
};

// The `nth` call of its kind, counted from 1, that the operation which carries it makes.
struct Failure {
  SystemCall call = SystemCall::kMmap;
  FailureKind kind = FailureKind::kErrno;
  bool persistent = false;  // and every later call of the kind, of every thread, until os_heal()
  uint16_t nth = 1;
  uint16_t error = ENOMEM;  // 0 unless the kind is kErrno

  bool operator==(const Failure&) const = default;
};

// Of one operation: in a text, and in the bytes. A text has room for more, so that a sweep can add a failure to a line
// that has all those of the byte form.
inline constexpr size_t kMaxFailures = 16;
inline constexpr size_t kMaxFailuresInBytes = 8;

// Why this cannot be planned ("'dirty' is for madvise"), or an empty string when it can.
std::string failure_fault(const Failure& failure);

// True for the numbers that errno.h names.
bool is_errno(int number);

// "mmap#1", "mprotect#2+=EPERM", "mmap#1=high": ENOMEM is left out.
std::string print_failure(const Failure& failure);

// The inverse. False when `text` is none; `error` then says why and `at` is the offset of what is wrong.
bool parse_failure(std::string_view text, Failure& failure, std::string& error, size_t& at);

}  // namespace assay
