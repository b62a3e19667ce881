#include "tools/bench/allocators.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "harness/op/program.h"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

constexpr struct {
  const char* name;
  const char* file;
} kPackaged[] = {
    {"mimalloc", "libmimalloc.so.2"},
    {"jemalloc", "libjemalloc.so.2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4"},
};

fs::path find_library(const char* file) {
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    if (fs::exists(fs::path(folder) / file)) return fs::path(folder) / file;
  }
  return {};
}

}  // namespace

std::vector<PreloadedAllocator> installed_allocators(const fs::path& root) {
  std::vector<PreloadedAllocator> found;
  const fs::path own = root / "build" / "release" / "lib" / "libximalloc.so";
  if (fs::exists(own)) found.push_back({"ximalloc", own});
  found.push_back({"libc", {}});
  for (const auto& [name, file] : kPackaged) {
    const fs::path library = find_library(file);
    if (!library.empty()) found.push_back({name, library});
  }
  return found;
}

std::vector<PreloadedAllocator> parse_allocators(const std::string& list, const fs::path& root) {
  const std::vector<PreloadedAllocator> installed = installed_allocators(root);
  std::vector<PreloadedAllocator> chosen;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    if (word.find('/') != std::string::npos) {
      if (!fs::is_regular_file(word)) throw InputError{fmt::format("{}: no such library", word)};
      chosen.push_back({word, fs::absolute(word)});
      continue;
    }
    const auto named = std::find_if(installed.begin(), installed.end(),
                                    [&](const PreloadedAllocator& row) { return row.name == word; });
    if (named == installed.end()) throw InputError{fmt::format("allocator '{}' is not installed here", word)};
    chosen.push_back(*named);
  }
  if (chosen.empty()) throw InputError{"--against names no allocator"};
  return chosen;
}

}  // namespace assay::bench
