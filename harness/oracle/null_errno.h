// NULL and errno exactly when the standard says so: what each request must answer, and whether it did.
#pragma once

#include <cstdint>

#include "harness/op/program.h"
#include "harness/oracle/request.h"
#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// Above this many bytes, alignment included, neither success nor NULL is judged: there the host's memory decides, or
// the seam of a subject that has one.
inline constexpr uint64_t kJudgedBytes = uint64_t{4} << 30;

enum class Verdict : uint8_t { kMustSucceed, kMustFail, kEither, kUnknown };

struct Expectation {
  Verdict verdict = Verdict::kMustSucceed;
  int error = 0;           // what NULL must come with
  int other_error = 0;     // as good, where the standard names two; else equal to `error`
  uint64_t size = 0;       // bytes that the caller gets
  uint64_t charge = 0;     // what counts against the cap on live bytes: the size, and a large alignment
  bool any_error = false;  // nothing promises which error NULL comes with
  Request request{};
};

// What an allocating call with `args` (as in ops.def) must answer. kUnknown: the subject's promise is not known.
// A resize to 0 bytes is not judged here.
Expectation expect(OpCode code, const uint64_t* args, const Promises& promises);

// `address` 0: the call failed with `error`. The block itself is judged by the other oracles.
[[nodiscard]] bool check_answer(OpCode code, const Expectation& expected, uintptr_t address, int error,
                                Violation& violation);

// free keeps errno (POSIX.1-2024).
[[nodiscard]] bool check_errno_kept(OpCode code, int before, int after, Violation& violation);

// A call with an out-pointer that failed leaves that alone, and errno where the subject promises it.
[[nodiscard]] bool check_out_untouched(OpCode code, bool out_untouched, bool errno_untouched, const Promises& promises,
                                       Violation& violation);

// A resize to 0 bytes that must give a block, and gave none.
void report_realloc_zero(OpCode code, uint64_t slot, int error, Violation& violation);

}  // namespace assay
