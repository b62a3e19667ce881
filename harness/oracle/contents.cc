#include "harness/oracle/contents.h"

#include <algorithm>
#include <iterator>

#include "harness/oracle/describe.h"

namespace assay {
namespace {

size_t first_wrong(const FillPlan& plan, uint64_t planned_size, const Block& block, uint64_t limit) {
  size_t wrong = kAllRight;
  for_each_part(plan, planned_size, [&](uint64_t from, uint64_t to) {
    if (from >= limit) return false;
    wrong = first_wrong_byte(block.bytes(), block.seed, from, std::min(to, limit));
    return wrong == kAllRight;
  });
  return wrong;
}

// The bytes from `offset` on as they are, as many as are shown and exist.
void describe_bytes(const Block& block, size_t offset, uint64_t size, Violation& violation) {
  constexpr uint64_t kShown = 16;
  const uint64_t shown = std::min(kShown, size - offset);
  const auto* bytes = reinterpret_cast<const unsigned char*>(block.address) + offset;
  char seen[3 * kShown + 1] = {};
  char expected[3 * kShown + 1] = {};
  char* seen_end = seen;
  char* expected_end = expected;
  for (uint64_t i = 0; i < shown; ++i) {
    seen_end = fmt::format_to(seen_end, " {:02x}", bytes[i]);
    expected_end = fmt::format_to(expected_end, " {:02x}", pattern_byte(block.seed, offset + i));
  }
  describe(violation.expected, "bytes{} at offset {}", static_cast<const char*>(expected), offset);
  describe(violation.seen, "bytes{} at {:#x}", static_cast<const char*>(seen), block.address + offset);
}

}  // namespace

void fill_block(const Block& block, uint64_t from) {
  if (block.filled <= block.plan->dense_bytes) {
    fill_pattern(block.bytes(), block.seed, from, block.filled);
    return;
  }
  for_each_part(*block.plan, block.filled, [&block](uint64_t begin, uint64_t end) {
    fill_pattern(block.bytes(), block.seed, begin, end);
    return true;
  });
}

bool check_contents(uint64_t slot, const Block& block, Violation& violation) {
  const size_t wrong = first_wrong(*block.plan, block.filled, block, block.filled);
  if (wrong == kAllRight) return true;
  violation.oracle = Oracle::kContents;
  describe(violation.sentence, "block p{} lost its contents at offset {} of {}", slot, wrong, block.filled);
  describe_bytes(block, wrong, block.filled, violation);
  set_victim(violation, slot, block);
  return false;
}

bool check_kept(uint64_t slot, const Block& old, const Block& moved, uint64_t kept, Violation& violation) {
  const size_t wrong = first_wrong(*old.plan, old.filled, moved, kept);
  if (wrong == kAllRight) return true;
  violation.oracle = Oracle::kContents;
  describe(violation.sentence, "resizing block p{} from {} to {} bytes lost its contents at offset {}", slot,
           old.requested, moved.requested, wrong);
  describe_bytes(moved, wrong, kept, violation);
  set_victim(violation, slot, old);
  return false;
}

bool check_text(uint64_t slot, const Block& block, const char* text, Violation& violation) {
  const uint64_t length = block.requested - 1;
  const char* const copy = block.bytes();
  const char* const wrong = std::mismatch(copy, copy + length, text).first;
  const auto offset = static_cast<uint64_t>(wrong - copy);
  if (offset == length && *wrong == 0) return true;
  const auto expected = static_cast<unsigned char>(offset == length ? 0 : text[offset]);
  violation.oracle = Oracle::kContents;
  describe(violation.sentence, "the new block p{} does not hold the string at offset {} of {}", slot, offset, length);
  describe(violation.expected, "byte {:02x}", expected);
  describe(violation.seen, "byte {:02x} at {:#x}", static_cast<unsigned char>(*wrong), block.address + offset);
  set_victim(violation, slot, block);
  return false;
}

}  // namespace assay
