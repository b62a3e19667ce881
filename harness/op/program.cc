#include "harness/op/program.h"

#include <algorithm>
#include <iterator>

#include "harness/op/random.h"

namespace assay {
namespace {

constexpr size_t kCodes = 256;

// The kinds of a row's arguments, by their bare names.
constexpr std::array<ArgKind, kMaxArgs> kinds(auto... listed) {
  return {listed...};
}
using enum ArgKind;

constexpr OpInfo kRows[] = {
#define ASSAY_OP(id, text, code, result, args, capability, weight, precondition, doc) \
  OpInfo{text,                                                                        \
         doc,                                                                         \
         weight,                                                                      \
         OpCode::k##id,                                                               \
         ResultKind::result,                                                          \
         kinds args,                                                                  \
         Capability::capability,                                                      \
         Precondition::precondition},
#include "harness/op/ops.def"
#undef ASSAY_OP
};

// Rows by opcode; null where a code is not assigned. Constant, since the decoder asks for a row at every operation.
constexpr std::array<const OpInfo*, kCodes> kRowsByCode = [] {
  std::array<const OpInfo*, kCodes> rows{};
  for (const OpInfo& row : kRows) rows[static_cast<size_t>(row.code)] = &row;
  return rows;
}();

constexpr std::string_view kOptionNames[] = {
#define ASSAY_OPTION(id, name) name,
#include "harness/op/options.def"
#undef ASSAY_OPTION
};

constexpr std::array<std::string_view, 3> kModes = {"sequential", "schedule", "free"};

}  // namespace

std::string_view name(Mode mode) {
  return kModes[static_cast<size_t>(mode)];
}

std::optional<Mode> find_mode(std::string_view name) {
  const auto found = std::ranges::find(kModes, name);
  if (found == kModes.end()) return std::nullopt;
  return static_cast<Mode>(found - kModes.begin());
}

size_t OpInfo::arg_count() const {
  return static_cast<size_t>(std::ranges::count_if(args, [](ArgKind kind) { return kind != ArgKind::kNothing; }));
}

std::optional<size_t> OpInfo::arg_of(ArgKind kind) const {
  for (size_t i = 0; i < args.size(); i++) {
    if (args[i] == kind) return i;
  }
  return std::nullopt;
}

std::optional<size_t> OpInfo::slot_arg() const {
  return arg_of(ArgKind::kSlot);
}

size_t option_count() {
  return std::size(kOptionNames);
}

std::string_view option_name(uint64_t option) {
  return kOptionNames[option];
}

std::optional<uint64_t> find_option(std::string_view name) {
  const auto* const found = std::ranges::find(kOptionNames, name);
  if (found == std::end(kOptionNames)) return std::nullopt;
  return static_cast<uint64_t>(found - std::begin(kOptionNames));
}

const std::vector<OpInfo>& all_ops() {
  static const std::vector<OpInfo> ops(std::begin(kRows), std::end(kRows));
  return ops;
}

const OpInfo* find_op(OpCode code) {
  return kRowsByCode[static_cast<size_t>(code)];
}

const OpInfo& info(OpCode code) {
  return *find_op(code);
}

const OpInfo* find_op(std::string_view name) {
  const OpInfo* const found = std::ranges::find(kRows, name, &OpInfo::name);
  return found == std::end(kRows) ? nullptr : found;
}

void SlotRange::normalise() {
  last = static_cast<uint32_t>(first + (span() - 1) * step);
  if (first == last) {
    step = 1;
    half_seed.reset();
  }
}

uint32_t SlotCursor::next() {
  if (range_.half_seed) {
    // Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S): every half is equally likely and the number is exact.
    const uint64_t span = range_.span();
    while (below(random_at(*range_.half_seed, position_), span - position_) >= left_) position_++;
  }
  left_--;
  return static_cast<uint32_t>(range_.first + position_++ * range_.step);
}

uint64_t Value::at(uint64_t member) const {
  if (single()) return low;
  const uint64_t bits = random_at(seed, member);
  const uint64_t count = high - low + 1;
  return count == 0 ? bits : low + below(bits, count);
}

uint64_t Operation::members() const {
  if (result) return result->members();
  return slot ? slot->members() : 1;
}

uint64_t Program::operations() const {
  uint64_t sum = 0;
  for (const Operation& line : lines) sum += line.members();
  return sum;
}

bool ProgramSteps::next(Step& step) {
  if (line_ == program_.lines.size()) return false;
  const Operation& operation = program_.lines[line_];
  if (member_ == 0) {
    members_ = operation.members();
    if (operation.result) result_ = SlotCursor(*operation.result);
    if (operation.slot) slot_ = SlotCursor(*operation.slot);
  }
  step.line = line_;
  step.member = member_;
  step.code = operation.code;
  step.thread = operation.thread;
  step.result_slot.reset();
  step.slot.reset();
  if (operation.result) step.result_slot = result_.next();
  if (operation.slot) step.slot = slot_.next();
  for (size_t i = 0; i < step.args.size(); i++) step.args[i] = operation.args[i].at(member_);
  step.fails = operation.fails.empty() ? nullptr : &operation.fails;
  if (++member_ == members_) {
    member_ = 0;
    line_++;
  }
  return true;
}

}  // namespace assay
