// The figures of a soak as a CSV file: a line for each sample, written at once, so that whatever ends the process, what
// it has measured can still be judged.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "soak/fragmentation/drift.h"

namespace assay {

struct SoakSample {
  double hours = 0;  // of the program's own time
  uint64_t operations = 0;
  uint64_t live_bytes = 0;
  uint64_t resident_bytes = 0;  // what the process has more than before the first block
  uint64_t mapped_bytes = 0;    // the same
  uint64_t minor_faults = 0;    // since then
  uint64_t touched_bytes = 0;   // pages that live blocks touch

  double resident_per_live() const { return static_cast<double>(resident_bytes) / static_cast<double>(live_bytes); }
  double mapped_per_live() const { return static_cast<double>(mapped_bytes) / static_cast<double>(live_bytes); }
  // How full of live bytes the pages are that have any.
  double occupancy() const { return static_cast<double>(live_bytes) / static_cast<double>(touched_bytes); }
};

// Of this process, as it is now; `live_bytes` and what belongs to the program is the caller's to fill in.
SoakSample measure_process();

std::string csv_header();
std::string csv_line(const SoakSample& sample);
// Throws InputError, one line, for a file that is none of ours; a last line that was cut off is left out.
std::vector<SoakSample> read_csv(const std::string& path);

struct SoakVerdict {
  Drift resident, mapped;
  bool grows() const { return resident.grows || mapped.grows; }
  bool judged() const { return resident.judged; }
};
SoakVerdict judge(const std::vector<SoakSample>& samples, double least_per_hour);

}  // namespace assay
