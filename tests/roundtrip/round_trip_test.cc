// Noise, generated, mutated and damaged programs through every form. ASSAY_FULL=1 runs a million byte strings instead
// of a hundred thousand; the figures that the tests print are the ones to quote.
#include "harness/op/round_trip.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <unordered_set>
#include <vector>

#include "harness/op/decode.h"
#include "harness/op/generate.h"
#include "harness/op/live_slots.h"
#include "harness/op/mutate.h"
#include "harness/op/random.h"
#include "harness/op/text.h"

namespace assay {
namespace {

bool full() {
  const char* value = std::getenv("ASSAY_FULL");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<uint8_t> noise(uint64_t seed, size_t size) {
  std::vector<uint8_t> bytes(size);
  Random random(seed);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits() >> 56);
  return bytes;
}

// The same behind the mark of programs that are about heaps.
std::vector<uint8_t> noise_about_heaps(uint64_t seed, size_t size) {
  std::vector<uint8_t> bytes = noise(seed, size);
  bytes.insert(bytes.begin(), {0xd3, 'h', 'a'});
  return bytes;
}

std::optional<SlotRange> one(const std::optional<uint64_t>& slot) {
  if (!slot) return std::nullopt;
  return SlotRange{.first = static_cast<uint32_t>(*slot), .last = static_cast<uint32_t>(*slot)};
}

// What would happen to each operation of a program, as far as its text tells.
class Census {
 public:
  void count(const Program& program) {
    LiveSlots live;
    ProgramSteps steps(program);
    for (Step step; steps.next(step);) count(step, live);
  }

  uint64_t operations() const { return operations_; }
  double skipped_fraction() const { return static_cast<double>(skipped_) / static_cast<double>(operations_); }

  void expect_all_operations_useful(bool about_heaps) const {
    for (const OpInfo& row : all_ops()) {
      const auto code = static_cast<size_t>(row.code);
      // Noise does not begin with the mark of failures, and without it these cannot occur.
      if (row.code == OpCode::kOsHeal || row.code == OpCode::kEnd) continue;
      if (row.is_about_heaps() && !about_heaps) continue;
      const double share =
          static_cast<double>(succeeded_[code]) / static_cast<double>(std::max<uint64_t>(1, tried_[code]));
      fmt::print("  {:<15} tried {:>9}  likely to succeed {:>5.1f} %\n", row.name, tried_[code], 100 * share);
      EXPECT_GE(share, 0.01) << row.name;
      EXPECT_GT(tried_[code], 0u) << row.name;
    }
  }

 private:
  void count(const Step& step, LiveSlots& live) {
    const OpInfo& row = info(step.code);
    const auto code = static_cast<size_t>(step.code);
    Operation operation{
        .code = step.code, .thread = step.thread, .result = one(step.result_slot), .slot = one(step.slot)};
    for (size_t i = 0; i < step.args.size(); i++) operation.args[i] = Value::of(step.args[i]);
    const bool misses = operation.slot && !live.is_live(operation.slot->first);
    const bool full = operation.result && operation.result != operation.slot && live.is_live(operation.result->first);
    const bool forbidden = row.precondition == Precondition::kNotMainThread && step.thread == 0;
    operations_++;
    tried_[code]++;
    if (misses || full || forbidden) {
      skipped_++;
    } else if (!operation.result || likely_succeeds(row, operation, 0)) {
      succeeded_[code]++;
    }
    live.apply(operation);
  }

