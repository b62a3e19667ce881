#include "harness/exec/step_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace assay {
namespace {

// Appends formatted text to a fixed buffer and drops what does not fit.
class LineWriter {
 public:
  LineWriter(char* out, size_t size) : out_(out), left_(size) {}

  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const auto written = fmt::format_to_n(out_, left_, format, std::forward<Arguments>(arguments)...);
    const size_t used = std::min(written.size, left_);
    out_ += used;
    left_ -= used;
  }
  char* end() const { return out_; }

 private:
  char* out_;
  size_t left_;
};

void add_argument(LineWriter& line, ArgKind kind, uint64_t number) {
  if (is_name(kind) && number == kNoName) {
    line.add("NULL");
  } else if (is_name(kind)) {
    line.add("{}{}", names_heap(kind) ? "h" : "a", number);
  } else if (kind == ArgKind::kOption) {
    line.add("{}", option_name(number));
  } else if (kind == ArgKind::kOptionValue) {
    line.add("{}", static_cast<int64_t>(number));
  } else {
    line.add("{}", number);
  }
}

}  // namespace

size_t format_step(const Step& step, char* out, size_t size) {
  if (size == 0) return 0;
  LineWriter line(out, size - 1);
  const OpInfo& row = info(step.code);
  line.add("op {}", step.line);
  if (step.member != 0) line.add("[{}]", step.member);
  line.add(": ");
  const size_t first = is_made(row.args[0]) ? 1 : 0;
  if (first != 0) add_argument(line, row.args[0], step.args[0]);
  if (first != 0) line.add(" = ");
  if (step.result_slot) line.add("p{} = ", *step.result_slot);
  line.add("{}(", row.name);
  for (size_t i = first; i < row.arg_count(); ++i) {
    if (i != first) line.add(", ");
    if (row.args[i] != ArgKind::kSlot) {
      add_argument(line, row.args[i], step.args[i]);
    } else if (step.slot) {
      line.add("p{}", *step.slot);
    } else {
      line.add("NULL");
    }
  }
  line.add(")");
  if (step.thread != 0) line.add(" @t{}", step.thread);
  *line.end() = '\0';
  return static_cast<size_t>(line.end() - out);
}

void print_step(const Step& step) {
  char text[256];
  size_t length = format_step(step, text, sizeof text - 1);
  text[length++] = '\n';
  (void)!write(STDERR_FILENO, text, length);
}

}  // namespace assay
