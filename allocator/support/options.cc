#include "allocator/support/options.h"

#include "allocator/os/environment.h"
#include "allocator/support/report.h"

namespace xi {

constinit Options options;

const OptionRow option_table[kOptionCount] = {
#define XI_OPTION(name, variable, standard, smallest, largest, doc) \
  {#name, variable, &Options::name, standard, smallest, largest, doc},
#include "allocator/support/options.def"
#undef XI_OPTION
};

bool parse_option(const char* text, int64_t* out) {
  const bool negative = *text == '-';
  if (negative) ++text;
  if (*text < '0' || *text > '9') return false;
  int64_t value = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *text - '0', &value)) return false;
  }
  int64_t unit = 1;
  switch (*text) {
    case 'G': unit *= 1024; [[fallthrough]];
    case 'M': unit *= 1024; [[fallthrough]];
    case 'K':
      unit *= 1024;
      ++text;
      break;
    default: break;
  }
  if (*text != '\0' || __builtin_mul_overflow(value, unit, &value)) return false;
  *out = negative ? -value : value;
  return true;
}

namespace {

constexpr char kPrefix[] = "XIMALLOC_";

// Whether it was set by the environment or by set_option().
constinit Setting was_set[kOptionCount];

bool in_range(const OptionRow& row, int64_t value) {
  return value >= row.smallest && value <= row.largest;
}

void load(size_t index) {
  const OptionRow& row = option_table[index];
  const char* const text = os::environment(row.variable);
  if (text == nullptr) return;
  int64_t value = 0;
  if (!parse_option(text, &value) || !in_range(row, value)) {
    warn_bad_option(row.variable, text);
    return;
  }
  options.*row.value = value;
  was_set[index] = 1;
}

// Whether `entry`, "NAME=value" with the prefix, is the variable of an option.
bool is_known(const char* entry) {
  for (const OptionRow& row : option_table) {
    size_t length = 0;
    while (row.variable[length] != '\0' && row.variable[length] == entry[length]) ++length;
    if (row.variable[length] == '\0' && entry[length] == '=') return true;
  }
  return false;
}

// No lambda: one that decays to a pointer has code outside of xi_text.
void warn_if_unknown(const char* entry) {
  if (!is_known(entry)) warn_unknown_option(entry);
}

}  // namespace

void load_options() {
  reset_options();
  for (size_t i = 0; i < kOptionCount; ++i) load(i);
  os::each_environment(kPrefix, warn_if_unknown);
}

bool set_option(size_t index, int64_t value) {
  const OptionRow& row = option_table[index];
  if (!in_range(row, value)) return false;
  options.*row.value = value;
  was_set[index] = 1;
  return true;
}

bool default_option(size_t index, int64_t value) {
  const OptionRow& row = option_table[index];
  if (!in_range(row, value)) return false;
  if (was_set[index] == 0) options.*row.value = value;
  return true;
}

void reset_options() {
  options = Options{};
  for (Setting& set : was_set) set = 0;
}

}  // namespace xi
