#include "harness/subject/code_range.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>

namespace assay {

CodeRange code_range_of(const void* pc) {
  struct Search {
    uintptr_t pc;
    CodeRange found;
  } search{reinterpret_cast<uintptr_t>(pc), {}};
  dl_iterate_phdr(
      [](dl_phdr_info* object, size_t, void* context) {
        auto& state = *static_cast<Search*>(context);
        CodeRange range;
        bool inside = false;
        for (size_t i = 0; i < object->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = object->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
          const uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
          const uintptr_t end = begin + segment.p_memsz;
          inside = inside || (begin <= state.pc && state.pc < end);
          range.begin = range.begin == 0 ? begin : std::min(range.begin, begin);
          range.end = std::max(range.end, end);
        }
        if (!inside) return 0;
        range.file = object->dlpi_name == nullptr ? "" : object->dlpi_name;
        state.found = range;
        return 1;
      },
      &search);
  return search.found;
}

}  // namespace assay
