// Names of functions by address, readable while the heap is broken: the symbol table of one ELF file, mapped beforehand
// and searched without allocating.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay {

class SymbolTable {
 public:
  // Maps the symbols of the loaded file that holds `pc`; stays empty when there are none to be read.
  void load(const void* pc);
  // Name (as the linker knows it) of the function that `pc` lies in, or null.
  const char* find(const void* pc) const;

 private:
  bool read_tables();

  const unsigned char* file_ = nullptr;
  size_t file_size_ = 0;
  uintptr_t bias_ = 0;
  uint64_t symbols_ = 0, symbol_count_ = 0, strings_ = 0, strings_size_ = 0;
};

}  // namespace assay
