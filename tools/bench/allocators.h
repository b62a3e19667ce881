// The allocators of this machine that a benchmark can preload.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::bench {

struct PreloadedAllocator {
  std::string name;
  std::filesystem::path library;  // "" is libc: nothing is preloaded
};

// ximalloc of the release flavour, libc, and of mimalloc, jemalloc and tcmalloc those that are installed.
std::vector<PreloadedAllocator> installed_allocators(const std::filesystem::path& root);

// The allocators of a list as a user types it: names and paths, separated by commas. Throws InputError for what is not
// here.
std::vector<PreloadedAllocator> parse_allocators(const std::string& list, const std::filesystem::path& root);

}  // namespace assay::bench
