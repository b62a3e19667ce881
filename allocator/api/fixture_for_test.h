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

// Makes the `nth` call of a kind fail with ENOMEM, and with `onwards` all later ones too.
struct FailCalls {
  xi_os_kind_t kind;
  int nth;
  bool onwards = false;
  int seen = 0;

  void install() { xi_debug_set_os_hook(&before, nullptr, this); }
  static int before(void* context, const xi_os_call_t* call) {
    auto* const self = static_cast<FailCalls*>(context);
    if (call->kind != self->kind) return 0;
    ++self->seen;
    return self->seen == self->nth || (self->onwards && self->seen > self->nth) ? 12 /* ENOMEM */ : 0;
  }
};

}  // namespace xi
