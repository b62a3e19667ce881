#include "harness/op/round_trip.h"

#include <fmt/format.h>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

constexpr std::string_view kFileName = "round_trip.ops";

// "file:line:column: message", on one line.
bool names_a_place(std::string_view message) {
  if (!message.starts_with(kFileName) || message.find('\n') != std::string_view::npos) return false;
  message.remove_prefix(kFileName.size());
  if (!message.starts_with(":")) return false;
  message.remove_prefix(1);
  for (int numbers = 0; numbers < 2; numbers++) {
    const size_t digits = message.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || message[digits] != ':') return false;
    message.remove_prefix(digits + 1);
  }
  return message.starts_with(" ") && message.size() > 2;
}

}  // namespace

std::optional<std::string> round_trip_fault(const Program& program) {
  if (const auto fault = validate(program)) return fmt::format("not well-formed: {}", *fault);
  const std::string text = print_text(program);
  try {
    const std::vector<uint8_t> bytes = encode(program);
    const Program decoded = decode(bytes);
    if (decoded != program) return fmt::format("through bytes\n{}became\n{}", text, print_text(decoded));
    const Program parsed = parse_text(text, kFileName);
    if (parsed != program) return fmt::format("through text\n{}became\n{}", text, print_text(parsed));
    if (encode(parsed) != bytes) return fmt::format("two encodings of\n{}", text);
  } catch (const InputError& error) {
    // More than kMaxBytes is the one thing that a well-formed program may be refused for.
    if (error.message.ends_with("bytes")) return std::nullopt;
    return fmt::format("{}, in\n{}", error.message, text);
  }
  return std::nullopt;
}

std::optional<std::string> text_fault(std::string_view text) {
  Program program;
  try {
    program = parse_text(text, kFileName);
  } catch (const InputError& error) {
    return names_a_place(error.message) ? std::nullopt : std::optional(fmt::format("refused with: {}", error.message));
  }
  if (const auto fault = validate(program, kTextCaps))
    return fmt::format("parsed to what is not well-formed: {}", *fault);
  const std::string canonical = print_text(program);
  try {
    const Program again = parse_text(canonical, kFileName);
    if (again != program) return fmt::format("canonical text means another program:\n{}", canonical);
    if (print_text(again) != canonical) return fmt::format("canonical text is not its own:\n{}", canonical);
  } catch (const InputError& error) {
    return fmt::format("canonical text is refused: {}", error.message);
  }
  return std::nullopt;
}

}  // namespace assay
