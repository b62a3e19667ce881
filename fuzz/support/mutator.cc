#include "fuzz/support/mutator.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/mutate.h"
#include "harness/op/validate.h"

// libFuzzer's own mutation of bytes; engines without it do that themselves.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace assay::fuzz {
namespace {

// One mutation in so many is the engine's own: it reaches byte strings that no program encodes to.
constexpr unsigned kBytesOneIn = 8;

// A fork costs as much time as a hundred other programs, a change of threads as much as ten operations, and coverage makes
// the engine fond of both: of the mutants of a program that has them, one in so many keeps them.
constexpr unsigned kForksOneIn = 32;
constexpr unsigned kThreadsOneIn = 4;

void thin_out(Program& program, unsigned seed) {
  const unsigned draw = seed / kBytesOneIn;
  if (draw % kForksOneIn != 0) {
    std::erase_if(program.lines, [](const Operation& line) { return line.code == OpCode::kFork; });
  }
  if (draw / kForksOneIn % kThreadsOneIn != 0) {
    std::erase_if(program.lines, [](const Operation& line) { return line.code == OpCode::kThreadExit; });
    for (Operation& line : program.lines) line.thread = 0;
  }
}

// Copies the program's bytes out; a mutator that breaks the program's rules is a fault of ours, not a find.
size_t write_out(const Program& program, uint8_t* out, size_t max_size) {
  if (const auto fault = validate(program)) throw std::logic_error("a mutated program is not valid: " + *fault);
  const std::vector<uint8_t> bytes = encode(program);
  if (bytes.size() > max_size) throw std::logic_error("a mutated program is longer than asked for");
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}

}  // namespace

size_t mutate_bytes(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  if (LLVMFuzzerMutate != nullptr && seed % kBytesOneIn == 0) return LLVMFuzzerMutate(data, size, max_size);
  Program program = mutate(decode({data, size}), seed, max_size);
  thin_out(program, seed);
  return write_out(program, data, max_size);
}

size_t cross_bytes(std::span<const uint8_t> first, std::span<const uint8_t> second, uint8_t* out, size_t max_size,
                   unsigned seed) {
  Program program = crossover(decode(first), decode(second), seed, max_size);
  thin_out(program, seed);
  return write_out(program, out, max_size);
}

}  // namespace assay::fuzz
