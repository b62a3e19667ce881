// Validators of the whole structure. They take it for granted that no thread is inside the allocator.
#pragma once

#include "allocator/heap/heap.h"
#include "allocator/support/line.h"

namespace xi {

// Where a validator says what is wrong.
class CheckReport {
 public:
  using Tell = void (*)(void* context, const char* what);
  CheckReport(Tell tell, void* context) : tell_(tell), context_(context) {}

  // Says `what` about the thing at `where` unless `fact` holds. Returns the fact.
  bool expect(bool fact, const char* what, uintptr_t where) {
    if (fact) return true;
    clean_ = false;
    if (tell_ != nullptr) {
      tell_(context_, Line("").text(what).text(" (").address(reinterpret_cast<void*>(where)).text(")").c_str());
    }
    return false;
  }
  bool clean() const { return clean_; }

 private:
  Tell tell_;
  void* context_;
  bool clean_ = true;
};

// What a walk over all arenas has seen; the heaps and the counters must agree with it.
struct Census {
  size_t pages = 0;
  size_t pages_of_heaps = 0;  // whose `heap` is not null
  size_t abandoned[kBinCount] = {};
  size_t huge_pages = 0;
  size_t samples = 0;  // pages whose block is in the heap profile
  size_t live_blocks = 0;
  size_t live_bytes = 0;
};

// Counts the page as seen, too.
void check_page(const Page* page, CheckReport& report, Census& census);
void check_arenas(CheckReport& report, Census& census);
void check_heaps(CheckReport& report, Census& census);

// Everything. True when nothing is wrong.
bool check_all(CheckReport report);

}  // namespace xi
