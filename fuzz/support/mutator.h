// Mutation and crossover of programs for the engines: in terms of operations, mixed with the engine's own on bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay::fuzz {

// Some 150 lines: an input that grows beyond is slow and teaches little.
inline constexpr size_t kUsualInputBytes = 512;

// What a target's programs are like.
struct Taste {
  bool threads = false;    // all have several threads; else few have, since they cost time
  bool schedules = false;  // threads are preempted
  bool accesses = true;    // inside of operations too
  bool heaps = false;      // all are about heaps
  bool few_heaps = false;  // one in four may be, the others are not
};

// As LLVMFuzzerCustomMutator: changes `data` in place and returns its new size, at most `max_size`.
size_t mutate_bytes(uint8_t* data, size_t size, size_t max_size, unsigned seed, const Taste& taste = {});

// As LLVMFuzzerCustomCrossOver.
size_t cross_bytes(std::span<const uint8_t> first, std::span<const uint8_t> second, uint8_t* out, size_t max_size,
                   unsigned seed, const Taste& taste = {});

}  // namespace assay::fuzz
