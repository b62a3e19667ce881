#include "harness/op/trace_salvage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "harness/op/program.h"
#include "harness/op/trace_format.h"

namespace assay {
namespace {

using trace::ChunkHeader;

class File {
 public:
  explicit File(const std::string& path) : path_(path), fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) refuse();
  }
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[noreturn]] void refuse() const { throw InputError{fmt::format("{}: {}", path_, std::strerror(errno))}; }

  uint64_t size() const {
    struct stat status{};
    if (fstat(fd_, &status) != 0) refuse();
    return static_cast<uint64_t>(status.st_size);
  }
  // The bytes that there are, at most `size`.
  size_t read(uint8_t* buffer, size_t size, uint64_t offset) const {
    size_t done = 0;
    while (done < size) {
      const ssize_t got = pread(fd_, buffer + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0) refuse();
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }
  void write(const uint8_t* buffer, size_t size, uint64_t offset) const {
    if (pwrite(fd_, buffer, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size)) refuse();
  }
  void cut(uint64_t size) const {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) refuse();
  }

 private:
  const std::string& path_;
  int fd_;
};

// The size of the complete chunk at the start of these bytes, 0 when there is none.
size_t complete_chunk(const uint8_t* bytes, size_t size) {
  ChunkHeader header{};
  if (size < sizeof header) return 0;
  std::memcpy(&header, bytes, sizeof header);
  if (header.magic != trace::kChunkMagic || header.payload_bytes > size - sizeof header) return 0;
  if (header.payload_bytes == 0 || header.payload_bytes > trace::kMaxPayload) return 0;
  if (trace::chunk_crc(header, bytes + sizeof header) != header.crc) return 0;
  return sizeof header + header.payload_bytes;
}

}  // namespace

uint64_t salvage_trace(const std::string& path) {
  const File file(path);
  const uint64_t size = file.size();
  std::vector<uint8_t> window(sizeof(ChunkHeader) + trace::kMaxPayload);
  const size_t first_line = file.read(window.data(), trace::kFirstLine.size(), 0);
  if (std::string_view(reinterpret_cast<const char*>(window.data()), first_line) != trace::kFirstLine) {
    throw InputError{path + ": not a trace"};
  }
  uint64_t read_at = trace::kFirstLine.size();
  uint64_t write_at = read_at;
  while (read_at < size) {
    const size_t have = file.read(window.data(), window.size(), read_at);
    if (have == 0) break;
    if (const size_t chunk = complete_chunk(window.data(), have)) {
      if (write_at != read_at) file.write(window.data(), chunk, write_at);
      write_at += chunk;
      read_at += chunk;
      continue;
    }
    // To the next place in the window where a chunk might begin.
    size_t skip = 1;
    while (skip < have &&
           std::memcmp(window.data() + skip, &trace::kChunkMagic, std::min<size_t>(4, have - skip)) != 0) {
      ++skip;
    }
    read_at += skip;
  }
  if (write_at != size) file.cut(write_at);
  return size - write_at;
}

}  // namespace assay
