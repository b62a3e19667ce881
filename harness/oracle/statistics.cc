#include "harness/oracle/statistics.h"

#include "harness/oracle/describe.h"

namespace assay {
namespace {

constexpr const char* kEach[] = {
    "arenas",     "reserved_bytes",  "committed_bytes", "purged_bytes", "pages",      "purged_inside_bytes",
    "huge_pages", "abandoned_pages", "reclaimed_pages", "heaps",        "slow_paths", "live_blocks",
    "live_bytes"};

bool is_sound(const Statistic& figure) {
  return figure.now >= 0 && figure.peak >= figure.now && figure.total >= figure.now;
}

bool equals(const HeapKit& kit, const char* name, uint64_t expected, Violation& violation) {
  Statistic figure;
  if (!kit.statistic(name, figure) || static_cast<uint64_t>(figure.now) == expected) return true;
  describe(violation.sentence, "statistic {} is not what there is", name);
  describe(violation.expected, "{}", expected);
  describe(violation.seen, "{}", figure.now);
  return false;
}

}  // namespace

bool check_statistics(const Subject& subject, uint64_t live_blocks, Violation& violation) {
  const HeapKit& kit = subject.heap_kit();
  if (kit.statistic == nullptr) return true;
  violation.oracle = Oracle::kStatistics;
  for (const char* const name : kEach) {
    Statistic figure;
    if (!kit.statistic(name, figure) || is_sound(figure)) continue;
    describe(violation.sentence, "statistic {} does not add up", name);
    describe(violation.expected, "0 <= now <= peak, now <= total");
    describe(violation.seen, "now {}, peak {}, total {}", figure.now, figure.peak, figure.total);
    return false;
  }
  if (subject.promises().counts_live_blocks && !equals(kit, "live_blocks", live_blocks, violation)) return false;
  violation = Violation{};
  return true;
}

bool check_printed(const Printed& printed, Violation& violation) {
  if (printed.whole_lines && printed.figures_agree) return true;
  violation.oracle = Oracle::kStatistics;
  if (printed.whole_lines) {
    describe(violation.sentence, "what the process has committed is not what the statistics say");
    describe(violation.expected, "the same figures");
  } else {
    describe(violation.sentence, "an account of the allocator is empty, or ends within a line");
    describe(violation.expected, "whole lines");
  }
  describe(violation.seen, "{} texts of {} bytes", printed.texts, printed.bytes);
  return false;
}

}  // namespace assay
