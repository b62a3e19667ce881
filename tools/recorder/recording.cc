#include "tools/recorder/recording.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>

#include "tools/recorder/lock.h"
#include "tools/recorder/trace_file.h"

namespace assay::recorder {
namespace {

// The first chunks are small, so that a process that is killed early leaves something.
constexpr uint32_t kFirstChunk = 2 * trace::kMaxEventBytes;

// All zero bytes is its state before the first event. It lies in a mapping that the kernel wipes in the child of any
// fork, _Fork or clone that copies memory, so that a child starts a recording of its own, with the lock free, and does
// not write its parent's events again; a child by vfork shares it, and what it allocates is its parent's.
struct ProcessState {
  Lock lock;
  bool started;
  bool off;  // a chunk could not be written: its successors would make no sense
  uint32_t next_serial;
  uint32_t chunk_limit;
  trace::EventWriter events;
  struct {
    trace::ChunkHeader header;
    uint8_t payload[trace::kMaxPayload];
  } chunk;
};

struct ThreadState {
  uint64_t image;  // serial counts only for this image: a forked child numbers its threads anew
  uint32_t serial;
  bool busy;
};

enum class Setup : uint8_t { kNotYet, kUnderWay, kOn, kOff };

std::atomic<Setup> g_setup{Setup::kNotYet};
ProcessState* g_state = nullptr;
TraceAppender g_file;
pthread_key_t g_thread_key;
bool g_key_made = false;
bool g_write_through = false;
uint32_t g_setup_pid = 0;

// In the static block that the loader makes for each thread: no call, no allocation, valid before main.
__attribute__((tls_model("initial-exec"))) thread_local ThreadState t_thread;

uint32_t current_pid() {
  return static_cast<uint32_t>(syscall(SYS_getpid));
}

void write_chunk() {
  ProcessState& state = *g_state;
  if (state.off || state.events.size() == 0) return;
  trace::ChunkHeader& header = state.chunk.header;
  header.payload_bytes = static_cast<uint32_t>(state.events.size());
  header.crc = trace::chunk_crc(header, state.chunk.payload);
  if (!g_file.append(&header)) state.off = true;
  ++header.sequence;
  state.events.restart();
  if (state.chunk_limit < trace::kMaxPayload) state.chunk_limit *= 2;
}

void start_image() {
  ProcessState& state = *g_state;
  state.started = true;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  trace::ChunkHeader& header = state.chunk.header;
  header.magic = trace::kChunkMagic;
  header.pid = current_pid();
  header.parent_pid = static_cast<uint32_t>(syscall(SYS_getppid));
  header.image = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
  header.sequence = 0;
  state.chunk_limit = kFirstChunk;
  state.events.begin(state.chunk.payload);
  const char* name = program_invocation_short_name;
  state.events.start(header.pid != g_setup_pid, name != nullptr ? name : "");
}

// Runs when a thread ends, among the destructors of its other keys, which may free: it asks to be run again until the
// last round. What the thread's very last frees do after that belongs to no thread any more, and is booked on the
// first.
void thread_ends(void* round) {
  const auto count = reinterpret_cast<uintptr_t>(round);
  t_thread.busy = true;
  if (count < PTHREAD_DESTRUCTOR_ITERATIONS) {
    pthread_setspecific(g_thread_key, reinterpret_cast<void*>(count + 1));
  } else {
    Locked locked(g_state->lock);
    if (g_state->started && t_thread.image == g_state->chunk.header.image && t_thread.serial != 0) {
      g_state->events.thread(t_thread.serial);
      g_state->events.plain(trace::Event::kThreadExit);
      t_thread.serial = 0;
      if (g_write_through || g_state->events.size() + trace::kMaxEventBytes > g_state->chunk_limit) write_chunk();
    }
  }
  t_thread.busy = false;
}

// Under the lock, before each event: the event's thread has a number of its own and there is room for it.
void prepare_event() {
  ProcessState& state = *g_state;
  if (!state.started) start_image();
  if (t_thread.image != state.chunk.header.image) {
    t_thread.image = state.chunk.header.image;
    t_thread.serial = state.next_serial++;
    if (g_key_made && t_thread.serial != 0) {
      const int saved = errno;
      pthread_setspecific(g_thread_key, reinterpret_cast<void*>(uintptr_t{1}));
      errno = saved;
    }
  }
  state.events.thread(t_thread.serial);
}

template <typename Write>
void record(Write write) {
  Locked locked(g_state->lock);
  if (g_state->off) return;
  prepare_event();
  write(g_state->events);
  if (g_write_through || g_state->events.size() + trace::kMaxEventBytes > g_state->chunk_limit) write_chunk();
}

void before_fork() {
  if (const Call call; call.recorded()) call.plain(trace::Event::kFork);
}

// The kernel has wiped the state, unless it is older than Linux 4.14.
void after_fork_in_child() {
  std::memset(g_state, 0, offsetof(ProcessState, chunk));
}

// False as long as it is too early: the loader allocates before libc knows the environment.
bool set_up() {
  if (environ == nullptr) return false;
  Setup expected = Setup::kNotYet;
  if (!g_setup.compare_exchange_strong(expected, Setup::kUnderWay)) return expected == Setup::kOn;
  const int saved = errno;
  Setup result = Setup::kOff;
  const char* path = getenv("ASSAY_RECORD_FILE");
  if (path != nullptr && g_file.open(path)) {
    void* memory = mmap(nullptr, sizeof(ProcessState), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
      madvise(memory, sizeof(ProcessState), MADV_WIPEONFORK);
      g_state = static_cast<ProcessState*>(memory);
      g_setup_pid = current_pid();
      g_key_made = pthread_key_create(&g_thread_key, thread_ends) == 0;
      pthread_atfork(before_fork, nullptr, after_fork_in_child);
      result = Setup::kOn;
    }
  }
  g_setup.store(result, std::memory_order_release);
  errno = saved;
  return result == Setup::kOn;
}

// The image stands in the trace even if it never allocates, or is killed before it has filled a chunk.
__attribute__((constructor)) void show_image() {
  const Call call;
  if (!call.recorded()) return;
  Locked locked(g_state->lock);
  if (g_state->started) return;
  start_image();
  write_chunk();
}

}  // namespace

Call::Call() : entered_(!t_thread.busy), recorded_(false) {
  if (!entered_) return;
  t_thread.busy = true;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const Setup setup = g_setup.load(std::memory_order_acquire);
  recorded_ = setup == Setup::kOn || (setup == Setup::kNotYet && set_up());
}

Call::~Call() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (entered_) t_thread.busy = false;
}

void Call::plain(trace::Event event) const {
  record([=](trace::EventWriter& events) { events.plain(event); });
}

void Call::block(trace::Event event, const void* block) const {
  record([=](trace::EventWriter& events) { events.address(event, reinterpret_cast<uint64_t>(block)); });
}

void Call::block(trace::Event event, uint64_t first, const void* block) const {
  record([=](trace::EventWriter& events) { events.address(event, first, reinterpret_cast<uint64_t>(block)); });
}

void Call::block(trace::Event event, uint64_t first, uint64_t second, const void* block) const {
  record([=](trace::EventWriter& events) { events.address(event, first, second, reinterpret_cast<uint64_t>(block)); });
}

void flush_recording() {
  const Call call;
  if (!call.recorded()) return;
  Locked locked(g_state->lock);
  if (g_state->started) write_chunk();
}

void end_recording() {
  g_write_through = true;
  flush_recording();
}

}  // namespace assay::recorder
