// A program: what a caller does to an allocator, as a value. Bytes (encode.h, decode.h) and text (text.h) are its two
// other forms; docs/program_syntax.md is the reference for both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failpoints/plan.h"
#include "harness/op/schedule_event.h"

namespace assay {

enum class OpCode : uint8_t {
#define ASSAY_OP(id, text, code, result, args, capability, weight, precondition, doc) k##id = code,
#include "harness/op/ops.def"
#undef ASSAY_OP
};

enum class ArgKind : uint8_t {
  kNothing,
  kSize,
  kCount,
  kAlignment,
  kSlot,
  kMillis,
  kFlag,
  kOffset,
  kSmallSize,
  kLength,
  kHeap,        // a heap of the program: h0, h1, ..., or NULL
  kArena,       // an arena of the program: a0, a1, ..., or NULL
  kNewHeap,     // the heap that the operation makes; stands to the left of '='
  kNewArena,    // the arena that it makes; stands to the left of '='
  kArenaSize,   // bytes of an arena
  kTag,         // of a heap
  kOption,      // one of options.def, by its name
  kOptionValue  // a number with a sign
};
enum class ResultKind : uint8_t { kNone, kFills, kMoves, kEmpties };
enum class Capability : uint8_t { kAlways, kUsableSize, kCollect, kVirtualClock, kFunction, kHeapFunction };
enum class Precondition : uint8_t { kNone, kNotMainThread, kSmall, kLastLine };

// Arguments that an operation may have, slots included.
inline constexpr size_t kMaxArgs = 6;

// A row of ops.def as data.
struct OpInfo {
  std::string_view name;
  std::string_view doc;
  uint32_t weight;
  OpCode code;
  ResultKind result;
  std::array<ArgKind, kMaxArgs> args;
  Capability capability;
  Precondition precondition;

  size_t arg_count() const;                // arguments that are not kNothing
  std::optional<size_t> slot_arg() const;  // index of the kSlot argument
  std::optional<size_t> arg_of(ArgKind kind) const;
  // Only programs that are about heaps have it: others do not even draw it.
  bool is_about_heaps() const { return capability == Capability::kHeapFunction; }
};

// Heaps and arenas have slots of their own, h0, h1, ... and a0, a1, ..., which are numbers among the arguments of an
// operation, the same for all members of a range.
constexpr bool is_made(ArgKind kind) {
  return kind == ArgKind::kNewHeap || kind == ArgKind::kNewArena;
}
constexpr bool names_heap(ArgKind kind) {
  return kind == ArgKind::kHeap || kind == ArgKind::kNewHeap;
}
constexpr bool names_arena(ArgKind kind) {
  return kind == ArgKind::kArena || kind == ArgKind::kNewArena;
}
constexpr bool is_name(ArgKind kind) {
  return names_heap(kind) || names_arena(kind);
}
// The number of a heap or an arena that is NULL.
inline constexpr uint64_t kNoName = ~uint64_t{0};

// Options that a program may set, in the order of options.def.
enum class OptionId : uint8_t {
#define ASSAY_OPTION(id, name) k##id,
#include "harness/op/options.def"
#undef ASSAY_OPTION
};
size_t option_count();
std::string_view option_name(uint64_t option);               // needs option < option_count()
std::optional<uint64_t> find_option(std::string_view name);  // nothing when there is none of that name

const std::vector<OpInfo>& all_ops();          // in the order of ops.def
const OpInfo& info(OpCode code);               // needs an assigned code
const OpInfo* find_op(OpCode code);            // nullptr when the code is not assigned
const OpInfo* find_op(std::string_view name);  // nullptr when there is none

// Caps of the byte form, and of text. Traces know none but the number of threads.
inline constexpr size_t kMaxBytes = size_t{64} * 1024;
inline constexpr size_t kMaxOperations = 4096;  // members of ranges count
inline constexpr uint32_t kMaxSlots = 1024;
inline constexpr uint32_t kMaxThreads = 4;  // t0..t3
// Heaps and arenas, in text and in bytes. Most programs keep to the first heaps, since what one of them lacks another
// has.
inline constexpr uint32_t kMaxHeaps = 64;
inline constexpr uint32_t kUsualHeaps = 8;
inline constexpr uint32_t kMaxArenas = 16;
// What malloc_small, zalloc_small and the like take at most, and free_small: 128 words, as mimalloc has it.
inline constexpr uint64_t kSmallLimit = 1024;
// Strings that strdup and strndup copy are at most so long.
inline constexpr uint64_t kMaxStringLength = uint64_t{1} << 20;
inline constexpr uint32_t kMaxTextSlots = 65535;
inline constexpr uint32_t kMaxTextThreads = 1023;

// The slots of one operand: one slot, or a range that includes both ends. With `half_seed` only a fixed random half of
// it takes part: exactly half of the slots, the larger half of an odd number, each half equally likely over all seeds.
// Normal form, which every Program has: `last` is a slot that `step` reaches, and a range of one slot has step 1 and
// no half_seed.
struct SlotRange {
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t step = 1;
  std::optional<uint64_t> half_seed = std::nullopt;

