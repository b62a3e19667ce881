#include <algorithm>
#include <array>

#include "harness/op/address_table.h"
#include "harness/op/trace.h"
#include "harness/op/trace_format.h"

namespace assay {
namespace {

constexpr uint64_t kUnknownSlot = ~uint64_t{0};
constexpr size_t kLogicalThreads = kMaxTextThreads;
// One event becomes at most the free that we missed, the call itself, and a free.
constexpr size_t kMaxStepsOfEvent = 3;

// Dense slots for the blocks of a process; the last one freed is the next one used.
class Slots {
 public:
  uint64_t fresh() { return free_.empty() ? next_++ : free_.pop(); }
  void release(uint64_t slot) { free_.push(slot); }

 private:
  MappedStack free_;
  uint64_t next_ = 0;
};

// Logical threads for the serial numbers of a process's threads: the lowest one that is free.
class Threads {
 public:
  uint32_t of(uint64_t serial, uint64_t& folded) {
    if (serial == 0) return 0;
    if (const auto known = logical_.find(serial)) return static_cast<uint32_t>(*known);
    const auto idle = std::find(users_.begin() + 1, users_.end(), 0u);
    auto logical = static_cast<uint32_t>(idle - users_.begin());
    if (idle == users_.end()) {
      logical = static_cast<uint32_t>(1 + serial % (kLogicalThreads - 1));
      ++folded;
    }
    ++users_[logical];
    logical_.put(serial, logical);
    return logical;
  }
  // True when the logical thread ends with it: no other thread shares it.
  bool ended(uint64_t serial) {
    const auto logical = logical_.take(serial);
    return logical && --users_[*logical] == 0;
  }

 private:
  AddressTable logical_;
  std::array<uint32_t, kLogicalThreads> users_{};
};

// The reallocs that have begun and not ended, by thread: the old block belongs to nobody meanwhile, so that another
// thread may already be given its address.
class PendingReallocs {
 public:
  struct Pending {
    uint64_t slot, size, address;
  };
  void begin(uint64_t serial, const Pending& pending) {
    slots_.put(serial, pending.slot);
    sizes_.put(serial, pending.size);
    addresses_.put(serial, pending.address);
  }
  std::optional<Pending> end(uint64_t serial) {
    const auto slot = slots_.take(serial);
    if (!slot) return std::nullopt;
    return Pending{*slot, *sizes_.take(serial), *addresses_.take(serial)};
  }

 private:
  AddressTable slots_, sizes_, addresses_;
};

}  // namespace

struct TraceSteps::State {
  State(const TraceFile& trace_file, size_t process_index) : file(trace_file), process(process_index) {}

  const TraceFile& file;
  size_t process;
  size_t next_chunk = 0;
  std::vector<uint8_t> payload = std::vector<uint8_t>(trace::kMaxPayload);
  trace::EventReader events;
  uint64_t serial = 0;

  AddressTable slot_of;
  Slots slots;
  Threads threads;
  PendingReallocs reallocs;
  TraceTally tally;

  std::array<Step, kMaxStepsOfEvent> queue{};
  size_t queued = 0;
  size_t taken = 0;
  uint64_t lines = 0;

