// encode_corpus OUT DIR…: every *.ops of the folders (those that exist) as a file in the byte form in OUT, and nothing
// else left there. Part of the build.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "harness/op/encode.h"
#include "harness/op/read_program.h"

namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, const std::vector<uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw assay::InputError{path.string() + ": cannot be written"};
}

void encode_folder(const fs::path& folder, const fs::path& out, std::set<fs::path>& written) {
  if (!fs::is_directory(folder)) return;
  // What stands above tells corpus/<target>, corpus/regress/<target> and fuzz/<target>/seeds apart.
  const std::string prefix = folder.parent_path().filename().string() + "-";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".ops") continue;
    const fs::path path = out / (prefix + entry.path().stem().string());
    write_file(path, assay::encode(assay::read_program(entry.path().string())));
    written.insert(path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    const fs::path out = argv[1];
    fs::create_directories(out);
    std::set<fs::path> written;
    for (int i = 2; i < argc; ++i) encode_folder(argv[i], out, written);
    for (const auto& entry : fs::directory_iterator(out)) {
      if (entry.is_regular_file() && written.count(entry.path()) == 0) fs::remove(entry.path());
    }
    return 0;
  } catch (const assay::InputError& error) {
    fmt::print(stderr, "encode_corpus: {}\n", error.message);
  } catch (const std::exception& error) {
    fmt::print(stderr, "encode_corpus: {}\n", error.what());
  }
  return 2;
}
