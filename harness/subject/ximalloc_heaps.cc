#include "harness/subject/ximalloc_heaps.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "allocator/include/ximalloc.h"
#include "harness/subject/ximalloc_options.h"
#if defined(XIMALLOC_TEST_SEAMS)
#include "allocator/include/ximalloc_debug.h"
#endif

namespace assay {
namespace {

// A function as one whose pointers to types of ximalloc are pointers to nothing in particular: calling it by another
// type than its own would not be C++.
template <typename Type>
struct Erased {
  using Plain = Type;
  static Plain in(Type value) { return value; }
};
template <>
struct Erased<void> {
  using Plain = void;
};
template <>
struct Erased<xi_heap_t*> {
  using Plain = void*;
  static xi_heap_t* in(void* heap) { return static_cast<xi_heap_t*>(heap); }
};

template <auto kFunction>
struct Call;
template <typename Result, typename... Arguments, Result (*kFunction)(Arguments...) noexcept>
struct Call<kFunction> {
  static typename Erased<Result>::Plain call(typename Erased<Arguments>::Plain... arguments) {
    return kFunction(Erased<Arguments>::in(arguments)...);
  }
};

xi_arena_id_t arena_of(void* arena) {
  return static_cast<xi_arena_id_t>(arena);
}

void* new_heap_ex(int tag, bool allow_destroy, void* arena) {
  return xi_heap_new_ex(tag, allow_destroy, arena_of(arena));
}

void* new_heap_in_arena(void* arena) {
  return xi_heap_new_in_arena(arena_of(arena));
}

struct Visit {
  BlockVisitor visitor;
  void* context;
};

bool pass_on(const xi_heap_t*, const xi_heap_area_t* area, void* block, size_t block_size, void* argument) {
  const auto* const visit = static_cast<const Visit*>(argument);
  const VisitedArea shown{reinterpret_cast<uintptr_t>(area->blocks), area->reserved, area->used, area->block_size,
                          area->heap_tag};
  return visit->visitor(visit->context, shown, reinterpret_cast<uintptr_t>(block), block_size);
}

bool visit_heap(void* heap, bool all_blocks, BlockVisitor visitor, void* context) {
  Visit visit{visitor, context};
  return xi_heap_visit_blocks(static_cast<xi_heap_t*>(heap), all_blocks, pass_on, &visit);
}

bool visit_abandoned(bool all_blocks, BlockVisitor visitor, void* context) {
  constexpr int kAnyTag = -1;
  Visit visit{visitor, context};
  return xi_abandoned_visit_blocks(xi_subproc_main(), kAnyTag, all_blocks, pass_on, &visit);
}

int reserve(const ArenaWish& wish, void** arena) {
  if (arena == nullptr) return xi_reserve_os_memory(wish.bytes, wish.committed, wish.large);
  xi_arena_id_t made = nullptr;
  const int error = xi_reserve_os_memory_ex(wish.bytes, wish.committed, wish.large, wish.exclusive, &made);
  *arena = made;
  return error;
}

bool manage(void* start, const ArenaWish& wish, void** arena) {
  constexpr int kNoNode = -1;
  if (arena == nullptr) {
    return xi_manage_os_memory(start, wish.bytes, wish.committed, wish.large, wish.zero, kNoNode);
  }
  xi_arena_id_t made = nullptr;
  const bool managed =
      xi_manage_os_memory_ex(start, wish.bytes, wish.committed, wish.large, wish.zero, kNoNode, wish.exclusive, &made);
  *arena = made;
  return managed;
}

void* area(void* arena, size_t* bytes) {
  return xi_arena_area(arena_of(arena), bytes);
}

bool has_option(std::string_view name) {
  return option_named(name).has_value();
}

long get_option(std::string_view name) {
  return xi_option_get(*option_named(name));
}

void say_nothing(const char*, void*) {}

// What is out of range would be named on standard error.
template <typename Set>
int error_of(Set set) {
  xi_register_output(say_nothing, nullptr);
  errno = 0;
  set();
  const int error = errno;
  xi_register_output(nullptr, nullptr);
  return error;
}

int set_option(std::string_view name, long value) {
  const xi_option_t option = *option_named(name);
  return error_of([option, value] {
    // There are words of their own for two values.
    if (value == 0) return xi_option_disable(option);
    if (value == 1) return xi_option_enable(option);
    xi_option_set(option, value);
  });
}

int default_option(std::string_view name, long value) {
  const xi_option_t option = *option_named(name);
  return error_of([option, value] {
    if (value == 0 || value == 1) return xi_option_set_enabled_default(option, value == 1);
    xi_option_set_default(option, value);
  });
}

bool option_agrees(std::string_view name) {
  const xi_option_t option = *option_named(name);
  const long value = xi_option_get(option);
  constexpr long kSmallest = 1, kLargest = 100;
  return xi_option_is_enabled(option) == (value != 0) &&
         xi_option_get_size(option) == static_cast<size_t>(std::max(value, 0L)) &&
         xi_option_get_clamp(option, kSmallest, kLargest) == std::clamp(value, kSmallest, kLargest);
}

// The number behind `key` from `from` on.
int64_t number_behind(const char* from, const char* key) {
  const char* const at = std::strstr(from, key);
  return at == nullptr ? 0 : std::strtoll(at + std::strlen(key), nullptr, 10);
}

bool statistic(const char* name, Statistic& out) {
  // A buffer of the harness: the subject's heap is what is being counted.
  static char text[16384];
  if (xi_stats_get_json(sizeof text, text) >= sizeof text) return false;
  char key[64];
  std::snprintf(key, sizeof key, "\"%s\":{", name);
  const char* const row = std::strstr(text, key);
  if (row == nullptr) return false;
  out = {number_behind(row, "\"now\":"), number_behind(row, "\"peak\":"), number_behind(row, "\"total\":")};
  return true;
}

void note_text(const char* text, void* context) {
  auto& printed = *static_cast<Printed*>(context);
  const size_t length = std::strlen(text);
  ++printed.texts;
  printed.bytes += length;
  if (length > 0) printed.whole_lines = text[length - 1] == '\n';
}

Printed print() {
  Printed printed, all;
  const auto add = [&printed, &all] {
    all.texts += printed.texts;
    all.bytes += printed.bytes;
    all.whole_lines &= printed.whole_lines && printed.texts > 0;
    printed = Printed{};
  };
  xi_stats_print_out(note_text, &printed);
  add();
  xi_thread_stats_print_out(note_text, &printed);
  add();
  xi_register_output(note_text, &printed);
  xi_stats_print(nullptr);
  add();
  xi_options_print();
  add();
  xi_arenas_print();
  // There may be no arena.
  all.whole_lines &= printed.whole_lines;
  xi_register_output(nullptr, nullptr);
  size_t committed = 0, most_committed = 0, resident = 0;
  xi_process_info(nullptr, nullptr, nullptr, &resident, nullptr, &committed, &most_committed, nullptr);
  Statistic counted;
  all.figures_agree = statistic("committed_bytes", counted) && counted.now == static_cast<int64_t>(committed) &&
                      counted.peak == static_cast<int64_t>(most_committed);
  return all;
}

// A call that leaves errno alone may be the one in which the program is called.
void allocate_and_free(bool, unsigned long long heartbeat, void*) {
  constexpr unsigned long long kSizes = 5'000;
  const int error = errno;
  xi_free(xi_malloc(heartbeat * 24 % kSizes));
  errno = error;
}

void defer(bool on) {
  xi_register_deferred_free(on ? allocate_and_free : nullptr, nullptr);
}

int reserve_huge(uint64_t pages, uint64_t timeout_ms, bool exclusive, void** arena) {
  constexpr int kNoNode = -1;
  xi_arena_id_t made = nullptr;
  const int error = xi_reserve_huge_os_pages_at_ex(pages, kNoNode, timeout_ms, exclusive, &made);
  *arena = made;
  return error;
}

#if defined(XIMALLOC_TEST_SEAMS)
void* map_memory(uint64_t bytes, bool access) {
  return xi_debug_map_for_program(bytes, access);
}

uint64_t longest_free_run(void* arena) {
  return xi_debug_longest_free_run(arena_of(arena));
}
#endif

}  // namespace

void add_ximalloc_heaps(SubjectApi& api, HeapKit& kit) {
  option_names();
#define ASSAY_HEAP_FUNCTION(id, name, Result, parameters) api.name = Call<&xi_##name>::call;
#include "harness/subject/heap_functions.def"
#undef ASSAY_HEAP_FUNCTION
  kit = {.heap_new_ex = new_heap_ex,
         .heap_new_in_arena = new_heap_in_arena,
         .visit_heap = visit_heap,
         .visit_abandoned = visit_abandoned,
         .arena_unit_bytes = uint64_t{64} << 10,
         .reserve = reserve,
         .reserve_huge = reserve_huge,
         .manage = manage,
         .area = area,
         .has_option = has_option,
         .set_option = set_option,
         .default_option = default_option,
         .get_option = get_option,
         .option_agrees = option_agrees,
         .statistic = statistic,
         .print = print,
         .defer = defer};
#if defined(XIMALLOC_TEST_SEAMS)
  kit.map_memory = map_memory;
  kit.longest_free_run = longest_free_run;
#endif
}

}  // namespace assay