  bool single() const { return first == last && !half_seed; }
  uint64_t span() const { return first == last ? 1 : (uint64_t{last} - first) / step + 1; }  // before halving
  uint64_t members() const { return half_seed ? (span() + 1) / 2 : span(); }
  void normalise();  // needs first <= last and step > 0
  bool operator==(const SlotRange&) const = default;
};

// Walks the slots of a range that take part, in ascending order.
class SlotCursor {
 public:
  SlotCursor() = default;
  explicit SlotCursor(const SlotRange& range) : range_(range), left_(range.members()) {}
  bool done() const { return left_ == 0; }
  uint32_t next();  // needs !done()

 private:
  SlotRange range_;
  uint64_t left_ = 0;
  uint64_t position_ = 0;
};

// A number, or an interval from which each member of a range draws its own, uniformly, by a fixed generator
// (`24..4096 seed 7`). Normal form: low <= high, and a plain number (low == high) has seed 0.
struct Value {
  uint64_t low = 0;
  uint64_t high = 0;
  uint64_t seed = 0;

  bool single() const { return low == high; }
  static Value of(uint64_t number) { return {number, number, 0}; }
  // The value for the `member`-th (0-based) operation of the line.
  uint64_t at(uint64_t member) const;
  bool operator==(const Value&) const = default;
};

// One line of the text form. Which fields count is said by info(code).
struct Operation {
  OpCode code = OpCode::kMalloc;
  uint32_t thread = 0;
  std::optional<SlotRange> result = std::nullopt;  // slots that the line fills
  std::optional<SlotRange> slot = std::nullopt;    // slots that it takes; none means NULL where it takes a slot
  std::array<Value, kMaxArgs> args{};              // numeric arguments, at their positions in info(code).args
  std::vector<AccessEvent> schedule{};             // what happens inside of it in mode schedule, by key
  std::vector<Failure> fails{};                    // system calls that fail while the line runs, at most kMaxFailures

  uint64_t members() const;  // operations that this line stands for
  bool operator==(const Operation&) const = default;
};

// In which order operations run: as they are written; one at a time as the schedule says; threads as they come.
enum class Mode : uint8_t { kSequential, kSchedule, kFree };
std::string_view name(Mode mode);
std::optional<Mode> find_mode(std::string_view name);  // nothing when there is none of that name

struct Header {
  std::optional<std::string> flavour;
  std::optional<std::string> mode;
  std::optional<std::string> subject;
  std::optional<std::string> expect;  // a violation token, or "clean"
  bool operator==(const Header&) const = default;
};

struct Program {
  Header header;
  std::vector<Operation> lines;

  uint64_t operations() const;  // sum of members()
  bool operator==(const Program&) const = default;
};

// One call, as the executor sees it: ranges unrolled, values drawn.
struct Step {
  uint64_t line = 0;    // "op 5" of reports
  uint64_t member = 0;  // "op 5[17]"
  OpCode code = OpCode::kMalloc;
  uint32_t thread = 0;
  std::optional<uint64_t> result_slot;
  std::optional<uint64_t> slot;  // nullopt: NULL, where the operation takes a slot
  std::array<uint64_t, kMaxArgs> args{};
  const std::vector<Failure>* fails = nullptr;  // of the line, where there are any; lives as long as the source
};

// Where an executor gets its steps: a program in memory, or a trace that is read as it runs (bounded memory).
class StepSource {
 public:
  virtual ~StepSource() = default;
  // False at the end. A source that fails in the middle (a corrupt trace) throws InputError.
  virtual bool next(Step& step) = 0;
};

class ProgramSteps final : public StepSource {
 public:
  explicit ProgramSteps(const Program& program) : program_(program) {}
  bool next(Step& step) override;

 private:
  const Program& program_;
  uint64_t line_ = 0;
  uint64_t member_ = 0;
  uint64_t members_ = 0;      // of the line at hand
  SlotCursor result_, slot_;  // used when the line is a range
};

// Bad input from the user: one line that says what and where. The command line prints it and exits 2.
struct InputError {
  std::string message;  // "file.ops:3:14: unknown operation 'mallok'"
};

}  // namespace assay
