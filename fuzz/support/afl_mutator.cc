// A target's mutation as AFL++ asks for it: with the target's own source this file makes lib<target>_mutator.so, for
// AFL_CUSTOM_MUTATOR_LIBRARY. It is loaded into afl-fuzz, where no subject is open.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "fuzz/support/entry.h"
#include "fuzz/support/mutator.h"

extern "C" {
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2, uint8_t* out,
                                 size_t max_out_size, unsigned seed);
}

namespace assay::fuzz {
namespace {

// As often as libFuzzer crosses two inputs.
constexpr unsigned kCrossOneIn = 8;

struct MutatorState {
  explicit MutatorState(unsigned seed) : random(seed) {}
  std::minstd_rand random;
  std::vector<uint8_t> out;
};

}  // namespace

void harness_bug(const std::string& what) {
  std::fprintf(stderr, "HARNESS BUG: %s\n", what.c_str());
  std::_Exit(3);
}

Mode mode_under_test() {
  const char* mode = std::getenv("ASSAY_MODE");
  return find_mode(mode != nullptr ? mode : "").value_or(Mode::kSequential);
}

// Of a subject that is not here: the flavour says it, as it is compiled.
bool accesses_are_seen() {
  const char* subject = std::getenv("ASSAY_SUBJECT");
  return ASSAY_AFL_SEES_ACCESSES && (subject == nullptr || std::strcmp(subject, "ximalloc") == 0);
}

}  // namespace assay::fuzz

using assay::fuzz::kCrossOneIn;
using assay::fuzz::kUsualInputBytes;
using assay::fuzz::MutatorState;

extern "C" {

[[gnu::visibility("default")]] void* afl_custom_init(void*, unsigned seed) {
  return new MutatorState(seed);
}

[[gnu::visibility("default")]] void afl_custom_deinit(void* data) {
  delete static_cast<MutatorState*>(data);
}

[[gnu::visibility("default")]] size_t afl_custom_fuzz(void* data, uint8_t* input, size_t size, uint8_t** out,
                                                      const uint8_t* other, size_t other_size, size_t max_size) {
  MutatorState& state = *static_cast<MutatorState*>(data);
  const size_t room = std::min(max_size, kUsualInputBytes);
  const auto seed = static_cast<unsigned>(state.random());
  state.out.resize(std::max(room, size));
  *out = state.out.data();
  if (other != nullptr && other_size > 0 && state.random() % kCrossOneIn == 0) {
    return LLVMFuzzerCustomCrossOver(input, size, other, other_size, state.out.data(), room, seed);
  }
  std::copy(input, input + size, state.out.begin());
  return LLVMFuzzerCustomMutator(state.out.data(), std::min(size, room), room, seed);
}

}  // extern "C"
