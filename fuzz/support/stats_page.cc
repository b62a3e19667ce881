#include "fuzz/support/stats_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace assay::fuzz {

bool StatsPage::is_settled(uint64_t token_hash) const {
  const uint64_t count = std::min<uint64_t>(settled_count.load(std::memory_order_acquire), kMaxSettled);
  return std::find(settled, settled + count, token_hash) != settled + count;
}

void StatsPage::settle(uint64_t token_hash) {
  const uint64_t count = settled_count.load(std::memory_order_relaxed);
  if (count >= kMaxSettled || is_settled(token_hash)) return;
  settled[count] = token_hash;
  settled_count.store(count + 1, std::memory_order_release);
}

void KeptProgram::keep(std::span<const uint8_t> program) {
  size = program.size() > sizeof bytes ? kTooLong : static_cast<uint32_t>(program.size());
  if (size != kTooLong && size != 0) std::memcpy(bytes, program.data(), size);
}

void StatsPage::keep_recent(std::span<const uint8_t> program) {
  if (evidence_held != 0) return;
  recent.keep(program);
}

uint64_t token_hash(std::string_view token) {
  // FNV-1a: the same in every process and build.
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : token) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

StatsPage* map_stats(const std::string& path) {
  int fd = -1;
  if (!path.empty()) {
    fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return nullptr;
    if (::ftruncate(fd, sizeof(StatsPage)) != 0) {
      ::close(fd);
      return nullptr;
    }
  }
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = ::mmap(nullptr, sizeof(StatsPage), PROT_READ | PROT_WRITE, flags, fd, 0);
  if (fd >= 0) ::close(fd);
  if (memory == MAP_FAILED) return nullptr;
  auto* page = static_cast<StatsPage*>(memory);
  // A process that was started again goes on where its forerunner ended.
  if (page->magic != kStatsMagic) new (page) StatsPage();
  return page;
}

void unmap_stats(StatsPage* page) {
  ::munmap(page, sizeof(StatsPage));
}

}  // namespace assay::fuzz
