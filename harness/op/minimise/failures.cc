// The minimiser's pass on what the operating system refuses.
#include "harness/op/minimise/passes.h"

namespace assay {
namespace {

bool try_failures(Candidates& candidates, size_t line, std::vector<Failure> failures) {
  Program candidate = candidates.best();
  candidate.lines[line].fails = std::move(failures);
  return candidates.accept(std::move(candidate));
}

bool try_one(Candidates& candidates, size_t line, size_t index, const Failure& failure) {
  std::vector<Failure> failures = candidates.lines()[line].fails;
  failures[index] = failure;
  return try_failures(candidates, line, std::move(failures));
}

void drop(Candidates& candidates, size_t line) {
  if (candidates.lines()[line].fails.size() > 1 && try_failures(candidates, line, {})) return;
  for (size_t i = candidates.lines()[line].fails.size(); i-- > 0 && !candidates.stopped();) {
    std::vector<Failure> failures = candidates.lines()[line].fails;
    failures.erase(failures.begin() + static_cast<ptrdiff_t>(i));
    try_failures(candidates, line, std::move(failures));
  }
}

void simplify(Candidates& candidates, size_t line, size_t index) {
  Failure failure = candidates.lines()[line].fails[index];
  if (failure.kind != FailureKind::kErrno || failure.error != ENOMEM) {
    Failure plain = failure;
    plain.kind = FailureKind::kErrno;
    plain.error = ENOMEM;
    if (try_one(candidates, line, index, plain)) failure = plain;
  }
  if (failure.persistent) {
    Failure once = failure;
    once.persistent = false;
    if (try_one(candidates, line, index, once)) failure = once;
  }
  for (uint16_t nth = 1; nth < failure.nth && !candidates.stopped(); nth++) {
    Failure earlier = failure;
    earlier.nth = nth;
    if (try_one(candidates, line, index, earlier)) return;
  }
}

}  // namespace

void simplify_failures(Candidates& candidates) {
  candidates.begin_pass("failures");
  for (size_t line = candidates.lines().size(); line-- > 0 && !candidates.stopped();) drop(candidates, line);
  for (size_t line = 0; line < candidates.lines().size() && !candidates.stopped(); line++) {
    for (size_t i = 0; i < candidates.lines()[line].fails.size(); i++) simplify(candidates, line, i);
  }
}

}  // namespace assay
