// Where in the subject's code accesses were made while another thread could have gone on: the places that the explored
// schedules have interleaved. Plain data: it may lie in memory that another process reads after a crash.
#pragma once

#include <cstdint>

namespace assay {

// The first address of this executable, wherever it was loaded; defined by the linker.
extern "C" const char __executable_start[];

class SiteSet {
 public:
  static constexpr uint32_t kSlots = uint32_t{1} << 12;

  // `pc` lies in this executable. What has no room is left out.
  void add(const void* pc) {
    const auto site = static_cast<uint64_t>(static_cast<const char*>(pc) - __executable_start);
    uint64_t at = (site * 0x9e3779b97f4a7c15) >> (64 - 12);
    for (uint32_t probes = 0; probes < kSlots; ++probes, at = (at + 1) % kSlots) {
      if (slots_[at] == site) return;
      if (slots_[at] != 0) continue;
      slots_[at] = site;
      return;
    }
  }

  // Calls visit(offset into the executable) for each.
  template <class Visit>
  void each(Visit visit) const {
    for (const uint64_t site : slots_) {
      if (site != 0) visit(site);
    }
  }

 private:
  uint64_t slots_[kSlots] = {};
};

}  // namespace assay
