#include "tools/fuzz/corpus_folder.h"

#include <fstream>
#include <iterator>
#include <system_error>

namespace assay {

namespace fs = std::filesystem;

std::string program_bytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

uint64_t count_programs(const fs::path& folder) {
  const auto files = fs::directory_iterator(folder);
  return static_cast<uint64_t>(std::distance(fs::begin(files), fs::end(files)));
}

// A file that goes between two steps is no fault: another process removed it, or a merge did.
void remove_program(const fs::path& folder, std::string_view bytes) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code gone;
    if (entry.file_size(gone) == bytes.size() && !gone && program_bytes(entry.path()) == bytes) {
      fs::remove(entry.path(), gone);
    }
  }
}

}  // namespace assay
