#include "harness/report/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstring>

namespace assay {
namespace {

struct LoadedFile {
  uintptr_t pc;
  uintptr_t bias = 0;
  char path[PATH_MAX] = {};
  bool found = false;
};

int find_loaded_file(dl_phdr_info* object, size_t, void* context) {
  auto& file = *static_cast<LoadedFile*>(context);
  for (size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    const uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || file.pc < begin || file.pc >= begin + segment.p_memsz) continue;
    file.bias = object->dlpi_addr;
    const bool executable = object->dlpi_name == nullptr || object->dlpi_name[0] == '\0';
    std::strncpy(file.path, executable ? "/proc/self/exe" : object->dlpi_name, sizeof file.path - 1);
    file.found = true;
    return 1;
  }
  return 0;
}

}  // namespace

void SymbolTable::load(const void* pc) {
  LoadedFile loaded{reinterpret_cast<uintptr_t>(pc)};
  dl_iterate_phdr(find_loaded_file, &loaded);
  if (!loaded.found) return;
  const int file = open(loaded.path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  struct stat status{};
  if (fstat(file, &status) == 0 && status.st_size > static_cast<off_t>(sizeof(Elf64_Ehdr))) {
    void* mapped = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped != MAP_FAILED) {
      file_ = static_cast<const unsigned char*>(mapped);
      file_size_ = static_cast<size_t>(status.st_size);
      bias_ = loaded.bias;
      if (!read_tables()) symbol_count_ = 0;
    }
  }
  close(file);
}

// Prefers the full table over the dynamic one; false when neither lies wholly inside the file.
bool SymbolTable::read_tables() {
  Elf64_Ehdr header;
  std::memcpy(&header, file_, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return false;
  if (header.e_shoff > file_size_ || (file_size_ - header.e_shoff) / sizeof(Elf64_Shdr) < header.e_shnum) return false;
  const auto section = [&](size_t index) {
    Elf64_Shdr result;
    std::memcpy(&result, file_ + header.e_shoff + index * sizeof result, sizeof result);
    return result;
  };
  const auto inside = [&](const Elf64_Shdr& part) {
    return part.sh_offset <= file_size_ && part.sh_size <= file_size_ - part.sh_offset;
  };
  bool found = false;
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB && (table.sh_type != SHT_DYNSYM || found)) continue;
    if (table.sh_link >= header.e_shnum || !inside(table)) continue;
    const Elf64_Shdr names = section(table.sh_link);
    if (!inside(names) || names.sh_size == 0 || file_[names.sh_offset + names.sh_size - 1] != 0) continue;
    symbols_ = table.sh_offset;
    symbol_count_ = table.sh_size / sizeof(Elf64_Sym);
    strings_ = names.sh_offset;
    strings_size_ = names.sh_size;
    found = true;
    if (table.sh_type == SHT_SYMTAB) break;
  }
  return found;
}

const char* SymbolTable::find(const void* pc) const {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pc) - bias_;
  for (uint64_t i = 0; i < symbol_count_; ++i) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, file_ + symbols_ + i * sizeof symbol, sizeof symbol);
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (address < symbol.st_value || address - symbol.st_value >= symbol.st_size) continue;
    if (symbol.st_name < strings_size_) return reinterpret_cast<const char*>(file_ + strings_ + symbol.st_name);
  }
  return nullptr;
}

}  // namespace assay
