#include "harness/subject/elf_scan.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

#include "harness/op/program.h"

namespace assay {
namespace {

// A file mapped for reading; every access is checked against its size, since anyone's file may be broken.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw InputError{path + ": " + std::strerror(errno)};
    struct stat status{};
    fstat(file, &status);
    if (S_ISDIR(status.st_mode) || !S_ISREG(status.st_mode)) {
      close(file);
      throw InputError{path + (S_ISDIR(status.st_mode) ? ": is a directory" : ": is not a regular file")};
    }
    size_ = static_cast<size_t>(status.st_size);
    void* mapped = size_ == 0 ? MAP_FAILED : mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (mapped != MAP_FAILED) data_ = static_cast<const unsigned char*>(mapped);
    if (data_ == nullptr) size_ = 0;
  }
  ~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<unsigned char*>(data_), size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  template <typename T>
  std::optional<T> read(uint64_t offset) const {
    if (offset > size_ || size_ - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, data_ + offset, sizeof value);
    return value;
  }
  bool starts_with(std::string_view magic) const {
    return size_ >= magic.size() && std::memcmp(data_, magic.data(), magic.size()) == 0;
  }
  std::string_view text(uint64_t offset) const {
    if (offset >= size_) return {};
    const auto* begin = reinterpret_cast<const char*>(data_ + offset);
    return {begin, strnlen(begin, size_ - offset)};
  }

 private:
  const unsigned char* data_ = nullptr;
  size_t size_ = 0;
};

Elf64_Ehdr elf_header(const MappedFile& file, const std::string& path) {
  const auto header = file.read<Elf64_Ehdr>(0);
  if (file.starts_with("!<arch>\n")) throw InputError{path + ": is a static archive; link it into a shared object"};
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) throw InputError{path + ": is not an ELF file"};
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
    throw InputError{path + ": is not a 64-bit x86 file"};
  }
  if (header->e_type != ET_DYN) throw InputError{path + ": is not a shared object"};
  return *header;
}

// The few entries of the dynamic section that the scan needs; addresses are virtual, sizes in bytes.
struct DynamicTables {
  uint64_t symbols = 0, strings = 0;
  uint64_t rela = 0, rela_size = 0;
  uint64_t jump = 0, jump_size = 0;
  bool symbolic = false;
};

class DynamicFile {
 public:
  DynamicFile(const MappedFile& file, const Elf64_Ehdr& header) : file_(file), header_(header) { read_tables(); }

  const DynamicTables& tables() const { return tables_; }

  // A relocation against a symbol that this file defines under one of `names` and that another file may override.
  bool calls_own(std::span<const std::string_view> names) const {
    return any_symbol([names](const Elf64_Sym& symbol, std::string_view name) {
      return symbol.st_shndx != SHN_UNDEF && ELF64_ST_VISIBILITY(symbol.st_other) == STV_DEFAULT &&
             std::ranges::find(names, name) != names.end();
    });
  }
  // One against a symbol of another file that begins so.
  bool wants(std::string_view beginning) const {
    return any_symbol([beginning](const Elf64_Sym& symbol, std::string_view name) {
      return symbol.st_shndx == SHN_UNDEF && name.starts_with(beginning);
    });
  }

 private:
  std::optional<Elf64_Phdr> segment(unsigned index) const {
    return file_.read<Elf64_Phdr>(header_.e_phoff + uint64_t{index} * header_.e_phentsize);
  }

  uint64_t offset_of(uint64_t address) const {
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      const auto part = segment(i);
      if (part && part->p_type == PT_LOAD && address >= part->p_vaddr && address - part->p_vaddr < part->p_filesz) {
        return address - part->p_vaddr + part->p_offset;
      }
    }
    return ~uint64_t{0};
  }

  void read_tables() {
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      const auto part = segment(i);
      if (!part || part->p_type != PT_DYNAMIC) continue;
      for (uint64_t at = part->p_offset; at < part->p_offset + part->p_filesz; at += sizeof(Elf64_Dyn)) {
        const auto entry = file_.read<Elf64_Dyn>(at);
        if (!entry || entry->d_tag == DT_NULL) break;
        take(*entry);
      }
    }
  }

  void take(const Elf64_Dyn& entry) {
    switch (entry.d_tag) {
      case DT_SYMTAB: tables_.symbols = offset_of(entry.d_un.d_ptr); break;
      case DT_STRTAB: tables_.strings = offset_of(entry.d_un.d_ptr); break;
      case DT_RELA: tables_.rela = offset_of(entry.d_un.d_ptr); break;
      case DT_RELASZ: tables_.rela_size = entry.d_un.d_val; break;
      case DT_JMPREL: tables_.jump = offset_of(entry.d_un.d_ptr); break;
      case DT_PLTRELSZ: tables_.jump_size = entry.d_un.d_val; break;
      case DT_SYMBOLIC: tables_.symbolic = true; break;
      case DT_FLAGS: tables_.symbolic = tables_.symbolic || (entry.d_un.d_val & DF_SYMBOLIC) != 0; break;
      default: break;
    }
  }

  template <typename Condition>
  bool any_symbol(const Condition& condition) const {
    return scan(tables_.rela, tables_.rela_size, condition) || scan(tables_.jump, tables_.jump_size, condition);
  }

  template <typename Condition>
  bool scan(uint64_t offset, uint64_t size, const Condition& condition) const {
    for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= size; at += sizeof(Elf64_Rela)) {
      const auto relocation = file_.read<Elf64_Rela>(offset + at);
      if (!relocation) return false;
      const auto symbol = file_.read<Elf64_Sym>(tables_.symbols + ELF64_R_SYM(relocation->r_info) * sizeof(Elf64_Sym));
      if (symbol && condition(*symbol, file_.text(tables_.strings + symbol->st_name))) return true;
    }
    return false;
  }

  const MappedFile& file_;
  const Elf64_Ehdr& header_;
  DynamicTables tables_;
};

bool wants(const std::string& path, std::string_view beginning) {
  const MappedFile file(path);
  const Elf64_Ehdr header = elf_header(file, path);
  return DynamicFile(file, header).wants(beginning);
}

}  // namespace

void require_shared_object(const std::string& path) {
  const MappedFile file(path);
  elf_header(file, path);
}

bool needs_preload(const std::string& path) {
  constexpr std::array<std::string_view, 8> kNames = {
      "malloc", "free", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign", "malloc_usable_size"};
  const MappedFile file(path);
  const Elf64_Ehdr header = elf_header(file, path);
  const DynamicFile dynamic(file, header);
  return !dynamic.tables().symbolic && dynamic.calls_own(kNames);
}

bool has_coverage(const std::string& path) {
  return wants(path, "__sanitizer_cov_");
}

bool has_thread_sanitizer(const std::string& path) {
  return wants(path, "__tsan_");
}

}  // namespace assay
