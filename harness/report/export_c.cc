#include "harness/report/export_c.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "harness/report/export_c/calls.h"
#include "harness/report/export_c/functions_runtime.h"
#include "harness/report/export_c/looked_up.h"
#include "harness/report/export_c/runtime.h"
#include "harness/report/export_c/turns.h"

namespace assay {
namespace {

// C that calls may answer either way: an allocator that we test may promise more, one that the file is run on need not.
bool is_left_open(const Operation& line) {
  if (line.code == OpCode::kRealloc) return line.slot && line.args[1].low == 0;
  if (line.code != OpCode::kAlignedAlloc) return false;
  const uint64_t alignment = line.args[0].low;
  return !std::has_single_bit(alignment) || line.args[1].low % alignment != 0;
}

void refuse_what_callers_cannot_see(const Program& program, const ExportContext& context) {
  const std::string_view oracle = name(context.oracle);
  switch (context.oracle) {
    case Oracle::kFootprint:
    case Oracle::kStructure: throw InputError{fmt::format("'{}' cannot be seen through the plain malloc API", oracle)};
    case Oracle::kOutside:
      if (!context.has_own_seam) return;
      throw InputError{"'outside' was seen at the allocator's system calls, not through the plain malloc API"};
    case Oracle::kNullErrno:
      if (!program.lines.empty() && is_looked_up(program.lines.back().code)) {
        throw InputError{fmt::format("no standard says what {} answers here, so that no plain C file can tell",
                                     info(program.lines.back().code).name)};
      }
      if (program.lines.empty() || !is_left_open(program.lines.back())) return;
      throw InputError{fmt::format("the C standard leaves open what {} answers here, so that no plain C file can tell",
                                   info(program.lines.back().code).name)};
    case Oracle::kZeroing:
      if (program.lines.empty() || info(program.lines.back().code).result != ResultKind::kMoves) return;
      throw InputError{fmt::format("what {} grows by is written before, so that no plain C file can tell",
                                   info(program.lines.back().code).name)};
    default: return;
  }
}

class Exporter {
 public:
  Exporter(const Program& program, const ExportContext& context)
      : program_(program), context_(context), turns_(turns_of(program)) {
    for (const Turn& turn : turns_) bodies_ = std::max(bodies_, turn.body + 1);
    for (const Operation& line : program.lines) survey(line);
  }

  std::string run() {
    add_comment();
    add_runtime();
    for (size_t body = 1; body < bodies_; body++) add_thread(body);
    add_main();
    return std::move(text_);
  }

