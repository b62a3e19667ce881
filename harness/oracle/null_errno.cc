#include "harness/oracle/null_errno.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include "harness/oracle/describe.h"

namespace assay {
namespace {

constexpr uint64_t kLargestObject = ~uint64_t{0} >> 1;   // PTRDIFF_MAX
constexpr uint64_t kFreeAlignment = uint64_t{64} << 10;  // alignments up to here cost no address space worth counting
constexpr uint64_t kPageBytes = 4096;

const char* error_name(int error) {
  const char* name = strerrorname_np(error);
  return name == nullptr ? "?" : name;
}

Expectation must_fail(int error, int other_error) {
  return {.verdict = Verdict::kMustFail, .error = error, .other_error = other_error, .size = 0, .charge = 0};
}

Expectation expect_size(uint64_t size, uint64_t alignment, bool zero_may_be_null) {
  if (size > kLargestObject) return must_fail(ENOMEM, alignment > kJudgedBytes ? EINVAL : ENOMEM);
  Expectation expected{
      .verdict = Verdict::kMustSucceed, .error = ENOMEM, .other_error = ENOMEM, .size = size, .charge = size};
  if (alignment > kFreeAlignment) expected.charge = size + alignment < size ? ~uint64_t{0} : size + alignment;
  if (expected.charge > kJudgedBytes) {
    expected.verdict = Verdict::kEither;
    // An implementation may reject an alignment that it does not support.
    if (alignment > kJudgedBytes) expected.other_error = EINVAL;
  } else if (size == 0 && zero_may_be_null) {
    expected.verdict = Verdict::kUnknown;
  }
  return expected;
}

bool is_legal_alignment(OpCode code, uint64_t alignment) {
  return std::has_single_bit(alignment) && (code != OpCode::kPosixMemalign || alignment % sizeof(void*) == 0);
}

// Whether the subject is known to answer NULL, EINVAL to an alignment that is not legal.
bool rejects_bad_alignment(OpCode code, const Promises& promises) {
  switch (code) {
    case OpCode::kPosixMemalign: return true;
    case OpCode::kAlignedAlloc: return promises.aligned_alloc_rejects_bad_alignment;
    case OpCode::kMemalign: return promises.memalign_rejects_bad_alignment;
    default: return promises.extensions_reject_bad_alignment;
  }
}

Expectation expect_request(OpCode code, const Request& request, const Promises& promises) {
  if (request.aligned && !is_legal_alignment(code, request.alignment)) {
    if (!rejects_bad_alignment(code, promises)) return {.verdict = Verdict::kUnknown};
    return must_fail(EINVAL, request.overflows || request.size > kLargestObject ? ENOMEM : EINVAL);
  }
  if (request.overflows) return must_fail(ENOMEM, ENOMEM);
  const bool is_multiple = request.size % request.alignment == 0;
  if (code == OpCode::kAlignedAlloc && !is_multiple && !promises.aligned_alloc_any_size &&
      request.size <= kLargestObject) {
    return {.verdict = Verdict::kUnknown};
  }
  Expectation expected = expect_size(request.size, request.alignment, !promises.zero_size_unique);
  const bool unusual = request.alignment > kFreeAlignment || (request.offset != 0 && request.alignment > kPageBytes);
  if (unusual && !is_standard(code) && !promises.extensions_any_alignment &&
      expected.verdict == Verdict::kMustSucceed) {
    expected.verdict = Verdict::kEither;
  }
  return expected;
}

}  // namespace

Expectation expect(OpCode code, const uint64_t* args, const Promises& promises) {
  const bool resolves_nothing =
      (code == OpCode::kRealpath && args[0] != 0) || (code == OpCode::kHeapRealpath && args[1] != 0);
  if (resolves_nothing) return must_fail(ENOENT, ENOENT);
  const Request request = request_of(code, args);
  Expectation expected = expect_request(code, request, promises);
  expected.request = request;
  expected.any_error = !is_standard(code) && !promises.extensions_set_errno;
  return expected;
}

bool check_answer(OpCode code, const Expectation& expected, uintptr_t address, int error, Violation& violation) {
  if (address != 0 && expected.verdict != Verdict::kMustFail) return true;
  const bool known_error = expected.any_error || error == expected.error || error == expected.other_error;
  if (address == 0 && expected.verdict != Verdict::kMustSucceed && known_error) return true;
  const std::string_view call = info(code).name;
  if (address != 0) {
    violation.oracle = Oracle::kNullErrno;
    describe(violation.sentence, "{} answered a block where it must fail", call);
    describe(violation.expected, "NULL, {}", error_name(expected.error));
    describe(violation.seen, "a block at {:#x}", address);
    return false;
  }
  if (expected.verdict == Verdict::kMustSucceed) {
    violation.oracle = Oracle::kNullErrno;
    describe(violation.sentence, "{} answered NULL although no memory was missing", call);
    describe(violation.expected, "a block of {} bytes", expected.size);
    describe(violation.seen, "NULL, {}", error_name(error));
    return false;
  }
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "{} failed with the wrong error", call);
  if (expected.error == expected.other_error) {
    describe(violation.expected, "{}", error_name(expected.error));
  } else {
    describe(violation.expected, "{} or {}", error_name(expected.error), error_name(expected.other_error));
  }
  describe(violation.seen, "{} ({})", error_name(error), error);
  return false;
}

bool check_errno_kept(OpCode code, int before, int after, Violation& violation) {
  if (before == after) return true;
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "{} changed errno", info(code).name);
  describe(violation.expected, "errno {} kept", before);
  describe(violation.seen, "errno {} ({})", after, error_name(after));
  return false;
}

bool check_out_untouched(OpCode code, bool out_untouched, bool errno_untouched, const Promises& promises,
                         Violation& violation) {
  const bool keeps_errno =
      code == OpCode::kReallocarr ? promises.reallocarr_keeps_errno : promises.memalign_rejects_without_errno;
  if (out_untouched && (errno_untouched || !keeps_errno)) return true;
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "a {} that failed changed {}", info(code).name,
           out_untouched ? "errno" : "the out-pointer");
  describe(violation.expected, "errno and the out-pointer untouched");
  describe(violation.seen, "{}", out_untouched ? "another errno" : "another pointer");
  return false;
}

void report_realloc_zero(OpCode code, uint64_t slot, int error, Violation& violation) {
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "{} of p{} to 0 bytes answered NULL", info(code).name, slot);
  describe(violation.expected, "a minimal live block, which this allocator promises");
  describe(violation.seen, "NULL, {}", error_name(error));
}

}  // namespace assay
