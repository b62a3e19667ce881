// What the allocator's tests share: each starts from a process-fresh allocator and ends with a structure that is valid.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "allocator/include/ximalloc.h"
#include "allocator/include/ximalloc_debug.h"

namespace xi {

inline std::string structure_faults() {
  std::string faults;
  xi_debug_check(
      [](void* context, const char* what) { *static_cast<std::string*>(context) += std::string(what) + "; "; },
      &faults);
  return faults;
}

struct FootprintNow {
  uint64_t mapped = 0;
  uint64_t committed = 0;
};
inline FootprintNow footprint() {
  FootprintNow now;
  xi_debug_footprint(&now.mapped, &now.committed);
  return now;
}

class FreshAllocator : public testing::Test {
 protected:
  void SetUp() override { xi_debug_reset(); }
  void TearDown() override {
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
    EXPECT_EQ(structure_faults(), "");
  }
};

// What a system call is for.
struct CallsFor {
  xi_os_kind_t kind;
  bool access = false;
};
inline constexpr CallsFor kReserves{XI_OS_MMAP, false};
inline constexpr CallsFor kMaps{XI_OS_MMAP, true};
inline constexpr CallsFor kCommits{XI_OS_MPROTECT, true};
inline constexpr CallsFor kProtects{XI_OS_MPROTECT, false};
inline constexpr CallsFor kDiscards{XI_OS_MADVISE};
inline constexpr CallsFor kUnmaps{XI_OS_MUNMAP};
inline constexpr CallsFor kKeys{XI_OS_KEY_CREATE};

// Makes the `nth` call for something fail with ENOMEM (or as `answer` says), and with `onwards` all later ones too.
struct FailCalls {
  CallsFor what;
  int nth;
  bool onwards = false;
  int answer = 12 /* ENOMEM */;
  int seen = 0;

  void install() { xi_debug_set_os_hook(&before, nullptr, this); }
  static int before(void* context, const xi_os_call_t* call) {
    auto* const self = static_cast<FailCalls*>(context);
    if (call->kind != self->what.kind || call->access != self->what.access) return 0;
    ++self->seen;
    return self->seen == self->nth || (self->onwards && self->seen > self->nth) ? self->answer : 0;
  }
};

}  // namespace xi