 private:
  void survey(const Operation& line) {
    used_.insert(line.code);
    for (const auto* range : {&line.result, &line.slot}) {
      if (!range->has_value()) continue;
      slots_ = std::max<uint64_t>(slots_, (*range)->last + uint64_t{1});
      halves_ = halves_ || (*range)->half_seed;
    }
    if (!stands_in_loop(line)) return;
    for (const Value& value : line.args) draws_ = draws_ || !value.single();
  }

  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  void add_comment() {
    std::string body = context_.explanation;
    // What would end the comment, or look as if another began in it.
    for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"*/", "* /"}, {"/*", "/ *"}}) {
      for (size_t at = 0; (at = body.find(from, at)) != std::string::npos;) body.replace(at, from.size(), to);
    }
    // A backslash at a line's end would join it with the next one.
    std::ranges::replace(body, '\\', '/');
    while (!body.empty() && body.back() == '\n') body.pop_back();
    text_ += "/*\n";
    for (size_t at = 0; at <= body.size();) {
      const size_t end = std::min(body.find('\n', at), body.size());
      const std::string line = body.substr(at, end - at);
      add(" *{}{}\n", line.empty() ? "" : " ", line);
      at = end + 1;
    }
    std::string program = context_.file_name.substr(0, context_.file_name.rfind(".c"));
    if (program.find('/') == std::string::npos) program = "./" + program;
    add(" *\n * Compile:  cc -pthread {} -o {}\n", context_.file_name, program);
    add(" * Run:      {}{}\n", context_.preload.empty() ? "" : "LD_PRELOAD=" + context_.preload + " ", program);
    text_ +=
        " * Exit status 0: every promise was kept. 1: one was broken, and stderr says which, at which operation.\n";
    text_ += " * Written by assay (export-c).\n */\n";
  }

  bool uses(OpCode code) const { return used_.contains(code); }
  bool need(Piece piece) const {
    return std::ranges::any_of(used_, [piece](OpCode code) { return needs(code, piece); });
  }

  // What begins with a prefix is found as the program starts; the linker knows nothing of it.
  void add_names() {
    add("\n#define PREFIX \"{}\"{}\n", context_.prefix,
        context_.prefix.empty() ? "" : "    /* of the functions' names */");
    text_ += context_.prefix.empty() ? "#define OURS(name) name\n" : "#define OURS(name) NULL\n";
  }

  void add_finding() {
    if (context_.prefix.empty()) return;
    text_ += c_runtime::kFound;
    text_ += "static void find_functions(void) {\n    the_free = (__typeof__(&free))found(\"free\");\n";
    for (const OpCode code :
         {OpCode::kMalloc, OpCode::kCalloc, OpCode::kRealloc, OpCode::kAlignedAlloc, OpCode::kPosixMemalign}) {
      if (!uses(code) && !(code == OpCode::kMalloc && uses(OpCode::kFork))) continue;
      add("    the_{0} = (__typeof__(&{0}))found(\"{0}\");\n", info(code).name);
    }
    text_ += "}\n\n";
  }

  void add_runtime() {
    text_ += c_runtime::kIncludes;
    if (bodies_ > 1 || uses(OpCode::kFork)) text_ += c_runtime::kThreadIncludes;
    if (uses(OpCode::kFork) || context_.oracle == Oracle::kExit) text_ += c_runtime::kWaitInclude;
    if (context_.oracle == Oracle::kExit) text_ += c_runtime::kSharedInclude;
    // Not every allocator that is fine otherwise has each error right.
    const int check_errors = context_.oracle == Oracle::kNullErrno ? 1 : 0;
    if (uses(OpCode::kFork)) {
      // What a forked child allocates stands behind the program's own blocks.
      constexpr uint64_t kChildSlots = 128;
      add("\nenum {{ SLOTS = {0} + {1}, CHILD_SLOTS = {1}, NONE = -1, CHECK_ERRORS = {2} }};\n", slots_, kChildSlots,
          check_errors);
    } else {
      add("\nenum {{ SLOTS = {}, NONE = -1, CHECK_ERRORS = {} }};\n", std::max<uint64_t>(slots_, 1), check_errors);
    }
    add_names();
    text_ += c_runtime::kFailing;
    text_ += c_runtime::kBlocks;
    const bool allocates = uses(OpCode::kFork) || std::ranges::any_of(program_.lines, [](const Operation& line) {
                             return line.result.has_value();
                           });
    if (allocates) text_ += c_runtime::kTake;
    if (draws_ || halves_) text_ += c_runtime::kRandom;
    if (draws_) text_ += c_runtime::kDrawn;
    if (halves_) text_ += c_runtime::kHalf;
    if (uses(OpCode::kMalloc) || uses(OpCode::kFork)) text_ += c_runtime::kTheMalloc;
    if (uses(OpCode::kMalloc)) text_ += c_runtime::kMalloc;
    if (uses(OpCode::kCalloc)) text_ += c_runtime::kCalloc;
    if (uses(OpCode::kRealloc)) text_ += c_runtime::kRealloc;
    if (uses(OpCode::kAlignedAlloc)) text_ += c_runtime::kAlignedAlloc;
    if (uses(OpCode::kPosixMemalign)) text_ += c_runtime::kPosixMemalign;
    text_ += c_runtime::kFree;
    const std::pair<Piece, std::string_view> pieces[] = {
        {Piece::kAsked, c_runtime::kAsked},       {Piece::kUsableOf, c_runtime::kUsableOf},
        {Piece::kTold, c_runtime::kTold},         {Piece::kSource, c_runtime::kSource},
        {Piece::kFilled, c_runtime::kFilled},     {Piece::kAddressOf, c_runtime::kAddressOf},
        {Piece::kMoved, c_runtime::kMoved},       {Piece::kRelease, c_runtime::kRelease},
        {Piece::kExpanded, c_runtime::kExpanded}, {Piece::kOurs, c_runtime::kOurs}};
    for (const auto& [piece, text] : pieces) {
      if (need(piece)) text_ += text;
    }
    if (std::ranges::any_of(used_, is_looked_up)) text_ += c_runtime::kFunction;
    if (uses(OpCode::kUsableSize)) text_ += c_runtime::kUsableSize;
    if (uses(OpCode::kCheck)) text_ += c_runtime::kCheck;
    if (uses(OpCode::kCollect)) text_ += context_.prefix.empty() ? c_runtime::kCollect : c_runtime::kCollectByName;
    if (uses(OpCode::kAdvanceClock)) text_ += c_runtime::kAdvanceClock;
    if (uses(OpCode::kFork)) text_ += c_runtime::kFork;
    if (context_.oracle == Oracle::kExit) text_ += c_runtime::kExitGuard;
    add_finding();
    if (bodies_ == 1) return;
    text_ += c_runtime::kThreads;
    add("static sem_t turn[{}], leave[{}];\nstatic pthread_t thread[{}];\n", turns_.size(), bodies_, bodies_);
    for (size_t body = 1; body < bodies_; body++) add("static void *thread_{}(void *unused);\n", body);
    text_ += "\n";
  }

  void add_turn(size_t index) {
    const Turn& turn = turns_[index];
    if (index > 0) add("    await(&turn[{}]);\n", index);
    if (index > 0 && turns_[index - 1].ends_body) join(turns_[index - 1].body);
    for (size_t i = turn.begin; i < turn.end; i++) {
      const std::string call = c_call(program_.lines[i]);
      if (!call.empty()) add("    operation({});\n{}", i, call);
    }
    if (index + 1 == turns_.size()) return;
    if (turns_[index + 1].starts_body) {
      add("    if (pthread_create(&thread[{0}], NULL, thread_{0}, NULL) != 0) fail(\"pthread_create\");\n",
          turns_[index + 1].body);
    }
    add("    sem_post(&turn[{}]);\n", index + 1);
  }

  // Waits for the end of the thread, its TLS destructors included.
  void join(size_t body) { add("    pthread_join(thread[{}], NULL);\n", body); }

  bool exits(size_t body) const {
    return std::ranges::any_of(turns_, [body](const Turn& turn) { return turn.body == body && turn.ends_body; });
  }

  void add_thread(size_t body) {
    add("static void *thread_{}(void *unused) {{\n", body);
    for (size_t i = 0; i < turns_.size(); i++) {
      if (turns_[i].body == body) add_turn(i);
    }
    // A thread that never says thread_exit() lives until the program's end.
    if (!exits(body)) add("    await(&leave[{}]);\n", body);
    text_ += "    return unused;\n}\n\n";
  }

  // One after the other, in the order of their numbers, before main frees the rest.
  void end_threads() {
    std::map<uint32_t, size_t> remaining;
    for (const Turn& turn : turns_) {
      if (turn.body != 0 && !exits(turn.body)) remaining[turn.thread] = turn.body;
    }
    for (const auto& [thread, body] : remaining) {
      add("    sem_post(&leave[{}]);\n", body);
      join(body);
    }
  }

  void add_main() {
    text_ += "int main(void) {\n";
    if (!context_.prefix.empty()) text_ += "    find_functions();\n";
    if (context_.oracle == Oracle::kExit) text_ += "    guard_against_exit();\n";
    text_ += "    watch();\n";
    if (bodies_ > 1) {
      add("    for (int i = 0; i < {}; i++) sem_init(&turn[i], 0, 0);\n", turns_.size());
      add("    for (int i = 0; i < {}; i++) sem_init(&leave[i], 0, 0);\n", bodies_);
    }
    for (size_t i = 0; i < turns_.size(); i++) {
      if (turns_[i].body == 0) add_turn(i);
    }
    end_threads();
    add("    operation({}); /* the end: what is still allocated is checked and freed */\n", program_.lines.size());
    text_ += "    check_all();\n    for (int i = 0; i < SLOTS; i++) do_free(i);\n    finished();\n";
    if (context_.oracle == Oracle::kExit) text_ += "    *whole = 1;\n";
    text_ += "    return 0;\n}\n";
  }

  const Program& program_;
  const ExportContext& context_;
  const std::vector<Turn> turns_;
  std::string text_;
  size_t bodies_ = 1;
  std::set<OpCode> used_;
  uint64_t slots_ = 0;
  bool draws_ = false, halves_ = false;
};

}  // namespace

std::string export_c(const Program& program, const ExportContext& context) {
  refuse_what_callers_cannot_see(program, context);
  return Exporter(program, context).run();
}

}  // namespace assay
