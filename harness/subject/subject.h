// What is under test: a set of entry points, and what else it can do for a tester (capabilities). The harness knows an
// allocator only through this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "failpoints/plan.h"
#include "harness/op/access_hooks.h"
#include "harness/subject/heap_kit.h"

namespace assay {

// The entry points; what the subject lacks is null.
struct SubjectApi {
#define ASSAY_FUNCTION(id, name, Result, parameters) Result(*name) parameters = nullptr;
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
#define ASSAY_HEAP_FUNCTION(id, name, Result, parameters) Result(*name) parameters = nullptr;
#include "harness/subject/heap_functions.def"
#undef ASSAY_HEAP_FUNCTION
};

// Bytes at the operating system's seam.
struct Footprint {
  uint64_t mapped_bytes = 0;
  uint64_t committed_bytes = 0;
};

// The place in a subject's source that makes system calls; null where it is not known. The strings stay for ever.
struct OsCallSite {
  const char* file = nullptr;  // without folders
  const char* function = nullptr;
  unsigned line = 0;
};

// A system call that a subject is about to make.
struct OsCall {
  SystemCall call = SystemCall::kMmap;
  uintptr_t address = 0;  // 0 where the kernel chooses
  uint64_t size = 0;
  bool access = false;      // of mmap and mprotect: readable and writable
  bool takes_away = false;  // what the range holds is lost, or out of reach, afterwards
  bool metadata = false;    // of the allocator's own
  bool known = true;        // false when the range is no part of one mapping that the subject has
  OsCallSite site{};
};

// Asked before each call, told after each that succeeded; from inside of the subject, so that it may not call it.
class OsWatcher {
 public:
  virtual ~OsWatcher() = default;
  // How the call fails; null: it happens.
  virtual const Failure* before(const OsCall& call) = 0;
  virtual void after(const OsCall& call, uintptr_t address) = 0;
};

// What a subject that is built for testing offers besides; each may be null.
struct SubjectInstruments {
  void (*reset)() = nullptr;  // back to the state of a fresh process; other threads are parked
  void (*advance_clock)(uint64_t ms) = nullptr;
  // What the end of the calling thread does to the subject, which then takes it for a thread that never called.
  void (*end_thread)() = nullptr;
  Footprint (*footprint)() = nullptr;
  // Has each access to shared memory told of (null: no more). Null, or false, where the subject cannot.
  bool (*set_access_hooks)(const AccessHooks* hooks) = nullptr;
  // Whole-structure validators: calls `report` once for each thing that is wrong; true when all is right.
  bool (*check_structure)(void (*report)(void* context, const char* what), void* context) = nullptr;
  // False when [block, block + size) is not wholly inside memory that the OS layer handed out and committed.
  bool (*is_committed)(const void* block, size_t size) = nullptr;
  // Sets the one who watches all system calls; null: nobody. False where they cannot be watched in this process.
  bool (*watch_os)(OsWatcher* watcher) = nullptr;
};

// Where the standard leaves a choice; probed in a child, unknown means that what depends on it is skipped.
enum class ReallocZero : uint8_t { kUnknown, kFrees, kMinimal, kKeeps };
struct Promises {
  ReallocZero realloc_zero = ReallocZero::kUnknown;
  bool aligned_alloc_any_size = false;               // a size that is no multiple of the alignment is accepted
  bool aligned_alloc_rejects_bad_alignment = false;  // an alignment that is no power of two: NULL, EINVAL
  bool memalign_rejects_without_errno = false;       // posix_memalign leaves errno alone on error
  // Of the functions that no standard has (is_standard() of the oracles):
  bool extensions_set_errno = false;             // one that fails says ENOMEM or EINVAL
  bool extensions_reject_bad_alignment = false;  // an alignment that is no power of two: NULL
  bool extensions_any_alignment = false;         // any power of two, and with any offset
  bool memalign_rejects_bad_alignment = false;   // the same of memalign
  bool good_size_exact = false;                  // good_size(n) is the usable size of malloc(n)
  bool expands_to_usable = false;                // expand succeeds up to the usable size
  bool owns_what_it_gave = false;                // check_owned knows each block that the calling thread was given
  bool resize_gives_back = false;                // a block of which less than half is asked for does not stay
  bool reallocarr_keeps_errno = false;           // one that fails says so by its result alone
  bool heap_resize_takes_over = false;           // a block that a heap resizes is that heap's, also where it was
  bool heap_calls_are_checked = false;   // a heap that the thread may not use: NULL, EPERM; NULL for one: EINVAL
  bool serves_the_process = false;       // its malloc is this process's: others, too, have blocks in the first heap
  bool counts_live_blocks = false;       // its statistic live_blocks is exact in this flavour
  bool zero_size_unique = true;          // malloc(0) is a unique block, not NULL
  bool limits_at_seam = false;           // refuses by its seam: NULL below the caps is always a violation
  bool deterministic_addresses = false;  // the same program gets the same addresses after reset()
};

class Subject {
 public:
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  const SubjectApi& api() const { return api_; }
  const SubjectInstruments& instruments() const { return instruments_; }
  const HeapKit& heap_kit() const { return heap_kit_; }
  const Promises& promises() const { return promises_; }
  const std::string& name() const { return name_; }  // as the user wrote it: "ximalloc", "libc", "./libmine.so"
  const std::string& version() const { return version_; }
  const std::string& path() const { return path_; }  // of the file that holds it, "" for this executable
  uint64_t serial() const { return serial_; }        // another for each instance of this process
  // True when `pc` lies in the subject's own code: a stack's innermost frame there names a crash.
  virtual bool owns_code(const void* pc) const = 0;

 protected:
  Subject() : serial_(next_serial()) {}
  SubjectApi api_;
  SubjectInstruments instruments_;
  HeapKit heap_kit_;
  Promises promises_;
  std::string name_, version_, path_;

 private:
  static uint64_t next_serial();
  uint64_t serial_;
};

}  // namespace assay
