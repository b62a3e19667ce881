// What xi_debug_reset() costs after a program that touched some pages: it runs before every fuzzed program.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "allocator/include/ximalloc_debug.h"

namespace {

constexpr int kRounds = 2001;
constexpr size_t kPageBytes = 4096;

// Microseconds of one reset after touching `pages` pages in blocks of one page each.
double one_reset(size_t pages) {
  for (size_t i = 0; i < pages; ++i) {
    void* block = xi_malloc(kPageBytes);
    if (block == nullptr) std::abort();
    std::memset(block, 1, kPageBytes);
  }
  const auto start = std::chrono::steady_clock::now();
  xi_debug_reset();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main() {
  for (const size_t pages : {size_t{0}, size_t{1}, size_t{20}, size_t{200}, size_t{2000}}) {
    std::vector<double> samples;
    for (int round = 0; round < kRounds; ++round) samples.push_back(one_reset(pages));
    std::sort(samples.begin(), samples.end());
    fmt::print("{:>5} pages touched: {:>8.2f} us a reset (quartiles {:.2f} to {:.2f})\n", pages, samples[kRounds / 2],
               samples[kRounds / 4], samples[kRounds * 3 / 4]);
  }
}
