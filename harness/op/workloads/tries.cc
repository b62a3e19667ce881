// Tries: many small nodes whose sizes lie close together.
#include <deque>
#include <map>
#include <vector>

#include "harness/op/workloads/patterns.h"
#include "harness/op/workloads/program_builder.h"

namespace assay {
namespace {

constexpr uint64_t kSmallestNode = 88, kLargestNode = 200;

// Slots of freed nodes are used again in the order in which they were freed, so that a new node seldom waits for the
// thread that still has the old one.
class NodeSlots {
 public:
  uint32_t take() {
    if (next_ < kMaxTextSlots) return next_++;
    const uint32_t slot = freed_.front();
    freed_.pop_front();
    return slot;
  }
  void give_back(uint32_t slot) { freed_.push_back(slot); }

 private:
  uint32_t next_ = 0;
  std::deque<uint32_t> freed_;
};

struct OldNode {
  uint32_t slot;
  uint64_t last_seen;  // the write after which no snapshot has it
  uint32_t last_owner;
};

}  // namespace

Program trie_storm(const WorkloadOptions& options) {
  constexpr uint32_t kNodes = 10;
  ProgramBuilder program(options);
  const uint32_t each = kNodes + 1;
  for (uint64_t round = 0; round < options.rounds; ++round) {
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.malloc(thread, ProgramBuilder::slot((thread - 1) * each), Value::of(32));
    }
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.malloc(thread, ProgramBuilder::slots((thread - 1) * each + 1, kNodes),
                     program.sizes(kSmallestNode, kLargestNode));
    }
    for (uint32_t thread = 1; thread <= program.threads(); ++thread) {
      program.free(thread, ProgramBuilder::slots((thread - 1) * each, each));
      program.thread_exit(thread);
    }
  }
  return program.take();
}

Program cow_trie(const WorkloadOptions& options) {
  constexpr uint32_t kLevels = 4, kFanout = 4, kLeaves = 256;
  constexpr uint64_t kLongestSnapshot = 12;  // writes
  ProgramBuilder program(options);
  NodeSlots slots;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> nodes;  // by level and index
  std::deque<OldNode> old_nodes;
  for (uint64_t write = 0; write < options.rounds * program.threads(); ++write) {
    const auto writer = static_cast<uint32_t>(1 + write % program.threads());
    auto index = static_cast<uint32_t>(program.random().below(kLeaves));
    for (uint32_t level = kLevels; level-- > 0; index /= kFanout) {
      const uint32_t slot = slots.take();
      program.malloc(writer, ProgramBuilder::slot(slot), program.size_between(kSmallestNode, kLargestNode));
      const auto [node, fresh] = nodes.try_emplace({level, index}, slot);
      if (fresh) continue;
      // A reader that has cloned the root meanwhile keeps the whole old path.
      old_nodes.push_back({.slot = node->second,
                           .last_seen = write + program.random().below(kLongestSnapshot),
                           .last_owner = static_cast<uint32_t>(program.random().between(1, program.threads()))});
      node->second = slot;
    }
    std::erase_if(old_nodes, [&](const OldNode& old) {
      if (old.last_seen > write) return false;
      program.free(old.last_owner, ProgramBuilder::slot(old.slot));
      slots.give_back(old.slot);
      return true;
    });
  }
  return program.take();
}

}  // namespace assay
