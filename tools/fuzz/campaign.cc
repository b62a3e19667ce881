#include "tools/fuzz/campaign.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include "harness/exec/worker_command.h"
#include "harness/report/workdir.h"
#include "tools/atomic_file.h"
#include "tools/fuzz/corpus_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

volatile sig_atomic_t interrupt_count = 0;
void on_interrupt(int) {
  interrupt_count = interrupt_count + 1;
}

// Inputs that no engine process could get past would keep the campaign from ever starting.
constexpr uint64_t kMaxStarts = 2000;

// Exit statuses of an engine that are no find: its own time was up, or it was asked to end.
constexpr int kTimeUp = 0, kAskedToEnd = 72;

// Our own allocator's corpus has the target's name alone; another subject's is kept apart from it.
std::string corpus_name(const std::string& target, const std::string& subject) {
  if (subject == "ximalloc") return target;
  std::string name = fs::path(subject).filename();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_') c = '_';
  }
  return target + "-" + name;
}

}  // namespace

bool interrupted() {
  return interrupt_count != 0;
}

void watch_for_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

FuzzCampaign::FuzzCampaign(const FuzzOptions& options, std::string target, Mode mode, std::string subject,
                           uint64_t seconds, std::FILE* out)
    : options_(options),
      target_(std::move(target)),
      subject_(std::move(subject)),
      mode_(mode),
      seconds_(seconds),
      out_(out) {
  // A mutant's tool stands beside a target of its own; otherwise the flavour has it.
  binary_ = executable_dir() + "/" + target_;
  if (::access(binary_.c_str(), X_OK) != 0) binary_ = sibling_executable(options_.flavour, target_);
  if (binary_.empty()) {
    throw InputError{fmt::format("build/{0}/bin/{1} is missing: run ./assay build {0}", options_.flavour, target_)};
  }
  prepare_folders();
  findings_ = std::make_unique<Findings>(options_, target_, mode_, subject_, findings_dir(), scratch_);
}

