// What all passes of the minimiser share: the best program so far, and the question whether a simpler one still fails.
#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>

#include "harness/op/minimise.h"

namespace assay {

// A program's operations as 128 bits, so that no program is tried twice without every one that was tried being kept.
struct Fingerprint {
  uint64_t low = 0, high = 0;
  bool operator==(const Fingerprint&) const = default;
};
Fingerprint fingerprint(const Program& program);

class Candidates {
 public:
  Candidates(const Program& program, const StillFails& still_fails, const MinimiseOptions& options)
      : best_(program), still_fails_(still_fails), options_(options) {}

  const Program& best() const { return best_; }
  const std::vector<Operation>& lines() const { return best_.lines; }
  uint64_t tries() const { return tries_; }
  bool stopped() const { return stopped_; }
  void begin_pass(const char* name) { pass_ = name; }

  // Takes the candidate as the best program when it is well-formed and still fails.
  bool accept(Program candidate);

 private:
  struct Hash {
    size_t operator()(const Fingerprint& print) const { return print.low; }
  };

  Program best_;
  const StillFails& still_fails_;
  const MinimiseOptions& options_;
  std::unordered_map<Fingerprint, bool, Hash> verdicts_;
  const char* pass_ = "";
  uint64_t tries_ = 0;
  bool stopped_ = false;
};

// The slots that a line names, those between the ends of a range only where it steps on them. Heaps and arenas have
// numbers of their own, above all slots.
void collect_slots(const Operation& line, std::set<uint32_t>& slots);

SlotRange single_slot(uint32_t slot);

}  // namespace assay
