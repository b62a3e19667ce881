// libFuzzer: the target is the engine; it ends with the first input that it does not survive.
#include <fmt/format.h>

#include "fuzz/support/mutator.h"
#include "tools/fuzz/engine_process.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kResidentLimitMiB = 4096;

class LibFuzzerProcess final : public EngineProcess {
 public:
  explicit LibFuzzerProcess(EngineCommand command) : EngineProcess(std::move(command)) {}

  void start(uint64_t seed, uint64_t seconds) override {
    std::vector<std::string> words = {
        command().binary,
        "-artifact_prefix=" + (command().folder / "artifacts").string() + "/",
        fmt::format("-timeout={}", kEngineTimeoutSeconds),
        fmt::format("-rss_limit_mb={}", kResidentLimitMiB),
        fmt::format("-max_len={}", fuzz::kUsualInputBytes),
        fmt::format("-max_total_time={}", seconds),
        fmt::format("-seed={}", static_cast<uint32_t>(seed)),
        fmt::format("-reload={}", command().shares_corpus ? 1 : 0),
        // Its way of looking for leaks is to run an input twice; what the allocator leaks, the footprint oracle sees.
        "-detect_leaks=0",
        "-print_final_stats=1",
    };
    words.push_back(command().corpus.string());
    if (fs::is_directory(command().seeds)) words.push_back(command().seeds.string());
    spawn(std::move(words), {});
  }

  std::vector<EngineArtifact> artifacts() const override {
    std::vector<EngineArtifact> result;
    for (const auto& entry : fs::directory_iterator(command().folder / "artifacts")) {
      const std::string name = entry.path().filename();
      const bool is_find = name.starts_with("crash-") || name.starts_with("timeout-") || name.starts_with("oom-");
      if (is_find) result.push_back({.file = entry.path()});
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<EngineProcess> libfuzzer_process(EngineCommand command) {
  return std::make_unique<LibFuzzerProcess>(std::move(command));
}

}  // namespace assay
