// Assertions: one fact each. They are compiled into every flavour but release.
#pragma once

namespace xi {

// Says which fact does not hold and aborts. Defined in support/report.cc, which has the means to write.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line);

}  // namespace xi

#if defined(NDEBUG)
#define XI_ASSERT(fact) static_cast<void>(sizeof(!(fact)))
#else
#define XI_ASSERT(fact) \
  (__builtin_expect(!(fact), 0) ? ::xi::assertion_failed(#fact, __FILE__, __LINE__) : static_cast<void>(0))
#endif
