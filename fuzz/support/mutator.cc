#include "fuzz/support/mutator.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "fuzz/support/entry.h"
#include "harness/op/decode.h"
#include "harness/op/draw.h"
#include "harness/op/encode.h"
#include "harness/op/mutate.h"
#include "harness/op/random.h"
#include "harness/op/schedule.h"
#include "harness/op/validate.h"

// libFuzzer's own mutation of bytes; engines without it do that themselves.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace assay::fuzz {
namespace {

// One mutation in so many is the engine's own: it reaches byte strings that no program encodes to.
constexpr unsigned kBytesOneIn = 16;

// A fork costs as much time as a hundred other programs, a change of threads as much as ten operations, and coverage
// makes the engine fond of both: of the mutants of a program that has them, one in so many keeps them.
constexpr unsigned kForksOneIn = 64;
constexpr unsigned kThreadsOneIn = 4;
// Where most subjects have no heaps, and sit out what is about them.
constexpr unsigned kHeapsOneIn = 4;

// Short programs of small blocks are what makes a hunt fast: every byte is written, checked, and paid for with a page
// fault. Long programs and large blocks are what reaches the states of a full heap. So most mutants are cut to some
// tens of operations with a few large blocks, and one in so many is left as it came.
constexpr unsigned kWholeOneIn = 32;
constexpr uint64_t kUsualOperations = 40;
constexpr uint64_t kUsualMembers = 16;
constexpr uint64_t kLargeBytes = 16 * 1024;
constexpr uint64_t kImpossibleBytes = uint64_t{1} << 40;  // fails at once, and costs nothing
constexpr unsigned kUsualLargeLines = 2;
constexpr uint64_t kUsualLargest = 2 * 1024 * 1024;

void narrow(std::optional<SlotRange>& range, uint64_t members) {
  if (!range || range->members() <= members) return;
  const uint64_t span = range->half_seed ? 2 * members : members;
  range->last = static_cast<uint32_t>(range->first + range->step * (span - 1));
  range->normalise();
}

uint64_t most_bytes(const Operation& line) {
  uint64_t bytes = 1;
  for (size_t i = 0; i < line.args.size(); ++i) {
    const ArgKind kind = info(line.code).args[i];
    if (kind != ArgKind::kSize && kind != ArgKind::kCount) continue;
    if (__builtin_mul_overflow(bytes, line.args[i].high, &bytes)) return kImpossibleBytes;
  }
  return bytes;
}

void make_small(Operation& line) {
  for (size_t i = 0; i < line.args.size(); ++i) {
    const ArgKind kind = info(line.code).args[i];
    if (kind == ArgKind::kSize) line.args[i] = Value::of(1 + line.args[i].high % 2048);
    if (kind == ArgKind::kCount) line.args[i] = Value::of(1 + line.args[i].high % 4);
  }
}

// A heap's operation goes to the heap's thread, where spreading has put it on another one: but for one in eight, which
// must be refused.
void return_to_heaps(Program& program, unsigned seed) {
  LiveSlots live;
  for (size_t i = 0; i < program.lines.size(); ++i) {
    Operation& line = program.lines[i];
    if (random_at(seed, i) % 8 != 0) aim_names(line, live.names());
    live.apply(line);
  }
}

void shorten(Program& program) {
  uint64_t operations = 0;
  unsigned large_lines = 0;
  for (size_t i = 0; i < program.lines.size(); ++i) {
    Operation& line = program.lines[i];
    const uint64_t bytes = most_bytes(line);
    const bool large = bytes > kLargeBytes && bytes < kImpossibleBytes;
    narrow(line.result, large ? 1 : kUsualMembers);
    narrow(line.slot, large ? 1 : kUsualMembers);
    if (large && (bytes > kUsualLargest || ++large_lines > kUsualLargeLines)) make_small(line);
    operations += line.members();
    if (operations > kUsualOperations) {
      program.lines.resize(i);
      return;
    }
  }
}

bool is_fork(const Operation& line) {
  return line.code == OpCode::kFork;
}
bool forks(const Program& program) {
  return std::any_of(program.lines.begin(), program.lines.end(), is_fork);
}

bool is_about_heaps(const Operation& line) {
  return info(line.code).is_about_heaps();
}

// Gives a program of one thread several, in short stretches: what one allocates another frees.
void spread_threads(Program& program, unsigned seed) {
  const auto elsewhere = [](const Operation& line) { return line.thread != 0; };
  if (std::any_of(program.lines.begin(), program.lines.end(), elsewhere)) return;
  const uint64_t threads = 2 + random_at(seed, 0) % (kMaxThreads - 1);
  uint64_t left = 0;
  uint32_t thread = 0;
  for (size_t i = 0; i < program.lines.size(); ++i) {
    if (left == 0) {
      left = 1 + random_at(seed, 2 * i + 1) % 4;
      thread = static_cast<uint32_t>(random_at(seed, 2 * i + 2) % threads);
    }
    if (program.lines[i].code != OpCode::kEnd) program.lines[i].thread = thread;
    --left;
  }
}

// What is left can happen to any subject.
void keep_to_operations(Program& program) {
  for (Operation& line : program.lines) {
    std::erase_if(line.schedule, [](const AccessEvent& event) { return event.kind != ScheduleKind::kPreempt; });
    for (AccessEvent& event : line.schedule) event.access = 0;
  }
}

void thin_out(Program& program, unsigned seed, const Taste& taste) {
  const unsigned draw = seed / kBytesOneIn;
  if (draw % kForksOneIn != 0) std::erase_if(program.lines, is_fork);
  if (taste.threads) {
    spread_threads(program, draw);
  } else if (draw / kForksOneIn % kThreadsOneIn != 0) {
    std::erase_if(program.lines, [](const Operation& line) { return line.code == OpCode::kThreadExit; });
    for (Operation& line : program.lines) line.thread = 0;
  }
  if (draw / kForksOneIn / kThreadsOneIn % kWholeOneIn != 0) shorten(program);
  if (taste.heaps) return_to_heaps(program, draw);
  if (taste.few_heaps) std::erase_if(program.lines, is_about_heaps);
  if (!taste.accesses) keep_to_operations(program);
  aim_schedule(program);
}

// Copies the program's bytes out; one that breaks the program's rules is a fault of ours, not a find. What was taken
// out of a program may make the rest longer in bytes, so its end may have to go.
size_t write_out(Program& program, uint8_t* out, size_t max_size) {
  if (const auto fault = validate(program)) harness_bug("a mutated program is not valid: " + *fault);
  const std::vector<uint8_t> bytes = encode_beginning(program, max_size);
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}

// Of few heaps it becomes heaps or none.
Taste settled(Taste taste, unsigned seed) {
  if (!taste.few_heaps || random_at(seed, 0) % kHeapsOneIn != 0) return taste;
  taste.heaps = true;
  taste.few_heaps = false;
  return taste;
}

}  // namespace

size_t mutate_bytes(uint8_t* data, size_t size, size_t max_size, unsigned seed, const Taste& wish) {
  const Taste taste = settled(wish, seed);
  Program program;
  if (LLVMFuzzerMutate != nullptr && seed % kBytesOneIn == 0) {
    size = LLVMFuzzerMutate(data, size, max_size);
    decode_into({data, size}, program);
    const bool has_heaps = taste.few_heaps && std::any_of(program.lines.begin(), program.lines.end(), is_about_heaps);
    if (!forks(program) && !has_heaps) return size;
  } else {
    program = mutate(decode({data, size}), seed, max_size, {.schedules = taste.schedules, .heaps = taste.heaps});
  }
  thin_out(program, seed, taste);
  return write_out(program, data, max_size);
}

size_t cross_bytes(std::span<const uint8_t> first, std::span<const uint8_t> second, uint8_t* out, size_t max_size,
                   unsigned seed, const Taste& wish) {
  const Taste taste = settled(wish, seed);
  Program program = crossover(decode(first), decode(second), seed, max_size);
  thin_out(program, seed, taste);
  return write_out(program, out, max_size);
}

}  // namespace assay::fuzz
