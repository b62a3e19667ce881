#include "soak/fragmentation/log.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <fstream>

#include "harness/op/program.h"

namespace assay {
namespace {

constexpr const char* kHeader =
    "hours,operations,live_bytes,resident_bytes,mapped_bytes,minor_faults,touched_bytes,resident_per_live,occupancy";

}  // namespace

SoakSample measure_process() {
  SoakSample sample;
  uint64_t mapped = 0, resident = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(statm, "%" SCNu64 " %" SCNu64, &mapped, &resident) != 2) mapped = resident = 0;
    std::fclose(statm);
  }
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  sample.mapped_bytes = mapped * page;
  sample.resident_bytes = resident * page;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  sample.minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  return sample;
}

std::string csv_header() {
  return std::string(kHeader) + "\n";
}

std::string csv_line(const SoakSample& s) {
  return fmt::format("{:.5f},{},{},{},{},{},{},{:.5f},{:.5f}\n", s.hours, s.operations, s.live_bytes, s.resident_bytes,
                     s.mapped_bytes, s.minor_faults, s.touched_bytes, s.resident_per_live(), s.occupancy());
}

std::vector<SoakSample> read_csv(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw InputError{path + ": cannot be read"};
  std::string line;
  if (!std::getline(in, line) || line != kHeader) throw InputError{path + ": does not begin as a soak's CSV file does"};
  std::vector<SoakSample> samples;
  for (uint64_t number = 2; std::getline(in, line); ++number) {
    // A process that was killed leaves a line without its end.
    if (in.eof()) break;
    SoakSample s;
    int end = 0;
    const int fields = std::sscanf(
        line.c_str(), "%lf,%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%*f,%*f%n", &s.hours,
        &s.operations, &s.live_bytes, &s.resident_bytes, &s.mapped_bytes, &s.minor_faults, &s.touched_bytes, &end);
    const bool whole = fields == 7 && static_cast<size_t>(end) == line.size() && s.live_bytes > 0;
    const bool forward = samples.empty() || s.hours > samples.back().hours;
    if (!whole || !forward) throw InputError{fmt::format("{}: line {}: '{}' is no sample", path, number, line)};
    samples.push_back(s);
  }
  return samples;
}

SoakVerdict judge(const std::vector<SoakSample>& samples, double least_per_hour) {
  std::vector<double> hours, resident, mapped;
  for (const SoakSample& sample : samples) {
    hours.push_back(sample.hours);
    // A process may give back what it had before the first block: never nothing.
    resident.push_back(std::max(sample.resident_per_live(), 1e-3));
    mapped.push_back(std::max(sample.mapped_per_live(), 1e-3));
  }
  return {find_drift(hours, resident, least_per_hour), find_drift(hours, mapped, least_per_hour)};
}

}  // namespace assay
