#include "allocator/support/options.h"

#include "allocator/os/environment.h"
#include "allocator/support/report.h"

namespace xi {

constinit Options options;

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

void load(int64_t* option, const char* variable, int64_t smallest, int64_t largest) {
  const char* const text = os::environment(variable);
  if (text == nullptr) return;
  int64_t value = 0;
  if (!parse_option(text, &value) || value < smallest || value > largest) {
    warn_bad_option(variable, text);
    return;
  }
  *option = value;
}

}  // namespace

void load_options() {
  options = Options{};
#define XI_OPTION(name, variable, standard, smallest, largest, doc) load(&options.name, variable, smallest, largest);
#include "allocator/support/options.def"
#undef XI_OPTION
}

}  // namespace xi
