#include "harness/op/form.h"

#include <fmt/format.h>

#include "harness/op/program.h"

namespace assay {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits of N when `line` begins with `word`, blanks, N, and N is not part of a longer word; else empty.
std::string_view version_after(std::string_view line, std::string_view word) {
  if (!line.starts_with(word)) return {};
  line.remove_prefix(word.size());
  if (line.empty() || !is_blank(line.front())) return {};
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  size_t digits = 0;
  while (digits < line.size() && is_digit(line[digits])) digits++;
  if (digits < line.size() && !is_blank(line[digits]) && line[digits] != '\r') return {};
  return line.substr(0, digits);
}

bool is_version(std::string_view digits, uint64_t known) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits == fmt::format("{}", known);
}

}  // namespace

Form form_of(std::string_view first_bytes) {
  const std::string_view line = first_bytes.substr(0, first_bytes.find('\n'));
  const std::string_view text = version_after(line, "assay");
  if (!text.empty()) {
    if (is_version(text, kTextVersion)) return Form::kText;
    throw InputError{fmt::format("version {} of the text form is not known, only version {}", text, kTextVersion)};
  }
  const std::string_view trace = version_after(line, "assay-trace");
  if (!trace.empty()) {
    if (is_version(trace, kTraceVersion)) return Form::kTrace;
    throw InputError{fmt::format("version {} of the trace form is not known, only version {}", trace, kTraceVersion)};
  }
  return Form::kBytes;
}

}  // namespace assay
