#include "tools/fuzz/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/text.h"
#include "harness/report/workdir.h"
#include "harness/subject/registry.h"
#include "tools/atomic_file.h"
#include "tools/fuzz/preceding.h"
#include "tools/replay_report.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kReplays = 3;

// A token as part of a file's name.
std::string file_name(std::string token) {
  for (char& c : token) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '_';
  }
  return token.substr(0, 120);
}

std::vector<uint8_t> read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// What the text says of itself, so that `./assay replay FILE` needs no option.
Header header_for(const std::string& subject, const std::string& flavour, Mode mode, const std::string& token) {
  Header header;
  header.flavour = flavour;
  if (mode != Mode::kSequential) header.mode = name(mode);
  header.subject = subject;
  const std::string file = subject_file(subject);
  // A relative path would only be right in the folder where the hunt began.
  if (!file.empty() && subject.starts_with(file)) {
    header.subject = fs::absolute(file).lexically_normal().string() + subject.substr(file.size());
  }
  header.expect = token;
  return header;
}

// Of what the last program alone does not show, for who reads the report.
std::string told_of_past(const ReplayVerdict& verdict, size_t before) {
  const std::string those = before == 1 ? "the one" : fmt::format("the {}", before);
  return fmt::format(
      "\nThe program that failed does not show it alone, but after {} that ran before it in the same process:\n"
      "kept with it, and so seen in {} of {} fresh processes.",
      those, verdict.times_seen, verdict.times_run);
}

// What else was tried in vain. The latest of the recent programs is the one that failed.
std::string told_of_tries(const fuzz::StatsPage& stats, size_t recent) {
  if (recent < 2) return "";
  return fmt::format(", alone or after what ran before it in the same process (the latest {}{})", recent - 1,
                     stats.recent.lacks_oldest() ? "; older ones were not kept" : "");
}

}  // namespace

Findings::Findings(const FuzzOptions& options, std::string target, Mode mode, std::string subject, fs::path folder,
                   fs::path scratch)
    : options_(options),
      target_(std::move(target)),
      subject_(std::move(subject)),
      mode_(mode),
      folder_(std::move(folder)),
      scratch_(std::move(scratch)) {}

ReplayRunner& Findings::runner() {
  if (!runner_)
    runner_ = std::make_unique<ReplayRunner>(subject_, options_.flavour, mode_, (scratch_ / "replay.log").string());
  return *runner_;
}

fs::path Findings::base_path(const std::string& token) const {
  return folder_ / fmt::format("{}-{}", target_, file_name(token));
}

const Finding* Findings::with_token(const std::string& token) const {
  const auto same =
      std::find_if(findings_.begin(), findings_.end(), [&](const Finding& f) { return f.token == token; });
  return same == findings_.end() ? nullptr : &*same;
}

Finding Findings::reproduce(const ReplayInput& input, const fuzz::StatsPage& stats, Program& program) {
  ReplayInput replayed = input;
  ReplayVerdict verdict = runner().run(input, 1);
  // One that is known is not worth more runs.
  const bool counts =
      verdict.violation && with_token(verdict.token) == nullptr && options_.known.count(verdict.token) == 0;
  if (counts) verdict = runner().run(input, kReplays);
  std::vector<Program> recent;
  std::string past;
  if (!verdict.violation) {
    recent = recent_programs(stats);
    auto found = reproduce_with_preceding(recent, runner(), scratch_.string(), kReplays);
    if (found) {
      replayed.program = std::move(found->program);
      verdict = std::move(found->verdict);
      past = told_of_past(verdict, found->programs - 1);
    }
  }
  // What is kept says what failed, and nothing that did not.
  replayed.program = runner().that_came(replayed, verdict);
  program = replayed.program;
  Finding finding;
  finding.times_seen = verdict.times_seen;
  finding.times_run = verdict.times_run;
  if (verdict.violation) {
    finding.token = verdict.token;
    finding.oracle = name(verdict.violation.oracle);
    if (verdict.violation.line != kNoOperation) finding.operation_index = verdict.violation.line;
    // Where write() will put it.
    replayed.file = base_path(finding.token).string() + ".ops";
    finding.report = replay_report(replayed, runner(), verdict, options_.seed) + past;
    return finding;
  }
  // Seen once and not again: still a find, but under the token of the fuzz run, where there was one.
  finding.token = stats.last_token[0] != 0 ? std::string(stats.last_token) : "crash-unknown--";
  finding.oracle = finding.token.substr(0, finding.token.find('-'));
  finding.report =
      fmt::format("VIOLATION {}: seen once while fuzzing, not again in {} fresh processes{}\n\n{}\nDEDUP_TOKEN: {}",
                  finding.oracle, kReplays, told_of_tries(stats, recent.size()), print_text(program), finding.token);
  return finding;
}

void Findings::write(Finding& finding, Program program) {
  ensure_dir(folder_);
  const fs::path base = base_path(finding.token);
  program.header = header_for(subject_, runner().flavour(), mode_, finding.token);
  finding.text = base.string() + ".ops";
  write_atomically(finding.text, print_text(program));
  try {
    const std::vector<uint8_t> bytes = encode(program);
    finding.file = base.string();
    write_atomically(finding.file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const InputError&) {
    // A run of several programs may pass the caps of the byte form; then the text is all there is.
    finding.file = finding.text;
  }
}

Novelty Findings::examine(const EngineArtifact& artifact, const fuzz::StatsPage& stats) {
  ReplayInput input;
  input.form = Form::kText;
  input.may_have_dead_failures = true;
  input.program = decode(read_bytes(artifact.file));
  // As text, since the engine's bytes may by chance look like another form.
  input.file = scratch_ / "find.ops";
  write_atomically(input.file, print_text(input.program));
  Program program = input.program;
  Finding finding = reproduce(input, stats, program);
  if (artifact.was_passed_over && finding.times_seen == 0 && stats.last_token[0] == 0) return Novelty::kNothing;
  if (const Finding* same = with_token(finding.token)) {
    latest_ = static_cast<size_t>(same - findings_.data());
    return Novelty::kSeenBefore;
  }
  if (options_.known.count(finding.token) != 0) return Novelty::kKnown;
  write(finding, std::move(program));
  findings_.push_back(std::move(finding));
  latest_ = findings_.size() - 1;
  return Novelty::kNew;
}

nlohmann::json Findings::json() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const Finding& finding : findings_) {
    nlohmann::json row = {{"file", finding.file},          {"text", finding.text},
                          {"token", finding.token},        {"oracle", finding.oracle},
                          {"operation_index", nullptr},    {"times_seen", finding.times_seen},
                          {"times_run", finding.times_run}};
    if (finding.operation_index) row["operation_index"] = *finding.operation_index;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace assay
