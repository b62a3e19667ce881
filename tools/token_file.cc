#include "tools/token_file.h"

#include <filesystem>
#include <fstream>

#include "harness/op/program.h"

namespace assay {

std::set<std::string> read_tokens(const std::string& path) {
  std::set<std::string> tokens;
  if (path.empty()) return tokens;
  std::ifstream in(path);
  if (!std::filesystem::is_regular_file(path) || !in) throw InputError{path + ": not a file that can be read"};
  std::string line;
  while (std::getline(in, line)) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) tokens.insert(line);
  }
  return tokens;
}

}  // namespace assay
