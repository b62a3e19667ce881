#include "harness/oracle/footprint.h"

#include "harness/oracle/describe.h"

namespace assay {
namespace {

constexpr uint64_t kLongAfterEveryDelayMs = 3'600'000;

}  // namespace

bool has_footprint(const Subject& subject) {
  return subject.instruments().footprint != nullptr && subject.api().collect != nullptr;
}

Footprint settled_footprint(const Subject& subject) {
  subject.api().collect(true);
  if (subject.instruments().advance_clock != nullptr) {
    subject.instruments().advance_clock(kLongAfterEveryDelayMs);
    subject.api().collect(true);
  }
  return subject.instruments().footprint();
}

Footprint warmed_up_footprint(const Subject& subject) {
  constexpr size_t kSizes[] = {16, 1024, 20'000, 200'000, 1 << 20, 5 << 20};
  if (subject.instruments().reset != nullptr) subject.instruments().reset();
  for (const size_t size : kSizes) subject.api().free(subject.api().malloc(size));
  return settled_footprint(subject);
}

bool check_footprint(const Footprint& before, const Footprint& after, Violation& violation) {
  if (after.mapped_bytes <= before.mapped_bytes && after.committed_bytes <= before.committed_bytes) return true;
  violation.oracle = Oracle::kFootprint;
  describe(violation.sentence, "memory did not go back to the system after everything was freed and collected");
  describe(violation.expected, "at most {} bytes mapped and {} committed, as after a warm-up", before.mapped_bytes,
           before.committed_bytes);
  describe(violation.seen, "{} bytes mapped and {} committed", after.mapped_bytes, after.committed_bytes);
  return false;
}

}  // namespace assay
