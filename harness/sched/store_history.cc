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
  given_back_.clear(kLanes);
  locations_.clear(kKept * (lanes < kLanes ? lanes : kLanes));
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

void StoreHistory::gave_back(uint32_t lane) {
  if (lanes_ > kLanes) return;
  given_back_.join(clocks_[lane], lanes_);
  ++clocks_[lane].of[lane];
}

void StoreHistory::was_given(uint32_t lane) {
  if (lanes_ > kLanes) return;
  clocks_[lane].join(given_back_, lanes_);
}

StoreHistory::Found StoreHistory::find(const void* address, uint64_t newest) {
  if (lanes_ > kLanes) return {nullptr, nullptr};
  const auto [location, known] = locations_.find(address);
  const Found found = {location, known};
  if (location == nullptr) return found;
  if (location->count == 0 || found.at(location->count - 1).value != newest) {
    // Never seen, or written past the hooks: everybody knows this value, and no older one.
    Store& first = location->ring[0];
    first.value = newest;
    first.lane = kNobody;
    first.time = 0;
    for (uint32_t i = 0; i < lanes_; ++i) known[i].released = known[i].seen = 0;
    location->count = 1;
  }
  return found;
}

uint32_t StoreHistory::floor(const Found& found, uint32_t lane) const {
  const Clock& now = clocks_[lane];
  const uint32_t count = found.location->count;
  const uint32_t oldest = count > kKept ? count - kKept : 0;
  uint32_t index = count - 1;
  for (; index > oldest; --index) {
    const Store& store = found.at(index);
    if (store.lane == kNobody || now.knows(store.lane, store.time)) return index;
    const Known* const known = found.known_of(index, lanes_);
    for (uint32_t reader = 0; reader < lanes_; ++reader) {
      if (known[reader].seen != 0 && now.knows(reader, known[reader].seen)) return index;
    }
  }
  return index;
}

void StoreHistory::learn(uint32_t lane, const Known* known) {
  Clock& clock = clocks_[lane];
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (known[i].released > clock.of[i]) clock.of[i] = known[i].released;
  }
}

uint32_t StoreHistory::available(uint32_t lane, const void* address, uint64_t newest, int order) {
  if (order == __ATOMIC_SEQ_CST) return 0;
  const Found found = find(address, newest);
  return found.location == nullptr ? 0 : found.location->count - 1 - floor(found, lane);
}

uint64_t StoreHistory::load(uint32_t lane, const void* address, uint64_t newest, uint32_t older, int order) {
  const Found found = find(address, newest);
  if (found.location == nullptr) return newest;
  const uint32_t index = found.location->count - 1 - older;
  Known* const known = found.known_of(index, lanes_);
  if (acquires(order)) learn(lane, known);
  if (known[lane].seen == 0) known[lane].seen = clocks_[lane].of[lane];
  return found.at(index).value;
}

void StoreHistory::store(uint32_t lane, const void* address, uint64_t before, uint64_t now, bool exchange, int order) {
  const Found found = find(address, before);
  if (found.location == nullptr) return;
  Clock& clock = clocks_[lane];
  const uint32_t index = found.location->count++;
  const Known* const previous = found.known_of(index - 1, lanes_);
  Known* const known = found.known_of(index, lanes_);
  if (exchange && acquires(order)) learn(lane, previous);
  const uint32_t time = ++clock.of[lane];
  for (uint32_t i = 0; i < lanes_; ++i) {
    known[i].released = releases(order) ? clock.of[i] : 0;
    // An exchange continues the release sequence of the store that it found.
    if (exchange && previous[i].released > known[i].released) known[i].released = previous[i].released;
    known[i].seen = 0;
  }
  Store& store = found.at(index);
  store.value = now;
  store.lane = lane;
  store.time = time;
}

}  // namespace assay
