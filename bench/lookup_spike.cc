// The spike behind docs/architecture.md: how a free finds the page of a block. Compares the page map (the one that
// ximalloc has) with a segment mask, bare and with the bitmap that it needs to tell foreign pointers.
//
//   bench_lookup_spike map|mask|mask_checked|none LOOKUPS    looks up so many addresses; count its instructions by
//   callgrind bench_lookup_spike memory                                prints resident metadata of both for four
//   layouts
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "allocator/page_map/page_map.h"

namespace {

// The mask's side. As mimalloc 2 does it: a header at each multiple of the segment size, with a table of pages.
constexpr size_t kSegmentShift = 25;
constexpr size_t kSegmentSize = size_t{1} << kSegmentShift;
constexpr size_t kSlicesPerSegment = kSegmentSize >> xi::kSliceShift;
struct Segment {
  uint64_t cookie;
  struct {
    alignas(64) char page[xi::kPageMetaSize];
  } pages[kSlicesPerSegment];
};
constexpr size_t kSegments = size_t{1} << (xi::kAddressBits - kSegmentShift);
uint64_t segment_bits[kSegments / 64];

const void* find_by_mask(const void* pointer) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  const auto* segment = reinterpret_cast<const Segment*>((address - 1) & ~(kSegmentSize - 1));
  return &segment->pages[(address >> xi::kSliceShift) % kSlicesPerSegment];
}

const void* find_by_checked_mask(const void* pointer) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer) - 1;
  const size_t index = address >> kSegmentShift;
  if (index >= kSegments || (segment_bits[index / 64] >> (index % 64) & 1) == 0) return nullptr;
  return find_by_mask(pointer);
}

// 4,096 addresses in 64 segments, at a place that nothing else has. Only the header of the mask's segments is read.
std::vector<const void*> addresses() {
  std::vector<const void*> result;
  for (size_t i = 0; i < 4096; ++i) {
    const uintptr_t segment = uintptr_t{0x5800'0000'0000} + (i % 64) * kSegmentSize;
    result.push_back(reinterpret_cast<const void*>(segment + (1 + i % (kSlicesPerSegment - 1)) * xi::kSliceSize + 64));
    segment_bits[(segment >> kSegmentShift) / 64] |= uint64_t{1} << ((segment >> kSegmentShift) % 64);
    xi::page_map::cover(segment, kSegmentSize);
    xi::page_map::enter(segment, kSlicesPerSegment, reinterpret_cast<xi::Page*>(segment));
  }
  return result;
}

template <class Find>
uintptr_t look_up(const std::vector<const void*>& blocks, size_t count, Find find) {
  uintptr_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum ^= reinterpret_cast<uintptr_t>(find(blocks[i % 4096]));
  return sum;
}

// Pages of 4 KiB that lookup data occupies, when `segments` segments have `slices` slices in use each, `apart` segments
// from one another. The Page structs themselves are the same on both sides and are not counted.
void print_memory(const char* layout, size_t segments, size_t slices, size_t apart) {
  std::set<uintptr_t> map_pages, mask_pages;
  for (size_t i = 0; i < segments; ++i) {
    const uintptr_t segment = uintptr_t{0x5800'0000'0000} + i * apart * kSegmentSize;
    mask_pages.insert(segment);                                // the header's first page
    mask_pages.insert((segment >> kSegmentShift) / 8 / 4096);  // the bitmap
    for (size_t slice = 0; slice < slices; ++slice) {
      const uintptr_t address = segment + slice * xi::kSliceSize;
      map_pages.insert((uintptr_t{1} << 60) + (address >> xi::kSliceShift) * 8 / 4096);
      map_pages.insert((address >> xi::page_map::kLeafShift) * 8 / 4096);
    }
  }
  const double used = static_cast<double>(segments * slices * xi::kSliceSize);
  std::printf("%-28s %8.1f MiB used   map %6zu KiB (%.4f %%)   mask %6zu KiB (%.4f %%)\n", layout, used / 1048576,
              map_pages.size() * 4, static_cast<double>(map_pages.size()) * 409600 / used, mask_pages.size() * 4,
              static_cast<double>(mask_pages.size()) * 409600 / used);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "memory") == 0) {
    print_memory("1 slice", 1, 1, 1);
    print_memory("1 GiB, full", 32, kSlicesPerSegment, 1);
    print_memory("32 segments, a slice each", 32, 1, 1);
    print_memory("1000 segments, 1 GiB apart", 1000, 16, 32);
    return 0;
  }
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_lookup_spike map|mask|mask_checked|none LOOKUPS, or memory\n");
    return 2;
  }
  const std::vector<const void*> blocks = addresses();
  const size_t count = std::strtoull(argv[2], nullptr, 10);
  const std::string_view which = argv[1];
  uintptr_t sum = 0;
  if (which == "map") sum = look_up(blocks, count, [](const void* p) -> const void* { return xi::page_map::find(p); });
  if (which == "mask") sum = look_up(blocks, count, find_by_mask);
  if (which == "mask_checked") sum = look_up(blocks, count, find_by_checked_mask);
  if (which == "none") sum = look_up(blocks, count, [](const void* p) { return p; });
  std::printf("%lx\n", static_cast<unsigned long>(sum));
  return 0;
}
