#include "harness/model/mapped_array.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace assay {
namespace {

constexpr size_t kPageBytes = 4096;

size_t whole_pages(size_t bytes) {
  return (bytes + kPageBytes - 1) & ~(kPageBytes - 1);
}

[[noreturn]] void out_of_memory() {
  constexpr std::string_view kMessage = "HARNESS BUG: no memory left for the model of the heap\n";
  (void)!write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(3);
}

}  // namespace

void* map_pages(size_t bytes) {
  void* pages =
      mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) out_of_memory();
  return pages;
}

void unmap_pages(void* pages, size_t bytes) {
  munmap(pages, whole_pages(bytes));
}

void* remap_pages(void* pages, size_t old_bytes, size_t new_bytes) {
  void* moved = mremap(pages, whole_pages(old_bytes), whole_pages(new_bytes), MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) out_of_memory();
  return moved;
}

}  // namespace assay
