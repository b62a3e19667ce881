#include "harness/subject/ximalloc.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "allocator/include/ximalloc.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/include/ximalloc_debug.h"
#endif
#include "harness/op/program.h"
#include "harness/subject/code_range.h"
#include "harness/subject/ximalloc_heaps.h"
#include "harness/subject/ximalloc_options.h"

namespace assay {
namespace {

#if defined(XIMALLOC_TEST_SEAMS)
Footprint footprint() {
  Footprint bytes;
  xi_debug_footprint(&bytes.mapped_bytes, &bytes.committed_bytes);
  // An arena that is wholly free stays reserved, which costs address space and no memory.
  bytes.mapped_bytes -= xi_debug_idle_address_space();
  return bytes;
}

bool set_access_hooks(const AccessHooks* hooks) {
  static xi_sched_hooks_t installed;
  if (hooks == nullptr) return xi_debug_set_sched_hooks(nullptr);
  installed = {.before = hooks->before, .after = hooks->after};
  return xi_debug_set_sched_hooks(&installed);
}
#endif

#if defined(XIMALLOC_TEST_SEAMS)
constexpr SystemCall kCallOfKind[] = {SystemCall::kMmap,          SystemCall::kMunmap,    SystemCall::kMprotect,
                                      SystemCall::kMadvise,       SystemCall::kKeyCreate, SystemCall::kGetrandom,
                                      SystemCall::kProcessMadvise};
static_assert(XI_OS_MMAP == 0 && XI_OS_MADVISE == 3 && XI_OS_GETRANDOM == 5 && XI_OS_PROCESS_MADVISE == 6);

bool takes_away(const xi_os_call_t* call) {
  switch (kCallOfKind[call->kind]) {
    case SystemCall::kMunmap:
    case SystemCall::kMadvise:
    case SystemCall::kProcessMadvise: return true;
    case SystemCall::kMprotect: return !call->access;
    default: return false;
  }
}

OsCall as_seen(const xi_os_call_t* call) {
  return {.call = kCallOfKind[call->kind],
          .address = reinterpret_cast<uintptr_t>(call->address),
          .size = call->size,
          .access = call->access,
          .takes_away = takes_away(call),
          .metadata = call->metadata,
          .known = call->known,
          .site = {call->file, call->function, call->line}};
}

int ask_watcher(void* watcher, const xi_os_call_t* call) {
  const Failure* const failure = static_cast<OsWatcher*>(watcher)->before(as_seen(call));
  if (failure == nullptr) return 0;
  switch (failure->kind) {
    case FailureKind::kErrno: break;
    case FailureKind::kUnaligned: return XI_OS_UNALIGNED;
    case FailureKind::kHigh: return XI_OS_HIGH;
    case FailureKind::kDirty: return XI_OS_DIRTY;
  }
  return failure->error;
}

void tell_watcher(void* watcher, const xi_os_call_t* call, void* address) {
  static_cast<OsWatcher*>(watcher)->after(as_seen(call), reinterpret_cast<uintptr_t>(address));
}

bool watch_os(OsWatcher* watcher) {
  if (watcher == nullptr) {
    xi_debug_set_os_hook(nullptr, nullptr, nullptr);
  } else {
    xi_debug_set_os_hook(ask_watcher, tell_watcher, watcher);
  }
  return true;
}
#endif

// A reset puts the options back, too.
std::vector<std::pair<xi_option_t, long>> wanted_options;

// What is out of range is refused by us, in our words.
bool takes(xi_option_t option, long value) {
  const long warnings = xi_option_get(xi_option_warnings);
  xi_option_set(xi_option_warnings, 0);
  xi_option_set(option, value);
  const bool took = xi_option_get(option) == value;
  if (option != xi_option_warnings || !took) xi_option_set(xi_option_warnings, warnings);
  return took;
}

void choose_options(const std::vector<SubjectSetting>& settings) {
  wanted_options.clear();
  for (const SubjectSetting& setting : settings) {
    const std::optional<xi_option_t> option = option_named(setting.name);
    if (!option) throw InputError{"ximalloc has no option '" + setting.name + "'"};
    long value = 0;
    const char* const end = setting.value.data() + setting.value.size();
    const auto [stop, error] = std::from_chars(setting.value.data(), end, value);
    if (setting.value.empty() || stop != end || error != std::errc()) {
      throw InputError{"ximalloc's option " + setting.name + ": '" + setting.value + "' is not a whole number"};
    }
    if (!takes(*option, value)) {
      throw InputError{"ximalloc's option " + setting.name + " does not take " + setting.value};
    }
    wanted_options.emplace_back(*option, value);
  }
}

#if defined(XIMALLOC_TEST_SEAMS)
void reset_and_set_options() {
  xi_debug_reset();
  for (const auto& [option, value] : wanted_options) xi_option_set(option, value);
}
#endif

class XimallocSubject final : public Subject {
 public:
  explicit XimallocSubject(const std::vector<SubjectSetting>& settings) {
    name_ = "ximalloc";
    choose_options(settings);
    const int version = xi_version();
    version_ = std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
               std::to_string(version % 100);
    api_ = {
#define ASSAY_FUNCTION(id, name, Result, parameters) .name = xi_##name,
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
    };
    add_ximalloc_heaps(api_, heap_kit_);
    promises_ = {.realloc_zero = ReallocZero::kMinimal,
                 .aligned_alloc_any_size = true,
                 .aligned_alloc_rejects_bad_alignment = true,
                 .memalign_rejects_without_errno = true,
                 .extensions_set_errno = true,
                 .extensions_reject_bad_alignment = true,
                 .extensions_any_alignment = true,
                 .memalign_rejects_bad_alignment = true,
                 .good_size_exact = true,
                 .expands_to_usable = true,
                 .owns_what_it_gave = true,
                 .resize_gives_back = true,
                 .reallocarr_keeps_errno = true,
                 .heap_resize_takes_over = true,
                 .heap_calls_are_checked = true,
#if !defined(NDEBUG)
                 .counts_live_blocks = true,
#endif
                 .zero_size_unique = true,
                 .limits_at_seam = false,
                 .deterministic_addresses = false};
#if defined(XIMALLOC_TEST_SEAMS)
    instruments_ = {.reset = settings.empty() ? xi_debug_reset : reset_and_set_options,
                    .advance_clock = xi_debug_advance_clock,
                    .end_thread = xi_debug_end_thread,
                    .footprint = footprint,
                    .set_access_hooks = xi_debug_set_sched_hooks(nullptr) ? set_access_hooks : nullptr,
                    .check_structure = xi_debug_check,
                    .is_committed = xi_debug_is_committed,
                    .watch_os = watch_os};
    promises_.limits_at_seam = true;
    promises_.deterministic_addresses = xi_debug_addresses_are_fixed();
#else
    // Without the seams its code has no section of its own: the file that it is linked into has to do.
    code_ = code_range_of(reinterpret_cast<const void*>(xi_malloc));
#endif
  }

  bool owns_code(const void* pc) const override {
#if defined(XIMALLOC_TEST_SEAMS)
    return xi_debug_owns_code(pc);
#else
    return code_.contains(pc);
#endif
  }

 private:
  CodeRange code_;
};

}  // namespace

std::unique_ptr<Subject> open_ximalloc(const std::vector<SubjectSetting>& settings) {
  return std::make_unique<XimallocSubject>(settings);
}

}  // namespace assay
