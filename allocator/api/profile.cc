// The heap profile as text, in the form of gperftools: a sum, a line for each sample, and where the program's code
// lies. pprof and jeprof scale samples up by the interval, which they take for the mean distance in bytes.
#include <cerrno>
#include <cstring>

#include "allocator/heap/profile.h"

#include "allocator/include/ximalloc.h"
#include "allocator/os/file.h"
#include "allocator/support/line.h"
#include "allocator/support/options.h"
#include "allocator/support/output.h"

namespace {

// Where the text goes.
struct Sink {
  xi_output_fun* out;
  void* argument;
  void tell(const char* text) const { out != nullptr ? out(text, argument) : xi::put(text); }
};

void tell_counts(const Sink& sink, const char* before, uint64_t blocks, uint64_t bytes, const char* after) {
  xi::Line line(before);
  for (const bool allocated : {false, true}) {
    line.text(allocated ? " [" : "").number(blocks, 10).text(": ").number(bytes, 10);
  }
  sink.tell(line.text("] @").text(after).c_str());
}

void pass_on(const char* text, void* sink) {
  static_cast<const Sink*>(sink)->tell(text);
}

void tell_profile(Sink sink) {
  xi::ProfileSample sample;
  uint64_t blocks = 0, bytes = 0;
  for (size_t at = 0; xi::next_sample(&at, &sample); ++blocks) bytes += sample.bytes;
  tell_counts(sink, "heap profile: ", blocks, bytes, " heap_v2/");
  const int64_t interval = xi::options.profile_interval;
  sink.tell(xi::Line("").signed_number(interval > 0 ? interval : 1).text("\n").c_str());
  for (size_t at = 0; xi::next_sample(&at, &sample);) {
    tell_counts(sink, "", 1, sample.bytes, "");
    for (size_t i = 0; i < sample.depth; ++i) sink.tell(xi::Line(" ").address(sample.frames[i]).c_str());
    sink.tell("\n");
  }
  sink.tell("\nMAPPED_LIBRARIES:\n");
  xi::os::read_parts("/proc/self/maps", &pass_on, &sink);
}

struct File {
  int descriptor;
  int error = 0;
};

void write_part(const char* text, void* file) {
  auto* const to = static_cast<File*>(file);
  if (to->error == 0) to->error = xi::os::write_file(to->descriptor, text, strlen(text));
}

[[gnu::destructor]] void dump_at_exit() {
  if (xi::options.profile_at_exit == 0) return;
  xi::Line name("ximalloc.");
  const char* const path = name.number(xi::os::process_id(), 10).text(".heap").c_str();
  if (const int error = xi_profile_dump(path)) {
    xi::Line().text("the heap profile could not be written to ").text(path).text(", error ").number(error, 10).say();
  }
}

}  // namespace

void xi_profile_print_out(xi_output_fun* out, void* argument) noexcept {
  tell_profile({out, argument});
}

int xi_profile_dump(const char* path) noexcept {
  if (path == nullptr) return EINVAL;
  const int descriptor = xi::os::create_file(path);
  if (descriptor < 0) return -descriptor;
  File file{descriptor};
  tell_profile({&write_part, &file});
  const int error = xi::os::close_file(descriptor);
  return file.error != 0 ? file.error : error;
}