  uint64_t operations_ = 0;
  uint64_t skipped_ = 0;
  std::array<uint64_t, 256> tried_{}, succeeded_{};
};

TEST(RoundTrip, NoiseIsAGoodProgram) {
  const uint64_t kStrings = full() ? 1'000'000 : 100'000;
  std::unordered_set<uint64_t> distinct;
  Census census;
  for (uint64_t seed = 0; seed < kStrings; seed++) {
    const Program program = decode(noise(seed, random_at(seed, 99) % 400));
    const auto fault = round_trip_fault(program);
    ASSERT_EQ(fault, std::nullopt) << "seed " << seed << ": " << *fault;
    distinct.insert(std::hash<std::string>{}(print_text(program)));
    census.count(program);
  }
  fmt::print("{} byte strings: {} distinct programs, {} operations, {:.2f} % likely to be skipped\n", kStrings,
             distinct.size(), census.operations(), 100 * census.skipped_fraction());
  census.expect_all_operations_useful(false);
  EXPECT_LE(census.skipped_fraction(), 0.01);
  // Strings of no or one byte are all the empty program, one in 200.
  EXPECT_GE(distinct.size() * 100, kStrings * 98);
}

TEST(RoundTrip, NoiseAboutHeapsReachesEveryOperation) {
  const uint64_t kStrings = full() ? 200'000 : 20'000;
  Census census;
  for (uint64_t seed = 0; seed < kStrings; seed++) {
    const Program program = decode(noise_about_heaps(seed, random_at(seed, 99) % 400));
    const auto fault = round_trip_fault(program);
    ASSERT_EQ(fault, std::nullopt) << "seed " << seed << ": " << *fault;
    census.count(program);
  }
  census.expect_all_operations_useful(true);
}

TEST(RoundTrip, TwoHundredBytesOfNoiseAreMoreThanThirtyOperations) {
  uint64_t enough = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    Census census;
    census.count(decode(noise(seed, 200)));
    enough += static_cast<double>(census.operations()) * (1 - census.skipped_fraction()) >= 30;
  }
  EXPECT_GE(enough, 1980u);
}

TEST(RoundTrip, GeneratedAndMutatedPrograms) {
  const uint64_t kPrograms = full() ? 20'000 : 2'000;
  Program partner;
  for (uint64_t seed = 0; seed < kPrograms; seed++) {
    Program program = generate(seed, random_at(seed, 7) % 300);
    if (seed % 3 == 0) program.header = {.flavour = "fuzz", .mode = "sequential", .subject = "libc", .expect = "clean"};
    for (uint64_t round = 0; round < 8; round++) {
      const auto fault = round_trip_fault(program);
      ASSERT_EQ(fault, std::nullopt) << "seed " << seed << " round " << round << ": " << *fault;
      program = round == 5 ? crossover(program, partner, seed, 4096) : mutate(program, seed * 8 + round, 4096);
    }
    partner = program;
  }
}

// Texts with characters changed, lines torn and pieces of other lines pasted in.
std::string damaged(std::string text, Random& random) {
  static constexpr std::string_view kPieces[] = {
      "..",   " step ", " half ", " seed ", "p",    "@t",  "NULL", "(",           ")",        ",",
      " = ",  "#",      ":",      "mode: ", "0x",   "\n",  "\r",   "assay ",      "9",        "18446744073709551616",
      "free", "malloc", "\t",     "\xff",   "p0..", "t1 ", "-",    "expect: x\n", " (fail: ", "mmap#",
      "+",    "=EPERM", "end()\n"};
  for (uint64_t left = random.one_in(2) ? 1 : random.between(2, 4); left > 0; left--) {
    const size_t at = random.below(text.size() + 1);
    switch (random.below(5)) {
      case 0: text.insert(at, kPieces[random.below(std::size(kPieces))]); break;
      case 1: text.erase(at, random.between(1, 8)); break;
      case 2: text.insert(at, text.substr(random.below(text.size() + 1), random.between(1, 12))); break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(random.bits());
        break;
      default:
        if (const size_t digit = text.find_first_of("0123456789", at); digit != std::string::npos) {
          text[digit] = static_cast<char>('0' + random.below(10));
        }
        break;
    }
  }
  return text;
}

TEST(RoundTrip, DamagedTextsAreRefusedOrUnderstood) {
  const uint64_t kTexts = full() ? 1'000'000 : 100'000;
  uint64_t understood = 0;
  std::string text;
  for (uint64_t seed = 0; seed < kTexts; seed++) {
    if (seed % 16 == 0) text = print_text(generate(seed, 12));
    Random random(seed);
    const std::string bad = damaged(text, random);
    const auto fault = text_fault(bad);
    ASSERT_EQ(fault, std::nullopt) << *fault << "\nin\n" << bad;
    try {
      parse_text(bad, "x.ops");
      understood++;
    } catch (const InputError&) {
      continue;
    }
  }
  // Neither all nor none: else the damage tests only one side.
  EXPECT_GE(understood * 20, kTexts);
  EXPECT_LE(understood * 2, kTexts);
}

}  // namespace
}  // namespace assay
