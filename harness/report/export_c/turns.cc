#include "harness/report/export_c/turns.h"

#include <map>

namespace assay {

std::vector<Turn> turns_of(const Program& program) {
  std::vector<Turn> turns = {Turn{}};
  std::map<uint32_t, size_t> running = {{0, 0}};
  size_t bodies = 1;
  for (size_t i = 0; i < program.lines.size(); i++) {
    const Operation& line = program.lines[i];
    if (turns.back().thread != line.thread || turns.back().ends_body) {
      const auto [body, fresh] = running.try_emplace(line.thread, bodies);
      if (fresh) bodies++;
      turns.push_back({.thread = line.thread, .body = body->second, .begin = i, .end = i, .starts_body = fresh});
    }
    turns.back().end = i + 1;
    if (line.code == OpCode::kThreadExit && line.thread != 0) {
      turns.back().ends_body = true;
      running.erase(line.thread);
    }
  }
  const size_t count = program.lines.size();
  if (turns.back().thread != 0) turns.push_back({.begin = count, .end = count});
  return turns;
}

}  // namespace assay
