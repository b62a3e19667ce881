// assay-fragmentation: churns for hours to days on any allocator, keeps what it takes for what is live as CSV, and
// tells growth from wandering.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "harness/exec/worker_command.h"
#include "harness/op/program.h"
#include "harness/subject/registry.h"
#include "harness/subject/shared_object.h"
#include "soak/fragmentation/churn.h"
#include "soak/fragmentation/log.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSampleSeconds = 10;  // of the program's own time
constexpr uint64_t kPhaseSeconds = 20;   // four phases come round in 80 s: any batch holds many rounds

struct Arguments {
  std::string subject = "ximalloc", output = "fragmentation.csv", judged;
  double hours = 8, least_percent = 0.1;
  uint64_t live_mib = 64, rate = 1000, seed = 1;
  unsigned threads = 2;
  bool fast = false;
};

volatile sig_atomic_t interrupted = 0;
void on_interrupt(int) {
  interrupted = 1;
}

// Such a subject is this process's malloc, or needs settings from its start.
void run_again_as_the_subject_needs(const std::string& subject, char** argv) {
  constexpr const char* kDone = "ASSAY_FRAGMENTATION_APART";
  if (!must_run_apart(subject) || std::getenv(kDone) != nullptr) return;
  for (const std::string& entry : worker_apart(subject).environment) ::putenv(::strdup(entry.c_str()));
  ::setenv(kDone, "1", 1);
  ::execv("/proc/self/exe", argv);
  throw InputError{fmt::format("{}: {}", argv[0], std::strerror(errno))};
}

int report(const SoakVerdict& verdict, double least_percent) {
  fmt::print("resident for each live byte: {}\nmapped for each live byte:   {}\n", text_of(verdict.resident),
             text_of(verdict.mapped));
  if (!verdict.judged()) {
    fmt::print("no verdict: less than {} samples after the warm-up\n", kLeastSamples);
    return 0;
  }
  if (!verdict.grows()) {
    fmt::print("steady: no growth of {} % an hour or more\n", least_percent);
    return 0;
  }
  fmt::print("VIOLATION drift: {} for each live byte grows without end\n",
             verdict.resident.grows ? "resident memory" : "address space");
  return 1;
}

std::FILE* open_output(const std::string& path) {
  std::FILE* out = std::fopen(path.c_str(), "we");
  if (out == nullptr) throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
  return out;
}

void write_line(std::FILE* out, const std::string& path, const std::string& line) {
  if (std::fputs(line.c_str(), out) < 0 || std::fflush(out) != 0) {
    throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
  }
}

SoakSample sample_of(const Churn& churn, const SoakSample& before, double hours, uint64_t operations) {
  SoakSample sample = measure_process();
  const auto above = [](uint64_t now, uint64_t then) { return now > then ? now - then : 0; };
  sample.resident_bytes = above(sample.resident_bytes, before.resident_bytes);
  sample.mapped_bytes = above(sample.mapped_bytes, before.mapped_bytes);
  sample.minor_faults -= before.minor_faults;
  sample.hours = hours;
  sample.operations = operations;
  sample.live_bytes = churn.live_bytes();
  sample.touched_bytes = churn.touched_bytes();
  return sample;
}

int soak(const Arguments& arguments) {
  const std::unique_ptr<Subject> subject = open_subject(arguments.subject);
  std::FILE* out = open_output(arguments.output);
  write_line(out, arguments.output, csv_header());
  Churn churn(*subject, arguments.live_mib << 20, arguments.threads, arguments.seed);
  const SoakSample before = measure_process();
  const Clock::time_point start = Clock::now();
  const auto samples_wanted = static_cast<uint64_t>(arguments.hours * 3600 / kSampleSeconds);
  const uint64_t chunk = arguments.rate * kSampleSeconds;
  std::vector<SoakSample> samples;
  for (uint64_t i = 1; i <= samples_wanted && interrupted == 0; ++i) {
    const uint64_t seconds = i * kSampleSeconds;
    if (!churn.run(chunk, seconds / kPhaseSeconds)) {
      fmt::print("VIOLATION null: malloc returned NULL with {} MiB live\n", churn.live_bytes() >> 20);
      return 1;
    }
    samples.push_back(sample_of(churn, before, static_cast<double>(seconds) / 3600, i * chunk));
    write_line(out, arguments.output, csv_line(samples.back()));
    if (!arguments.fast) std::this_thread::sleep_until(start + std::chrono::seconds(seconds));
  }
  std::fclose(out);
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  fmt::print("{} {}: {:.2f} hours of the program's time in {:.0f} s, {} operations, {} MiB live, {} samples in {}\n",
             subject->name(), subject->version(), samples.empty() ? 0 : samples.back().hours, took,
             samples.size() * chunk, churn.live_bytes() >> 20, samples.size(), arguments.output);
  if (!samples.empty()) {
    const SoakSample& last = samples.back();
    fmt::print("at the end: resident / live {:.3f}, occupancy {:.3f}, {} page faults\n", last.resident_per_live(),
               last.occupancy(), last.minor_faults);
  }
  return report(judge(samples, arguments.least_percent / 100), arguments.least_percent);
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Churns for hours on an allocator and says whether it needs more and more memory for the same bytes");
  app.add_option("--subject", arguments.subject, "A name, ./libfoo.so, ./libfoo.so:prefix_");
  app.add_option("--hours", arguments.hours, "Of the program's own time")->check(CLI::Range(0.01, 10000.0));
  app.add_option("--live-mib", arguments.live_mib, "Bytes in use all the time")->check(CLI::Range(1u, 1u << 20));
  app.add_option("--threads", arguments.threads, "New ones each ten seconds")->check(CLI::Range(1u, 256u));
  app.add_option("--rate", arguments.rate, "Operations a second")->check(CLI::Range(1u, 100'000'000u));
  app.add_flag("--fast", arguments.fast, "Do not wait: the program's time passes as fast as it can");
  app.add_option("--least", arguments.least_percent, "Growth in percent an hour that counts")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--seed", arguments.seed);
  app.add_option("-o,--output", arguments.output, "CSV file");
  app.add_option("--judge", arguments.judged, "Judges the CSV file of an earlier call, and runs nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::Error& error) {
    throw InputError{error.what()};
  }
  if (!arguments.judged.empty()) {
    return report(judge(read_csv(arguments.judged), arguments.least_percent / 100), arguments.least_percent);
  }
  run_again_as_the_subject_needs(arguments.subject, argv);
  if (!subject_file(arguments.subject).empty()) ensure_static_tls(argv);
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  return soak(arguments);
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  try {
    return assay::run(argc, argv);
  } catch (const assay::InputError& error) {
    fmt::print(stderr, "assay-fragmentation: {}\n", error.message);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "HARNESS BUG: {}\n", error.what());
    return 3;
  }
}
