#include "harness/sched/store_history.h"

namespace assay {
namespace {

constexpr uint32_t kNobody = ~uint32_t{0};

bool acquires(int order) {
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}
bool releases(int order) {
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

}  // namespace

void StoreHistory::Clock::join(const Clock& other, uint32_t lanes) {
  for (uint32_t i = 0; i < lanes; ++i) {
    if (other.of[i] > of[i]) of[i] = other.of[i];
  }
}

void StoreHistory::begin(uint32_t lanes, uint32_t marks) {
  if (marks_.size() < marks) marks_.resize(marks);
  lanes_ = lanes;
  locations_.clear();
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    for (uint32_t& time : clocks_[lane].of) time = 0;
    clocks_[lane].of[lane] = 1;
  }
}

void StoreHistory::reached(uint32_t lane, uint32_t mark) {
  if (lanes_ > kLanes) return;
  for (uint32_t i = 0; i < lanes_; ++i) marks_[mark].of[i] = clocks_[lane].of[i];
  ++clocks_[lane].of[lane];
}

void StoreHistory::passed(uint32_t lane, uint32_t mark) {
  if (lanes_ > kLanes) return;
  clocks_[lane].join(marks_[mark], lanes_);
}

StoreHistory::Location* StoreHistory::find(const void* address, uint64_t newest) {
  if (lanes_ > kLanes) return nullptr;
  Location* const location = locations_.find(address);
  if (location == nullptr) return nullptr;
  if (location->count == 0 || location->at(location->count - 1).value != newest) {
    // Never seen, or written past the hooks: everybody knows this value, and no older one.
    Store& first = location->ring[0];
    first.value = newest;
    first.lane = kNobody;
    first.time = 0;
    for (uint32_t i = 0; i < lanes_; ++i) first.released.of[i] = first.seen[i] = 0;
    location->count = 1;
  }
  return location;
}

uint32_t StoreHistory::floor(Location& location, uint32_t lane) const {
  const Clock& now = clocks_[lane];
  const uint32_t oldest = location.count > kKept ? location.count - kKept : 0;
  uint32_t index = location.count - 1;
  for (; index > oldest; --index) {
    const Store& store = location.at(index);
    if (store.lane == kNobody || now.knows(store.lane, store.time)) return index;
    for (uint32_t reader = 0; reader < lanes_; ++reader) {
      if (store.seen[reader] != 0 && now.knows(reader, store.seen[reader])) return index;
    }
  }
  return index;
}

void StoreHistory::note_seen(Location& location, uint32_t index, uint32_t lane) {
  uint32_t& seen = location.at(index).seen[lane];
  if (seen == 0) seen = clocks_[lane].of[lane];
}

uint32_t StoreHistory::available(uint32_t lane, const void* address, uint64_t newest, int order) {
  if (order == __ATOMIC_SEQ_CST) return 0;
  Location* const location = find(address, newest);
  return location == nullptr ? 0 : location->count - 1 - floor(*location, lane);
}

uint64_t StoreHistory::load(uint32_t lane, const void* address, uint64_t newest, uint32_t older, int order) {
  Location* const location = find(address, newest);
  if (location == nullptr) return newest;
  const uint32_t index = location->count - 1 - older;
  const Store& store = location->at(index);
  if (acquires(order)) clocks_[lane].join(store.released, lanes_);
  note_seen(*location, index, lane);
  return store.value;
}

void StoreHistory::store(uint32_t lane, const void* address, uint64_t before, uint64_t now, bool exchange, int order) {
  Location* const location = find(address, before);
  if (location == nullptr) return;
  Clock& clock = clocks_[lane];
  const Store& previous = location->at(location->count - 1);
  if (exchange && acquires(order)) clock.join(previous.released, lanes_);
  Clock released;
  released.clear(lanes_);
  if (releases(order)) released = clock;
  // An exchange continues the release sequence of the store that it found.
  if (exchange) released.join(previous.released, lanes_);
  const uint32_t time = ++clock.of[lane];
  if (releases(order)) released.of[lane] = time;
  Store& store = location->at(location->count++);
  store.value = now;
  store.lane = lane;
  store.time = time;
  store.released = released;
  for (uint32_t i = 0; i < lanes_; ++i) store.seen[i] = 0;
}

}  // namespace assay
