#include "harness/op/minimise/candidates.h"

#include "harness/op/random.h"
#include "harness/op/schedule.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

class FingerprintMaker {
 public:
  void add(uint64_t number) {
    print_.low = mix_bits(print_.low + number + kSplitMixStep);
    print_.high = mix_bits((print_.high ^ number) * 0x9fb21c651e98df25) + print_.low;
  }
  void add(const std::optional<SlotRange>& range) {
    add(range.has_value());
    if (!range) return;
    add(range->first);
    add(range->last);
    add(range->step);
    add(range->half_seed.has_value());
    add(range->half_seed.value_or(0));
  }
  void add(const Operation& line) {
    add(static_cast<uint64_t>(line.code));
    add(line.thread);
    add(line.result);
    add(line.slot);
    for (const Value& value : line.args) {
      add(value.low);
      add(value.high);
      add(value.seed);
    }
    add(line.schedule.size());
    for (const AccessEvent& event : line.schedule) {
      add(static_cast<uint64_t>(event.kind));
      add(event.member);
      add(event.access);
      add(event.value);
    }
    for (const Failure& failure : line.fails) {
      add(static_cast<uint64_t>(failure.call) | static_cast<uint64_t>(failure.kind) << 8 |
          uint64_t{failure.persistent} << 16);
      add(failure.nth | uint64_t{failure.error} << 16);
    }
    add(line.fails.size());
  }
  Fingerprint print() const { return print_; }

 private:
  Fingerprint print_;
};

}  // namespace

Fingerprint fingerprint(const Program& program) {
  FingerprintMaker maker;
  for (const Operation& line : program.lines) maker.add(line);
  return maker.print();
}

bool Candidates::accept(Program candidate) {
  settle_schedule(candidate);
  if (stopped_ || candidate == best_ || validate(candidate, kTextCaps)) return false;
  const auto [entry, fresh] = verdicts_.try_emplace(fingerprint(candidate), false);
  if (fresh) {
    if (options_.progress && !options_.progress({pass_, best_.operations(), best_.lines.size(), tries_})) {
      stopped_ = true;
      return false;
    }
    ++tries_;
    entry->second = still_fails_(candidate);
  }
  if (entry->second) best_ = std::move(candidate);
  return entry->second;
}

void collect_slots(const Operation& line, std::set<uint32_t>& slots) {
  for (const auto* range : {&line.result, &line.slot}) {
    if (!range->has_value()) continue;
    for (SlotCursor cursor(**range); !cursor.done();) slots.insert(cursor.next());
  }
  // Heaps and arenas behind the last slot that there can be.
  const OpInfo& row = info(line.code);
  for (size_t i = 0; i < row.args.size(); i++) {
    if (!is_name(row.args[i]) || line.args[i].low == kNoName) continue;
    slots.insert(kMaxTextSlots + (names_arena(row.args[i]) ? kMaxHeaps : 0) + static_cast<uint32_t>(line.args[i].low));
  }
}

SlotRange single_slot(uint32_t slot) {
  return {.first = slot, .last = slot};
}

}  // namespace assay
