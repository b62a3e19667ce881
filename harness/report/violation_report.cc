#include "harness/report/violation_report.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "harness/exec/step_text.h"
#include "harness/op/text.h"

namespace assay {
namespace {

constexpr uint64_t kShortProgram = 40;  // lines; shown whole
constexpr uint64_t kAround = 8;         // lines shown on each side of the operation
constexpr uint64_t kAroundVictim = 1;

std::string_view operation_name(const Violation& violation) {
  constexpr uint8_t kEnd = 255;
  if (violation.op_code == kEnd) return "end";
  for (const OpInfo& row : all_ops()) {
    if (static_cast<uint8_t>(row.code) == violation.op_code) return row.name;
  }
  return "unknown";
}

// "xi::Page::extend" of its mangled name: no arguments, no template arguments, no return type, no white space.
std::string readable_frame(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                         std::free);
  std::string full = status == 0 ? demangled.get() : symbol;
  std::string name;
  int depth = 0;
  // "(anonymous namespace)" is no argument list.
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  for (size_t at; (at = full.find(kAnonymous)) != std::string::npos;) full.erase(at, kAnonymous.size());
  for (const char c : full) {
    if (c == '(' && depth == 0) break;
    if (c == '<') ++depth;
    if (depth == 0) name += c == ' ' ? '_' : c;
    if (c == '>' && depth > 0) --depth;
  }
  const size_t return_type = name.rfind('_');
  const bool template_return = full.find('<') != std::string::npos && status == 0 && full.find(' ') < full.find('(');
  return template_return && return_type != std::string::npos && full.find(' ') == return_type
             ? name.substr(return_type + 1)
             : name;
}

// The lines of a program that a report shows, by number.
class Listing {
 public:
  explicit Listing(const Violation& violation) : violation_(violation) {}

  bool wants(uint64_t line) const {
    return near(line, violation_.line, kAround) || near(line, violation_.victim_allocated_line, kAroundVictim) ||
           near(line, violation_.victim_freed_line, kAroundVictim);
  }
  void add(uint64_t line, std::string text) { lines_.emplace(line, std::move(text)); }

  std::string text(uint64_t line_count) const {
    std::string out;
    uint64_t next = 0;
    for (const auto& [line, text] : lines_) {
      if (line != next) out += "        ...\n";
      out += fmt::format("{} {:>4}  {}\n", line == violation_.line ? "-->" : "   ", line, text);
      next = line + 1;
    }
    if (next < line_count) out += "        ...\n";
    if (violation_.line == kNoOperation) out += "-->       end()\n";
    return out;
  }

 private:
  static bool near(uint64_t line, uint64_t centre, uint64_t distance) {
    return centre != kNoOperation && line + distance >= centre && line <= centre + distance;
  }

  const Violation& violation_;
  std::map<uint64_t, std::string> lines_;
};

std::string place(uint64_t line, uint64_t member) {
  return member == 0 ? fmt::format("op {}", line) : fmt::format("op {}[{}]", line, member);
}

std::string victim_text(const Violation& violation) {
  if (violation.victim_slot == kNoOperation) return "";
  std::string out = fmt::format("victim:   p{} at {:#x}, {} bytes requested, {} usable", violation.victim_slot,
                                violation.victim_address, violation.victim_requested, violation.victim_usable);
  if (violation.victim_allocated_line != kNoOperation) {
    out += ", allocated by " + place(violation.victim_allocated_line, violation.victim_allocated_member);
  }
  if (violation.victim_freed_line != kNoOperation) {
    out += ", freed by " + place(violation.victim_freed_line, violation.victim_freed_member);
  }
  return out + "\n";
}

std::string assemble(const Violation& violation, const std::string& listing, const ReportContext& context) {
  std::string out = fmt::format("VIOLATION {}: {}\n\n{}\n", name(violation.oracle),
                                static_cast<const char*>(violation.sentence), listing);
  out += fmt::format("at:       {}\n", violation.line == kNoOperation ? "the end of the program"
                                                                      : place(violation.line, violation.member));
  out += fmt::format("expected: {}\n", static_cast<const char*>(violation.expected));
  out += fmt::format("seen:     {}\n", static_cast<const char*>(violation.seen));
  out += victim_text(violation);
  if (violation.frame[0] != '\0') out += fmt::format("in:       {}\n", readable_frame(violation.frame));
  const std::string version = context.subject_version.empty() ? "" : " " + context.subject_version;
  out += fmt::format("subject:  {}{}, flavour {}, mode {}, seed {}\n", context.subject, version, context.flavour,
                     context.mode, context.seed);
  out += fmt::format("replay:   {}\n", context.replay_command);
  out += fmt::format("DEDUP_TOKEN: {}", dedup_token(violation));
  return out;
}

}  // namespace

std::string violation_text(const Program& program, const Violation& violation, const ReportContext& context) {
  Listing listing(violation);
  for (uint64_t line = 0; line < program.lines.size(); ++line) {
    if (program.lines.size() <= kShortProgram || listing.wants(line))
      listing.add(line, print_line(program.lines[line]));
  }
  return assemble(violation, listing.text(program.lines.size()), context);
}

std::string violation_text(StepSource& steps, const Violation& violation, const ReportContext& context) {
  Listing listing(violation);
  Step step;
  uint64_t count = 0;
  while (steps.next(step)) {
    count = step.line + 1;
    if (violation.line != kNoOperation && step.line > violation.line + kAround) break;
    if (!listing.wants(step.line)) continue;
    char text[256];
    format_step(step, text, sizeof text);
    // The number stands in the margin already.
    const std::string_view whole(text);
    listing.add(step.line, std::string(whole.substr(whole.find(": ") + 2)));
  }
  return assemble(violation, listing.text(count), context);
}

std::string dedup_token(const Violation& violation) {
  // Where a loop is when the watchdog looks is chance.
  const bool settled = violation.frame[0] != '\0' && violation.oracle != Oracle::kHang;
  const std::string frame = settled ? readable_frame(violation.frame) : "-";
  return fmt::format("{}-{}-{}", name(violation.oracle), operation_name(violation), frame);
}

}  // namespace assay
