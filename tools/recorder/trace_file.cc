#include "tools/recorder/trace_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace assay::recorder {
namespace {
// High enough that a program which counts on low numbers does not see it, low enough that the kernel's table stays
// small.
constexpr int kHighDescriptor = 960;

int move_high(int fd) {
  rlimit limit{};
  int lowest = kHighDescriptor;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < kHighDescriptor + 32) {
    lowest = limit.rlim_cur > 16 ? static_cast<int>(limit.rlim_cur) - 8 : 0;
  }
  const auto high = static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest));
  if (high < 0) return fd;
  syscall(SYS_close, fd);
  return high;
}

// While it lives, a write beyond RLIMIT_FSIZE is an error and not the end of the recorded program.
class NoFileSizeSignal {
 public:
  NoFileSizeSignal() {
    sigemptyset(&file_size_);
    sigaddset(&file_size_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &file_size_, &before_);
  }
  ~NoFileSizeSignal() {
    if (raised_ && sigismember(&before_, SIGXFSZ) == 0) {
      const timespec at_once{0, 0};
      sigtimedwait(&file_size_, nullptr, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoFileSizeSignal(const NoFileSizeSignal&) = delete;
  NoFileSizeSignal& operator=(const NoFileSizeSignal&) = delete;
  void raised() { raised_ = true; }

 private:
  sigset_t file_size_, before_;
  bool raised_ = false;
};
}  // namespace

bool TraceAppender::open(const char* path) {
  path_ = path;
  return reopen();
}

bool TraceAppender::reopen() {
  // The raw calls, here and below: the wrappers of libc are cancellation points, and a thread that is cancelled inside
  // malloc would keep our lock for ever.
  const auto fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path_, O_WRONLY | O_APPEND | O_CLOEXEC));
  if (fd < 0) return false;
  fd_ = move_high(fd);
  struct stat status{};
  if (fstat(fd_, &status) != 0 || (inode_ != 0 && (status.st_dev != device_ || status.st_ino != inode_))) {
    syscall(SYS_close, fd_);
    fd_ = -1;
    return false;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return true;
}

bool TraceAppender::is_ours() const {
  struct stat status{};
  return fd_ >= 0 && fstat(fd_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

bool TraceAppender::append(const trace::ChunkHeader* chunk) {
  const int saved = errno;
  bool written = false;
  if (is_ours() || reopen()) {
    const size_t size = sizeof *chunk + chunk->payload_bytes;
    NoFileSizeSignal guard;
    long done = 0;
    do {
      done = syscall(SYS_write, fd_, chunk, size);
    } while (done < 0 && errno == EINTR);
    written = done == static_cast<long>(size);
    if (done < 0 && errno == EFBIG) guard.raised();
  }
  errno = saved;
  return written;
}

}  // namespace assay::recorder
