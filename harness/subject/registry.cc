#include "harness/subject/registry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "harness/op/program.h"
#include "harness/subject/libc.h"
#include "harness/subject/shared_object.h"
#include "harness/subject/subject_spec.h"
#if defined(ASSAY_HAVE_XIMALLOC)
#include "harness/subject/ximalloc.h"
#endif

namespace assay {
namespace {

// Allocators that a Debian machine may have installed, by name.
struct Installed {
  std::string_view name;
  std::string_view prefix;
  std::array<std::string_view, 2> files;
};
constexpr std::array<Installed, 5> kInstalled = {{
    {"mimalloc", "mi_", {"/usr/lib/x86_64-linux-gnu/libmimalloc.so.2", "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2.0"}},
    {"jemalloc", "", {"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/x86_64-linux-gnu/libjemalloc.so"}},
    {"jemalloc.mallocx",
     kMallocx,
     {"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/x86_64-linux-gnu/libjemalloc.so"}},
    {"tcmalloc",
     "",
     {"/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4", "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"}},
    {"scudo", "", {"/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.scudo_standalone-x86_64.so", ""}},
}};

std::string installed_file(const Installed& allocator) {
  for (const std::string_view file : allocator.files) {
    if (!file.empty() && access(std::string(file).c_str(), R_OK) == 0) return std::string(file);
  }
  return "";
}

const Installed* find_installed(std::string_view name) {
  for (const Installed& allocator : kInstalled) {
    if (allocator.name == name) return &allocator;
  }
  return nullptr;
}

bool exists(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0;
}

struct FileSpec {
  std::string path;
  std::string prefix;
};

// "path" or "path:prefix_"; a colon that belongs to the file's name is kept with it.
std::optional<FileSpec> as_file(std::string_view spec) {
  const std::string whole(spec);
  const bool looks_like_path = spec.find('/') != std::string_view::npos || spec.ends_with(".so") ||
                               spec.find(".so.") != std::string_view::npos ||
                               spec.find(".so:") != std::string_view::npos;
  if (!looks_like_path) return std::nullopt;
  const size_t colon = whole.rfind(':');
  if (colon == std::string::npos || exists(whole)) return FileSpec{whole, ""};
  return FileSpec{whole.substr(0, colon), whole.substr(colon + 1)};
}

}  // namespace

std::unique_ptr<Subject> open_subject(std::string_view whole) {
  const SubjectSpec parsed = parse_subject_spec(whole);
  const std::string_view spec = parsed.subject;
#if defined(ASSAY_HAVE_XIMALLOC)
  if (spec == "ximalloc") return open_ximalloc(parsed.settings);
#endif
  for (const SubjectSetting& setting : parsed.settings) {
    const char* const value = std::getenv(setting.name.c_str());
    if (value == nullptr || std::string_view(value).find(setting.value) == std::string_view::npos) {
      throw InputError{"subject " + std::string(whole) + ": its process was not started with " + setting.name};
    }
  }
  if (spec == "libc") return open_libc();
  if (const Installed* allocator = find_installed(spec)) {
    const std::string file = installed_file(*allocator);
    if (file.empty()) throw InputError{"subject '" + std::string(spec) + "' is not installed on this machine"};
    return open_shared_object(std::string(whole), file, std::string(allocator->prefix));
  }
  if (const auto file = as_file(spec)) return open_shared_object(std::string(whole), file->path, file->prefix);
  throw InputError{"unknown subject '" + std::string(spec) +
                   "': not a name (see `assay subjects`), and not a path to a shared object"};
}

std::string subject_file(std::string_view whole) {
  if (is_subject_list(whole)) return "";
  const std::string_view spec = whole.substr(0, whole.find('{'));
  if (const Installed* allocator = find_installed(spec)) return installed_file(*allocator);
  if (const auto file = as_file(spec)) return file->path;
  return "";
}

std::vector<std::string> capabilities_of(const Subject& subject) {
  std::vector<std::string> words;
  const auto add = [&words](bool has, const char* word) {
    if (has) words.emplace_back(word);
  };
  const SubjectApi& api = subject.api();
  const SubjectInstruments& instruments = subject.instruments();
  const Promises& promises = subject.promises();
#define ASSAY_FUNCTION(id, name, Result, parameters) add(api.name != nullptr, #name);
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
#define ASSAY_HEAP_FUNCTION(id, name, Result, parameters) add(api.name != nullptr, #name);
#include "harness/subject/heap_functions.def"
#undef ASSAY_HEAP_FUNCTION
  const HeapKit& kit = subject.heap_kit();
  add(kit.heap_new_ex != nullptr, "heap_new_ex");
  add(kit.heap_new_in_arena != nullptr, "heap_new_in_arena");
  add(kit.visit_heap != nullptr, "heap_visit_blocks");
  add(kit.visit_abandoned != nullptr, "abandoned_visit_blocks");
  add(kit.reserve != nullptr, "reserve_os_memory");
  add(kit.manage != nullptr, "manage_os_memory");
  add(kit.set_option != nullptr, "option_set");
  add(instruments.reset != nullptr, "reset");
  add(instruments.advance_clock != nullptr, "virtual_clock");
  add(instruments.footprint != nullptr, "footprint");
  add(instruments.check_structure != nullptr, "structure");
  add(instruments.is_committed != nullptr, "committed_ranges");
  add(promises.deterministic_addresses, "deterministic_addresses");
  add(promises.realloc_zero == ReallocZero::kFrees, "realloc_zero_frees");
  add(promises.realloc_zero == ReallocZero::kMinimal, "realloc_zero_minimal");
  add(promises.realloc_zero == ReallocZero::kKeeps, "realloc_zero_keeps");
  return words;
}

std::vector<SubjectListing> list_subjects() {
  std::vector<SubjectListing> listings;
  std::vector<std::string> names;
#if defined(ASSAY_HAVE_XIMALLOC)
  names.emplace_back("ximalloc");
#endif
  names.emplace_back("libc");
  for (const Installed& allocator : kInstalled) names.emplace_back(allocator.name);
  for (const std::string& name : names) {
    SubjectListing listing;
    listing.name = name;
    try {
      const auto subject = open_subject(name);
      listing.version = subject->version();
      listing.path = subject->path();
      listing.available = true;
      listing.capabilities = capabilities_of(*subject);
    } catch (const InputError&) {
      listing.path = subject_file(name);
    }
    listings.push_back(std::move(listing));
  }
  return listings;
}

}  // namespace assay
