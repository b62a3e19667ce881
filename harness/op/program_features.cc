#include "harness/op/program_features.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <unordered_map>
#include <utility>

namespace assay {
namespace {

enum Kind : uint32_t { kOperation, kResize, kNeighbours, kAge, kLive, kThreads };

// Quarters of powers of two.
uint32_t size_class(uint64_t size) {
  if (size < 4) return static_cast<uint32_t>(size);
  const auto power = static_cast<uint32_t>(std::bit_width(size));
  return power * 4 + static_cast<uint32_t>(size >> (power - 3) & 3);
}

uint32_t magnitude(uint64_t number) {
  return static_cast<uint32_t>(std::bit_width(number));
}

uint64_t bytes_of(const Step& step) {
  switch (step.code) {
    case OpCode::kMalloc: return step.args[0];
    case OpCode::kCalloc: return step.args[0] * step.args[1];
    default: return step.args[1];
  }
}

struct Block {
  uint64_t bytes;
  uint64_t born;
  uint32_t thread;
};

class Collector {
 public:
  void add(Kind kind, uint32_t a, uint32_t b = 0, uint32_t c = 0) { set_.push_back(kind << 28 | a << 18 | b << 8 | c); }

  void step(const Step& step) {
    const auto code = static_cast<uint32_t>(step.code);
    const bool changes = step.thread != last_thread_;
    add(kNeighbours, code, last_code_, changes ? 1 : 0);
    last_code_ = code;
    last_thread_ = step.thread;
    threads_ |= uint64_t{1} << std::min(step.thread, 63u);

    const auto old = step.slot ? live_.find(*step.slot) : live_.end();
    if (step.code == OpCode::kFree && old != live_.end()) {
      add(kAge, magnitude(now_ - old->second.born), size_class(old->second.bytes) / 4,
          step.thread != old->second.thread ? 1 : 0);
      live_.erase(old);
    } else if (step.result_slot) {
      const uint64_t bytes = bytes_of(step);
      if (step.code == OpCode::kAlignedAlloc || step.code == OpCode::kPosixMemalign) {
        add(kOperation, code, size_class(bytes), magnitude(step.args[0]));
      } else {
        add(kOperation, code, size_class(bytes));
      }
      if (old != live_.end()) {
        add(kResize, magnitude(old->second.bytes), magnitude(bytes), bytes < old->second.bytes ? 1 : 0);
        live_.erase(old);
      }
      live_[*step.result_slot] = Block{bytes, now_, step.thread};
      most_live_ = std::max(most_live_, live_.size());
    }
    ++now_;
  }

  std::vector<uint32_t> finish() {
    add(kLive, magnitude(most_live_));
    add(kThreads, static_cast<uint32_t>(std::popcount(threads_)));
    std::sort(set_.begin(), set_.end());
    set_.erase(std::unique(set_.begin(), set_.end()), set_.end());
    return std::move(set_);
  }

 private:
  std::vector<uint32_t> set_;
  std::unordered_map<uint64_t, Block> live_;
  size_t most_live_ = 0;
  uint64_t now_ = 0;
  uint64_t threads_ = 0;
  uint32_t last_code_ = 0;
  uint32_t last_thread_ = 0;
};

}  // namespace

std::vector<uint32_t> features(const Program& program) {
  Collector collector;
  ProgramSteps steps(program);
  Step step;
  while (steps.next(step)) collector.step(step);
  return collector.finish();
}

std::vector<size_t> diverse_subset(const std::vector<std::vector<uint32_t>>& sets, size_t count) {
  std::unordered_map<uint32_t, double> worth;  // of covering a feature once more
  const auto gain = [&](size_t set) {
    double sum = 0;
    for (const uint32_t feature : sets[set]) sum += worth.try_emplace(feature, 1.0).first->second;
    return sum;
  };
  // A gain only ever shrinks, so that an old one is an upper bound: the best whose gain is fresh is the best of all.
  // Of equal ones the first in order wins, for stable results.
  struct Candidate {
    double bound;
    size_t set;
    size_t round;
    bool operator<(const Candidate& other) const {
      return bound != other.bound ? bound < other.bound : set > other.set;
    }
  };
  std::priority_queue<Candidate> candidates;
  for (size_t set = 0; set < sets.size(); ++set) candidates.push({gain(set), set, 0});
  std::vector<size_t> chosen;
  while (chosen.size() < count && !candidates.empty()) {
    Candidate best = candidates.top();
    candidates.pop();
    if (best.round != chosen.size()) {
      candidates.push({gain(best.set), best.set, chosen.size()});
      continue;
    }
    chosen.push_back(best.set);
    for (const uint32_t feature : sets[best.set]) worth[feature] /= 4;
  }
  return chosen;
}

}  // namespace assay
