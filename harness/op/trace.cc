#include "harness/op/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "harness/op/trace_format.h"

namespace assay {
namespace {

using trace::ChunkHeader;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw InputError{path + ": " + what};
}

// Reads `size` bytes at `offset`; the file is known to be that long.
void read_at(const std::string& path, int fd, void* buffer, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd, static_cast<char*>(buffer) + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path, fmt::format("cannot be read at byte {}: {}", offset + done, std::strerror(errno)));
    if (got == 0) refuse(path, fmt::format("became shorter while it was read, at byte {}", offset + done));
    done += static_cast<size_t>(got);
  }
}

void check_first_line(const std::string& path, int fd, uint64_t file_bytes) {
  char line[64] = {};
  const size_t size = file_bytes < sizeof line ? file_bytes : sizeof line;
  read_at(path, fd, line, size, 0);
  const std::string_view seen(line, size);
  if (seen.starts_with(trace::kFirstLine)) return;
  constexpr std::string_view kAnyVersion = "assay-trace ";
  if (!seen.starts_with(kAnyVersion)) refuse(path, "not a trace: its first line is not 'assay-trace 1'");
  if (trace::kFirstLine.starts_with(seen)) refuse(path, "truncated trace: it ends within its first line");
  std::string version(seen.substr(kAnyVersion.size(), seen.find('\n') - kAnyVersion.size()));
  for (char& character : version) {
    if (character < ' ' || character > '~') character = '?';
  }
  refuse(path, fmt::format("version {} of the trace form is not known, only version 1", version));
}

// The events make sense one by one, and a process begins with its name.
void check_events(const std::string& path, uint64_t offset, const ChunkHeader& header, const uint8_t* payload,
                  TraceProcess& process) {
  trace::EventReader events(payload, header.payload_bytes);
  trace::DecodedEvent event{};
  bool first = header.sequence == 0;
  while (events.next(event)) {
    if ((event.event == trace::Event::kStart) != first) {
      refuse(path, fmt::format("corrupt trace: a process begins at the wrong place in the chunk at byte {}", offset));
    }
    if (first) {
      process.by_fork = event.numbers[0] != 0;
      process.program = std::string(event.program);
    }
    first = false;
    if (event.event == trace::Event::kThread && event.numbers[0] > UINT32_MAX) {
      refuse(path, fmt::format("corrupt trace: impossible thread number in the chunk at byte {}", offset));
    }
  }
  if (!events.well_formed() || first) {
    refuse(path, fmt::format("corrupt trace: events that make no sense in the chunk at byte {}", offset));
  }
}

}  // namespace

TraceFile::TraceFile(std::string path) : path_(std::move(path)) {
  fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) refuse(path_, std::strerror(errno));
  try {
    struct stat status{};
    if (fstat(fd_, &status) != 0) refuse(path_, std::strerror(errno));
    if (S_ISDIR(status.st_mode)) refuse(path_, "is a directory");
    if (!S_ISREG(status.st_mode)) refuse(path_, "is not a regular file");
    const auto file_bytes = static_cast<uint64_t>(status.st_size);
    check_first_line(path_, fd_, file_bytes);
    index_chunks(file_bytes);
  } catch (...) {
    close(fd_);
    throw;
  }
}

TraceFile::~TraceFile() {
  close(fd_);
}

void TraceFile::index_chunks(uint64_t file_bytes) {
  std::map<std::pair<uint32_t, uint64_t>, size_t> known;
  std::vector<uint8_t> payload(trace::kMaxPayload);
  uint64_t offset = trace::kFirstLine.size();
  while (offset < file_bytes) {
    ChunkHeader header{};
    const uint64_t left = file_bytes - offset;
    if (left < sizeof header) {
      refuse(path_, fmt::format("truncated trace: the chunk header at byte {} is cut off", offset));
    }
    read_at(path_, fd_, &header, sizeof header, offset);
    if (header.magic != trace::kChunkMagic || header.payload_bytes > trace::kMaxPayload || header.payload_bytes == 0) {
      refuse(path_, fmt::format("corrupt trace: no chunk begins at byte {}", offset));
    }
    if (left - sizeof header < header.payload_bytes) {
      refuse(path_, fmt::format("truncated trace: the chunk at byte {} needs {} bytes more", offset,
                                header.payload_bytes - (left - sizeof header)));
    }
    read_at(path_, fd_, payload.data(), header.payload_bytes, offset + sizeof header);
    if (trace::chunk_crc(header, payload.data()) != header.crc) {
      refuse(path_, fmt::format("corrupt trace: wrong checksum of the chunk at byte {}", offset));
    }

    const auto [entry, fresh] = known.try_emplace({header.pid, header.image}, processes_.size());
    if (fresh) {
      processes_.emplace_back();
      processes_.back().pid = header.pid;
      processes_.back().parent_pid = header.parent_pid;
    }
    TraceProcess& process = processes_[entry->second];
    if (header.sequence != process.chunks.size()) {
      refuse(path_, fmt::format("corrupt trace: chunk {} of process {} is missing before byte {}",
                                process.chunks.size(), header.pid, offset));
    }
    check_events(path_, offset, header, payload.data(), process);
    process.chunks.push_back(offset);
    process.payload_bytes += header.payload_bytes;
    offset += sizeof header + header.payload_bytes;
  }
}

size_t TraceFile::read_chunk(size_t process, size_t chunk, uint8_t* payload) const {
  const uint64_t offset = processes_[process].chunks[chunk];
  ChunkHeader header{};
  read_at(path_, fd_, &header, sizeof header, offset);
  if (header.payload_bytes > trace::kMaxPayload) refuse(path_, "changed while it was read");
  read_at(path_, fd_, payload, header.payload_bytes, offset + sizeof header);
  return header.payload_bytes;
}

}  // namespace assay