FuzzCampaign::~FuzzCampaign() {
  processes_.clear();
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

void FuzzCampaign::prepare_folders() {
  corpus_ = corpus_dir(corpus_name(target_, subject_));
  scratch_ = work_root() / "run" / fmt::format("{}-{}", target_, ::getpid());
  seeds_ = scratch_ / "seeds";
  ensure_dir(corpus_);
  ensure_dir(seeds_);
  figures_file_ = (scratch_ / "figures.json").string();
  const fs::path built = fs::path(binary_).parent_path() / ".." / "corpus" / target_;
  if (fs::is_directory(built)) fs::copy(built, seeds_);
}

double FuzzCampaign::elapsed() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

uint64_t FuzzCampaign::next_seed() {
  ++starts_;
  // libFuzzer takes 0 for "choose one"; a given seed leads to the same sequence of seeds.
  if (options_.seed == 0) return std::random_device()() | 1u;
  return options_.seed * 1000 + starts_;
}

void FuzzCampaign::start_processes() {
  for (unsigned job = 0; job < options_.jobs; ++job) {
    EngineCommand command;
    command.binary = binary_;
    command.subject = subject_;
    command.mode = mode_;
    command.corpus = corpus_;
    command.seeds = seeds_;
    command.folder = scratch_ / std::to_string(job);
    command.job = job;
    command.shares_corpus = options_.jobs > 1;
    processes_.push_back(options_.engine == Engine::kAfl ? afl_process(std::move(command))
                                                         : libfuzzer_process(std::move(command)));
    processes_.back()->start(next_seed(), seconds_ + 5);
  }
}

void FuzzCampaign::run() {
  start_ = last_shown_ = newest_edge_ = Clock::now();
  start_processes();
  while (!interrupted() && elapsed() < static_cast<double>(seconds_) && tend()) {
    show_status(false);
    std::this_thread::sleep_for(50ms);
  }
  for (const auto& process : processes_) process->stop();
  note_stability();
  // What was found in the last moment counts as well.
  for (const auto& process : processes_) on_artifacts(*process);
  show_status(true);
  fmt::print(out_, "{}", summary(target_, subject_, figures_));
}

// Before a process starts again, which begins to count anew.
void FuzzCampaign::note_stability() {
  for (const auto& process : processes_) {
    const std::optional<double> now = process->stability();
    if (now) stability_ = std::min(stability_.value_or(*now), *now);
  }
}

bool FuzzCampaign::tend() {
  for (const auto& process : processes_) {
    const std::optional<int> status = process->poll();
    if (status && !on_end(*process, *status)) return false;
  }
  return true;
}

bool FuzzCampaign::on_end(EngineProcess& process, int status) {
  note_stability();
  const bool found = !process.artifacts().empty();
  const int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (!found) {
    if (exit_status == kTimeUp || exit_status == kAskedToEnd) return false;
    const std::string words = process.last_words();
    if (exit_status == 2) throw InputError{words};
    const fs::path kept = ensure_dir(logs_dir()) / fmt::format("fuzz-{}.log", target_);
    fs::copy_file(process.log(), kept, fs::copy_options::overwrite_existing);
    throw std::runtime_error(
        fmt::format("{} ended unexpectedly: {} (log: {}){}", target_, words, kept.string(), kept_evidence(process)));
  }
  if (!on_artifacts(process) && !options_.keep_going) return false;
  if (starts_ >= kMaxStarts) return false;
  const double left = static_cast<double>(seconds_) - elapsed();
  if (left <= 0) return false;
  process.start(next_seed(), static_cast<uint64_t>(left) + 5);
  return true;
}

// False when something was found that counts.
bool FuzzCampaign::on_artifacts(EngineProcess& process) {
  bool clean = true;
  for (const EngineArtifact& artifact : process.artifacts()) {
    const Novelty novelty = [&] {
      try {
        return findings_->examine(artifact, process.stats());
      } catch (const std::runtime_error& error) {
        // A fault of ours: who is to mend it needs the program.
        throw std::runtime_error(fmt::format("{}{}", error.what(), kept_evidence(process)));
      }
    }();
    clean = clean && (novelty == Novelty::kKnown || novelty == Novelty::kNothing);
    if (novelty == Novelty::kNew) {
      show_status(true);
      const Finding& finding = findings_->latest();
      fmt::print(out_, "\n{}\n", finding.report);
      fmt::print(out_, "Kept as {}\nSee it again: ./assay replay {}\n\n", finding.text, finding.text);
    } else if (novelty == Novelty::kNothing) {
      fmt::print(
          out_,
          "\nA process of {} ended with a signal or was ended for taking too long, and AFL++ went on. What it ran "
          "did the like in no fresh process: not counted.\n\n",
          target_);
    }
    // The next process may pass over it, where it goes on with a fresh allocator anyway.
    const std::string_view token = process.stats().last_token;
    if (!token.empty()) process.stats().settle(fuzz::token_hash(token));
    // The engine would run it first thing when it starts again.
    const std::string bytes = program_bytes(artifact.file);
    for (const fs::path& folder : {corpus_, seeds_}) remove_program(folder, bytes);
    fs::remove(artifact.file);
  }
  return clean;
}

// What a fault of ours happened with, which would go with this campaign, and where it is, for the message.
std::string FuzzCampaign::kept_evidence(EngineProcess& process) {
  fs::path kept;
  for (int number = 0; number == 0 || fs::exists(kept); ++number) {
    kept = logs_dir() / fmt::format("harness-bug-{}-{}", target_, ::getpid() + number);
  }
  // No fault in keeping it hides the one that it is kept for.
  std::error_code ignored;
  const auto copy_files = [&](const fs::path& from) {
    for (const auto& entry : fs::directory_iterator(from, ignored)) {
      if (entry.is_regular_file(ignored)) fs::copy_file(entry.path(), kept / entry.path().filename(), ignored);
    }
  };
  fs::create_directories(kept, ignored);
  copy_files(scratch_);
  const fs::path folder = fs::path(process.log()).parent_path();
  copy_files(folder);
  copy_files(folder / "artifacts");
  const fuzz::KeptProgram& current = process.stats().current;
  if (current.size != 0 && current.size != fuzz::kTooLong)
    std::ofstream(kept / "program", std::ios::binary).write(reinterpret_cast<const char*>(current.bytes), current.size);
  return fmt::format(" (what it happened with: {})", kept.string());
}

void FuzzCampaign::show_status(bool force) {
  const bool terminal = ::isatty(::fileno(out_)) != 0;
  const auto now = Clock::now();
  if (!force && now - last_shown_ < (terminal ? 1000ms : 5000ms)) return;
  const uint64_t edges_before = figures_.edges;
  figures_ = sum_figures(processes_);
  figures_.stability = stability_;
  figures_.seconds = elapsed();
  figures_.corpus_files = count_programs(corpus_);
  figures_.violations = findings_->all().size();
  if (figures_.edges > edges_before) newest_edge_ = now;
  const double age = std::chrono::duration<double>(now - newest_edge_).count();
  const std::string line = live_line(figures_, shown_, seconds_, age);
  if (!force || terminal) fmt::print(out_, "{}{}{}", terminal ? "\r\033[K" : "", line, terminal && !force ? "" : "\n");
  std::fflush(out_);
  // For who watches from outside, as a campaign of many hours does. A full disk does not end the hunt.
  try {
    write_atomically(figures_file_, figures().dump() + "\n");
  } catch (const InputError&) {
  }
  shown_ = figures_;
  last_shown_ = now;
}

}  // namespace assay
