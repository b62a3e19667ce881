#include "harness/sweep/sweep.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <set>
#include <stdexcept>
#include <tuple>

#include "harness/op/text.h"

namespace assay {
namespace {

constexpr uint64_t kMostCalls = uint64_t{1} << 20;

// Where the child that runs the program writes down what happens.
template <typename T>
class SharedMemory {
 public:
  explicit SharedMemory(size_t bytes = sizeof(T)) : bytes_(bytes) {
    void* const pages =
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) throw std::runtime_error("no shared memory for a sweep");
    shared_ = new (pages) T;
  }
  ~SharedMemory() { munmap(shared_, bytes_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  T* get() const { return shared_; }
  T* operator->() const { return shared_; }

 private:
  size_t bytes_;
  T* shared_;
};

struct Point {
  uint64_t line;  // kNoOperation: the end
  SystemCall call;
  uint16_t nth;
  OsCallSite site{};
};

// In the order in which they came. Calls of the operations behind `lines` belong to the aftermath.
std::vector<Point> points_of(const OsCallLog& log, uint64_t lines) {
  if (log.count > log.capacity) throw InputError{"the program makes too many system calls for a sweep"};
  std::vector<Point> points;
  std::set<std::tuple<uint64_t, SystemCall, uint16_t>> seen;
  for (uint64_t i = 0; i < log.count; ++i) {
    const OsCallLog::Entry& entry = log.entries[i];
    if (entry.line != kNoOperation && entry.line >= lines) continue;
    if (entry.nth > UINT16_MAX) continue;
    const Point point{entry.line, entry.call, static_cast<uint16_t>(entry.nth), entry.site};
    if (seen.insert({point.line, point.call, point.nth}).second) points.push_back(point);
  }
  return points;
}

// The failure of the point is the last one of its line.
Program failing_at(const Program& program, const Point& point, SweepHow how) {
  Program failing = program;
  std::vector<Operation>& lines = failing.lines;
  if (point.line == kNoOperation && (lines.empty() || lines.back().code != OpCode::kEnd)) {
    lines.push_back({.code = OpCode::kEnd});
  }
  Operation& line = point.line == kNoOperation ? lines.back() : lines[point.line];
  std::erase_if(line.fails, [&](const Failure& other) { return other.call == point.call && other.nth == point.nth; });
  if (line.fails.size() == kMaxFailures) {
    throw InputError{fmt::format("op {} has {} failures of its own: there is no room for that of a sweep",
                                 &line - lines.data(), kMaxFailures)};
  }
  line.fails.push_back({.call = point.call, .persistent = how == SweepHow::kPersistent, .nth = point.nth});
  return failing;
}

// The program's own failures are not asked for: one of them may not come because the point has.
bool fired(const Program& failing, const Point& point, const CameFailures& came) {
  const bool at_end = point.line == kNoOperation;
  const size_t index = (at_end ? failing.lines.back() : failing.lines[point.line]).fails.size() - 1;
  const uint32_t line = at_end ? CameFailure::kOfEnd : static_cast<uint32_t>(point.line);
  return std::ranges::any_of(came.all(),
                             [&](const CameFailure& one) { return one.line == line && one.index == index; });
}

Operation on(OpCode code, uint32_t first, uint32_t count) {
  return {.code = code, .result = SlotRange{.first = first, .last = first + count - 1}};
}

}  // namespace

void SweepCounts::operator+=(const SweepCounts& other) {
  points += other.points;
  fired += other.fired;
  null_enomem += other.null_enomem;
  unaffected += other.unaffected;
  violations += other.violations;
}

void add_to_site(std::vector<SweptSite>& sites, const SweptSite& more) {
  const auto same = [&more](const SweptSite& other) {
    return other.call == more.call && other.site.line == more.site.line &&
           std::strcmp(other.site.file, more.site.file) == 0;
  };
  const auto found = std::ranges::find_if(sites, same);
  if (found == sites.end()) return sites.push_back(more);
  found->counts += more.counts;
}

Program with_aftermath(const Program& program) {
  Program longer = program;
  std::vector<Operation>& lines = longer.lines;
  uint32_t free_slot = 0;
  for (const Operation& line : lines) {
    for (const auto* range : {&line.result, &line.slot}) {
      if (range->has_value()) free_slot = std::max(free_slot, (*range)->last + 1);
    }
  }
  std::vector<Operation> end;
  if (!lines.empty() && lines.back().code == OpCode::kEnd) {
    end.push_back(std::move(lines.back()));
    lines.pop_back();
  }
  constexpr uint32_t kSmall = 40, kCleared = 8, kLarge = 2, kMoved = 20;
  if (free_slot + kSmall + kCleared + kLarge > kMaxTextSlots) {
    throw InputError{"the program leaves no slots for the operations that follow os_heal()"};
  }
  lines.push_back({.code = OpCode::kOsHeal});
  Operation small = on(OpCode::kMalloc, free_slot, kSmall);
  small.args[0] = {1, 4096, 1};
  Operation cleared = on(OpCode::kCalloc, free_slot + kSmall, kCleared);
  cleared.args[0] = Value::of(3);
  cleared.args[1] = {10, 50'000, 2};
  Operation large = on(OpCode::kMalloc, free_slot + kSmall + kCleared, kLarge);
  large.args[0] = Value::of(1'000'000);
  Operation moved = on(OpCode::kRealloc, free_slot, kMoved);
  moved.slot = moved.result;
  moved.args[1] = {1, 100'000, 3};
  Operation freed{.code = OpCode::kFree,
                  .slot = SlotRange{.first = free_slot, .last = free_slot + kSmall + kCleared + kLarge - 1}};
  for (Operation* line : {&small, &cleared, &large, &moved, &freed}) lines.push_back(std::move(*line));
  lines.insert(lines.end(), end.begin(), end.end());
  return longer;
}

SweepResult sweep(const Program& program, SweepHow how, const RunForSweep& run, bool repeats) {
  SweepResult result;
  const Program whole = with_aftermath(program);
  const bool ends = !program.lines.empty() && program.lines.back().code == OpCode::kEnd;
  const SharedMemory<OsCallLog> log(OsCallLog::bytes_for(kMostCalls));
  log->capacity = kMostCalls;
  const SharedMemory<CameFailures> came;
  const RunResult sound = run(whole, log.get(), came.get());
  if (sound.violation) {
    result.finds.push_back({whole, sound.violation});
    return result;
  }
  const std::vector<Point> points = points_of(*log.get(), program.lines.size() - (ends ? 1 : 0));
  for (const Point& point : points) {
    Program failing = failing_at(whole, point, how);
    const RunResult seen = run(failing, nullptr, came.get());
    SweepCounts counts{.points = 1, .fired = fired(failing, point, *came.get()) ? 1u : 0};
    if (seen.violation) {
      counts.violations = 1;
      result.finds.push_back({without_dead_failures(failing, came->all()), seen.violation});
    } else if (counts.fired > 0) {
      (seen.null_by_failure > 0 ? counts.null_enomem : counts.unaffected) = 1;
    }
    result.all += counts;
    if (point.site.file != nullptr) add_to_site(result.sites, {point.site, point.call, counts});
  }
  if (points.empty() || !repeats) return result;
  Point beyond = points.back();
  for (const Point& point : points) {
    if (point.line == beyond.line && point.call == beyond.call) beyond.nth = std::max(beyond.nth, point.nth);
  }
  ++beyond.nth;
  const Program longer = failing_at(whole, beyond, how);
  run(longer, nullptr, came.get());
  if (fired(longer, beyond, *came.get())) {
    throw std::runtime_error("a system call came that the first run had not made");
  }
  return result;
}

}  // namespace assay
