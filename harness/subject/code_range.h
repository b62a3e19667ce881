// Which loaded file a code address belongs to, and where that file's executable segments lie.
#pragma once

#include <cstdint>
#include <string>

namespace assay {

struct CodeRange {
  uintptr_t begin = 0, end = 0;
  std::string file;

  bool contains(const void* pc) const {
    const auto address = reinterpret_cast<uintptr_t>(pc);
    return begin <= address && address < end;
  }
};

// The executable segments of the file that holds `pc`; empty when no loaded file does.
CodeRange code_range_of(const void* pc);

}  // namespace assay
