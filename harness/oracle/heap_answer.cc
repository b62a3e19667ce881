#include "harness/oracle/heap_answer.h"

#include <cstring>

#include "harness/oracle/describe.h"

namespace assay {
namespace {

const char* error_name(int error) {
  const char* const name = error == 0 ? "no error" : strerrorname_np(error);
  return name == nullptr ? "?" : name;
}

}  // namespace

bool check_refused(OpCode code, int error, int seen, Violation& violation) {
  if (error == seen) return true;
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "{} was not refused as it must be", info(code).name);
  describe(violation.expected, "{}", error_name(error));
  describe(violation.seen, "{}", error_name(seen));
  return false;
}

bool check_made(OpCode code, bool made, bool may_fail, int error, int seen, Violation& violation) {
  if (made || (may_fail && seen == error)) return true;
  violation.oracle = Oracle::kNullErrno;
  describe(violation.sentence, "{} failed {}", info(code).name,
           may_fail ? "with the wrong error" : "although no memory was missing");
  describe(violation.expected, "{}", may_fail ? error_name(error) : "success");
  describe(violation.seen, "{} ({})", error_name(seen), seen);
  return false;
}

bool check_same_heap(OpCode code, const void* expected, const void* seen, Violation& violation) {
  if (expected == seen) return true;
  violation.oracle = Oracle::kOwnership;
  describe(violation.sentence, "{} answered another heap", info(code).name);
  describe(violation.expected, "{}", expected);
  describe(violation.seen, "{}", seen);
  return false;
}

bool check_belongs(OpCode code, uint64_t slot, bool expected, bool seen, Violation& violation) {
  if (expected == seen) return true;
  violation.oracle = Oracle::kOwnership;
  describe(violation.sentence, "{} is wrong about the heap of p{}", info(code).name, slot);
  describe(violation.expected, "{}", expected);
  describe(violation.seen, "{}", seen);
  return false;
}

bool check_option(std::string_view name, long expected, long seen, Violation& violation) {
  if (expected == seen) return true;
  violation.oracle = Oracle::kOption;
  describe(violation.sentence, "option {} has not the value that was set", name);
  describe(violation.expected, "{}", expected);
  describe(violation.seen, "{}", seen);
  return false;
}

bool check_option_agrees(std::string_view name, long value, bool agrees, Violation& violation) {
  if (agrees) return true;
  violation.oracle = Oracle::kOption;
  describe(violation.sentence, "option {} is another one when it is asked for in another way", name);
  describe(violation.expected, "{} as a size, as a switch and between bounds", value);
  describe(violation.seen, "something else");
  return false;
}

}  // namespace assay
