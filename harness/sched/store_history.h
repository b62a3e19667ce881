// Which older values a load may return, by the rules of C++20 for the orders that it and the stores name.
//
// One thread runs at a time, so that the order in which stores are executed is the modification order of each location.
// A load may return an older store S of it unless something forbids that:
//   - a later store of the location happens before the load (write-read coherence);
//   - the thread itself, or something that happens before the load, has read or written a later one (read-read and
//     write-read coherence).
// What happens before what: program order, an acquire that reads from a release or from its release sequence, and a
// munmap before each later mmap. An exchange always reads the newest value. Sequentially consistent accesses, of which
// there are none in ximalloc, are taken as acquire and release that read the newest. Values that a load would have to
// take from the future (load buffering), and modification orders other than that of execution, are not produced.
//
// Memory that is written past the hooks (a struct made anew where an old one was) is noticed by its value, and then
// all threads see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/sched/location_table.h"
#include "harness/sched/strategy.h"

namespace assay {

class StoreHistory {
 public:
  static constexpr uint32_t kKept = 6;    // stores of each location
  static constexpr uint32_t kLanes = 16;  // programs of more lanes have no older values

  void begin(uint32_t lanes, uint32_t marks);
  // What a lane has done when it reaches a mark happens before what another does after it has passed it.
  void reached(uint32_t lane, uint32_t mark);
  void passed(uint32_t lane, uint32_t mark);

  // Memory that a lane has given back to the system, another may have been given since: what was before the one comes
  // before what is after the other. The kernel has one order for all of it.
  void gave_back(uint32_t lane);
  void was_given(uint32_t lane);

  // How many older values the lane may be given instead of `newest`, which the location holds.
  uint32_t available(uint32_t lane, const void* address, uint64_t newest, int order);
  // The load takes the `older`-th older value (0: the newest), which is returned.
  uint64_t load(uint32_t lane, const void* address, uint64_t newest, uint32_t older, int order);
  // A store over `before`, or an exchange, which reads that as well.
  void store(uint32_t lane, const void* address, uint64_t before, uint64_t now, bool exchange, int order);

 private:
  // None of these is initialised as a whole: the compiler would call memset, which a sanitizer takes for ours.
  struct Clock {
    uint32_t of[kLanes];
    void clear(uint32_t lanes) {
      for (uint32_t i = 0; i < lanes; ++i) of[i] = 0;
    }
    bool knows(uint32_t lane, uint32_t time) const { return of[lane] >= time; }
    void join(const Clock& other, uint32_t lanes);
  };
  struct Store {
    uint64_t value;
    uint32_t lane;
    uint32_t time;  // on the lane's own clock
  };
  // Of a store, beside a lane.
  struct Known {
    uint32_t released;  // what of it an acquire that reads the store learns
    uint32_t seen;      // when the lane first read or wrote it, on the lane's own clock; 0: never
  };
  struct Location {
    Location() : count(0) {}
    uint32_t count;  // stores in all; the latest kKept are in the ring
    Store ring[kKept];
  };
  struct Found {
    Location* location;
    Known* known;  // of each store of the ring, as many as there are lanes
    Store& at(uint32_t index) const { return location->ring[index % kKept]; }
    Known* known_of(uint32_t index, uint32_t lanes) const { return known + index % kKept * lanes; }
  };

  // Without a location where the table is full or there are too many lanes.
  Found find(const void* address, uint64_t newest);
  // The first store that the lane may still read.
  uint32_t floor(const Found& found, uint32_t lane) const;
  void learn(uint32_t lane, const Known* known);

  LocationTable<Location, Known> locations_{kKept * kLanes};
  Clock clocks_[kLanes];
  std::vector<Clock> marks_;
  Clock given_back_;
  uint32_t lanes_ = 0;
};

}  // namespace assay