  bool next_event(trace::DecodedEvent& event);
  void translate(const trace::DecodedEvent& event);
  Step& emit(OpCode code);
  void allocated(OpCode code, const trace::DecodedEvent& event, std::array<uint64_t, kMaxArgs> args);
  void free_slot(uint64_t slot);
  void freed(uint64_t address);
  void realloc_begins(uint64_t address, uint64_t size);
  void realloc_ended(uint64_t address);
};

TraceSteps::TraceSteps(const TraceFile& file, size_t process) : state_(std::make_unique<State>(file, process)) {}
TraceSteps::~TraceSteps() = default;

const TraceTally& TraceSteps::tally() const {
  return state_->tally;
}

bool TraceSteps::next(Step& step) {
  State& state = *state_;
  while (state.taken == state.queued) {
    trace::DecodedEvent event{};
    if (!state.next_event(event)) return false;
    state.queued = 0;
    state.taken = 0;
    state.translate(event);
  }
  step = state.queue[state.taken++];
  return true;
}

bool TraceSteps::State::next_event(trace::DecodedEvent& event) {
  while (!events.next(event)) {
    if (!events.well_formed()) throw InputError{file.path() + ": changed while it was read"};
    if (next_chunk == file.processes()[process].chunks.size()) return false;
    const size_t size = file.read_chunk(process, next_chunk++, payload.data());
    events = trace::EventReader(payload.data(), size);
    serial = 0;
  }
  return true;
}

void TraceSteps::State::translate(const trace::DecodedEvent& event) {
  using trace::Event;
  switch (event.event) {
    case Event::kStart: return;
    case Event::kThread: serial = event.numbers[0]; return;
    case Event::kThreadExit:
      if (serial != 0) {
        const uint32_t logical = threads.of(serial, tally.folded_threads);
        if (threads.ended(serial)) emit(OpCode::kThreadExit).thread = logical;
      }
      return;
    case Event::kMalloc: return allocated(OpCode::kMalloc, event, {event.numbers[0]});
    case Event::kCalloc: return allocated(OpCode::kCalloc, event, {event.numbers[0], event.numbers[1]});
    case Event::kAlignedAlloc: return allocated(OpCode::kAlignedAlloc, event, {event.numbers[0], event.numbers[1]});
    case Event::kPosixMemalign: return allocated(OpCode::kPosixMemalign, event, {event.numbers[0], event.numbers[1]});
    case Event::kReallocNull: return allocated(OpCode::kRealloc, event, {0, event.numbers[0]});
    case Event::kFree: return freed(event.block);
    case Event::kFreeNull: emit(OpCode::kFree); return;
    case Event::kReallocBegin: return realloc_begins(event.block, event.numbers[0]);
    case Event::kReallocEnd: return realloc_ended(event.block);
    case Event::kUsableSize:
      if (const auto slot = slot_of.find(event.block)) {
        emit(OpCode::kUsableSize).slot = *slot;
      } else {
        ++tally.unknown_blocks;
      }
      return;
    case Event::kFork: emit(OpCode::kFork); return;
  }
}

Step& TraceSteps::State::emit(OpCode code) {
  Step& step = queue[queued++];
  step = Step{};
  step.line = lines++;
  step.code = code;
  step.thread = code == OpCode::kThreadExit ? 0 : threads.of(serial, tally.folded_threads);
  return step;
}

void TraceSteps::State::free_slot(uint64_t slot) {
  emit(OpCode::kFree).slot = slot;
  slots.release(slot);
}

void TraceSteps::State::allocated(OpCode code, const trace::DecodedEvent& event, std::array<uint64_t, kMaxArgs> args) {
  if (event.block != 0) {
    if (const auto missed = slot_of.take(event.block)) {
      ++tally.missed_frees;
      free_slot(*missed);
    }
  }
  const uint64_t slot = slots.fresh();
  Step& step = emit(code);
  step.result_slot = slot;
  step.args = args;
  if (event.block != 0) {
    slot_of.put(event.block, slot);
  } else {
    // It failed when it was recorded. Where it succeeds now, nobody else would ever free it.
    free_slot(slot);
  }
}

void TraceSteps::State::freed(uint64_t address) {
  if (const auto slot = slot_of.take(address)) {
    free_slot(*slot);
  } else {
    ++tally.unknown_blocks;
  }
}

void TraceSteps::State::realloc_begins(uint64_t address, uint64_t size) {
  const auto slot = slot_of.take(address);
  if (!slot) ++tally.unknown_blocks;
  reallocs.begin(serial, {slot.value_or(kUnknownSlot), size, address});
}

void TraceSteps::State::realloc_ended(uint64_t address) {
  const auto pending = reallocs.end(serial);
  if (!pending) return;
  if (address != 0) {
    if (const auto missed = slot_of.take(address)) {
      ++tally.missed_frees;
      free_slot(*missed);
    }
  }
  if (pending->slot == kUnknownSlot) {
    if (address == 0) return;
    // What it held before is unknown: all that we can say is that a block of this size came.
    const uint64_t slot = slots.fresh();
    Step& step = emit(OpCode::kMalloc);
    step.result_slot = slot;
    step.args[0] = pending->size;
    slot_of.put(address, slot);
    return;
  }
  Step& step = emit(OpCode::kRealloc);
  step.slot = pending->slot;
  step.result_slot = pending->slot;
  step.args[1] = pending->size;
  if (address != 0) {
    slot_of.put(address, pending->slot);
  } else if (pending->size != 0) {
    slot_of.put(pending->address, pending->slot);
  } else {
    // realloc(p, 0) freed it; where it now gives a minimal block, that goes too.
    free_slot(pending->slot);
  }
}

}  // namespace assay
