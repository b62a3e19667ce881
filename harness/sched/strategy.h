// Who decides where a schedule could go another way. A strategy is asked while all threads of the program but one are
// stopped, on whichever thread is running, from inside the allocator: it must neither allocate nor call the subject.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay {

// A lane is one thread of the program from its first operation to its end: a logical thread that exits and begins anew
// has two.
inline constexpr uint32_t kMaxLanes = 64;

// Also the values of xi_access_kind_t, beside the last two.
enum class AccessKind : uint8_t {
  kLoad,
  kStore,
  kExchange,
  kCompareExchange,
  kCompareExchangeWeak,
  kUpdate,
  kLock,
  kSystemCall,
  kYield,  // no access: the lane goes on when shared memory has changed, or when no other can
  kBegin,  // no access yet: an operation begins
  kFork,   // the process is about to fork: the child sees what all others have done, and nothing that they do later
};

struct Access {
  const void* address = nullptr;  // null: none that is known
  AccessKind kind = AccessKind::kBegin;

  bool writes() const { return kind != AccessKind::kLoad; }
  // To go on from here at once or later is the same to everybody.
  bool matters() const { return kind != AccessKind::kBegin && kind != AccessKind::kYield; }
  // The order of two such accesses by different lanes matters.
  bool conflicts(const Access& other) const {
    if (kind == AccessKind::kFork || other.kind == AccessKind::kFork) return true;
    return address != nullptr && address == other.address && (writes() || other.writes());
  }
};

// Where in the program a lane is: `access` counts from 1 within the operation, 0 is before its first.
struct AccessPlace {
  uint64_t line = 0;
  uint64_t member = 0;
  uint64_t access = 0;
};

struct Point {
  uint32_t lane = 0;  // that is about to make the access
  AccessPlace place;
  Access access;
  uint64_t runnable = 0;             // a bit for each lane that can run, this one among them
  bool arrived = false;              // it has made no access since it was put on: putting on another one costs nothing
  const Access* next = nullptr;      // of every lane: what it will do first when it is put on, where that is known
  const uint32_t* thread = nullptr;  // of every lane: which logical thread it is
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // A new run of the program begins. `marks`: see reached().
  virtual void begin(uint32_t lanes, uint32_t marks) = 0;
  // Which of the runnable lanes goes on. Called only where there are two at least.
  virtual uint32_t next(const Point& point) = 0;
  // Which of 1 + `available` values a load returns: 0 the newest.
  virtual uint32_t older(const Point& point, uint32_t available) = 0;
  // Whether a weak exchange fails.
  virtual bool fails(const Point& point) = 0;
  // Whether older() may answer anything but 0 in this run: where not, it is not asked.
  virtual bool asks_for_older() const { return true; }
  // The lane has made its access. Not told while only one lane at a time has been able to run: what was done then comes
  // before all else, whatever is chosen.
  virtual void made(uint32_t /*lane*/, const Access& /*access*/) {}
  // The program's own order: what a lane has done when it reaches a mark comes, in every schedule, before what another
  // does after it has passed that mark.
  virtual void reached(uint32_t /*lane*/, uint32_t /*mark*/) {}
  virtual void passed(uint32_t /*lane*/, uint32_t /*mark*/) {}
  // The last run has ended without a violation. False when there is no other one to make.
  virtual bool end() = 0;
};

}  // namespace assay
