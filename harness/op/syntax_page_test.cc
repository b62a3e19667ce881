// docs/program_syntax.md says what ops.def says, and its example is a program.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "harness/op/program.h"
#include "harness/op/text.h"

namespace assay {
namespace {

std::string page() {
  std::ifstream file(ASSAY_SOURCE_DIR "/docs/program_syntax.md");
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t start = text.find(before);
  if (start == std::string::npos) return "no " + before;
  const size_t end = text.find(after, start + before.size());
  return text.substr(start + before.size(), end - start - before.size());
}

std::string_view result_name(const OpInfo& row) {
  if (row.args[0] == ArgKind::kNewHeap) return "makes a heap";
  if (row.args[0] == ArgKind::kNewArena) return "makes an arena";
  switch (row.result) {
    case ResultKind::kNone: return "";
    case ResultKind::kFills: return "fills";
    case ResultKind::kMoves: return "moves";
    case ResultKind::kEmpties: return "empties";
  }
  return "";
}

std::string_view capability_name(Capability capability) {
  switch (capability) {
    case Capability::kAlways: return "";
    case Capability::kUsableSize: return "a usable size function";
    case Capability::kCollect: return "a collect function";
    case Capability::kVirtualClock: return "a virtual clock";
    case Capability::kFunction: return "the function";
    case Capability::kHeapFunction: return "the function, in a program about heaps";
  }
  return "";
}

std::string_view precondition_name(Precondition precondition) {
  switch (precondition) {
    case Precondition::kNone: return "";
    case Precondition::kNotMainThread: return "not on t0";
    case Precondition::kLastLine: return "the last line";
    case Precondition::kSmall: return "at most 1,024 bytes";
  }
  return "";
}

std::string operation_table() {
  std::string table = "| operation | slot | what it is | needs | opcode | weight |\n|---|---|---|---|---|---|\n";
  for (const OpInfo& row : all_ops()) {
    std::string needs(capability_name(row.capability));
    const std::string_view condition = precondition_name(row.precondition);
    if (!condition.empty()) needs += fmt::format("{}{}", needs.empty() ? "" : ", ", condition);
    table += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", row.name, result_name(row), row.doc, needs,
                         static_cast<unsigned>(row.code), row.weight);
  }
  return table;
}

TEST(SyntaxPage, HoldsTheTableOfOperations) {
  EXPECT_EQ(between(page(), "<!-- operations -->\n", "<!-- end -->"), operation_table())
      << "Put this between the two marks:\n"
      << operation_table();
}

TEST(SyntaxPage, ItsExampleIsAProgram) {
  const std::string example = between(page(), "```\n", "```");
  try {
    EXPECT_EQ(parse_text(example, "docs/program_syntax.md").lines.size(), 7u);
  } catch (const InputError& error) {
    FAIL() << error.message;
  }
}

}  // namespace
}  // namespace assay
