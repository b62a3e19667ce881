#include "fuzz/differential/lockstep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "harness/exec/worker_command.h"
#include "harness/subject/registry.h"
#include "harness/subject/subject_spec.h"

namespace assay {
namespace {

template <size_t N>
void set_text(char (&out)[N], std::string_view text) {
  const size_t length = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), length);
  out[length] = 0;
}

std::string outcomes(const Difference& difference, const std::vector<LaneName>& names) {
  std::vector<std::string> parts;
  for (size_t lane = 0; lane < names.size(); ++lane) {
    parts.push_back(fmt::format("{}: {}", names[lane].subject, text_of(difference.answers[lane])));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// Whose answer is not lawful, or is not that of the first who was asked.
std::string who_differs(const Difference& difference, const std::vector<LaneName>& names) {
  const LaneAnswer* first = nullptr;
  std::vector<std::string_view> who;
  for (size_t lane = 0; lane < names.size(); ++lane) {
    const LaneAnswer& answer = difference.answers[lane];
    if (answer.kind == AnswerKind::kSkipped) continue;
    if (answer.unlawful || (first != nullptr && answer != *first)) who.push_back(names[lane].subject);
    if (first == nullptr && !answer.unlawful) first = &answer;
  }
  return fmt::format("{}", fmt::join(who, "+"));
}

}  // namespace

Lockstep::Lockstep(std::vector<std::unique_ptr<Lane>> lanes, DifferenceLedger ledger)
    : lanes_(std::move(lanes)), ledger_(std::move(ledger)) {
  for (const auto& lane : lanes_) names_.push_back({lane->subject(), lane->version()});
}

std::string Lockstep::version() const {
  std::vector<std::string_view> versions;
  for (const LaneName& name : names_) versions.push_back(name.version);
  return fmt::format("{}", fmt::join(versions, ", "));
}

ComparisonResult Lockstep::compare(const WorkRequest& request, const Program& program,
                                   const DifferenceJudge& tolerates) {
  return assay::compare(lanes_, request, program, [&](const Difference& difference) {
    return ledger_.settles(difference, names_) != nullptr || tolerates(difference);
  });
}

Violation Lockstep::violation_of(const Difference& difference) const {
  Violation violation;
  if (difference.broken_by) {
    violation = difference.violation;
    const std::string& who = names_[*difference.broken_by].subject;
    const std::string sentence = fmt::format("{}: {}", who, violation.sentence);
    set_text(violation.sentence, sentence);
    if (violation.frame[0] == 0) set_text(violation.frame, who);
    return violation;
  }
  violation.oracle = Oracle::kDivergence;
  violation.line = difference.step.line;
  violation.member = difference.step.member;
  violation.op_code = difference.step.line == kNoOperation ? 255 : static_cast<uint8_t>(difference.step.code);
  set_text(violation.sentence,
           fmt::format("sound allocators do not differ here ({})", clause_of(difference.step.code)));
  set_text(violation.expected, "the same answer of all, or a row of the ledger");
  set_text(violation.seen, outcomes(difference, names_));
  set_text(violation.frame, who_differs(difference, names_));
  return violation;
}

RunResult Lockstep::run(const WorkRequest& request, const Program& program) {
  const ComparisonResult compared = compare(request, program, [](const Difference&) { return false; });
  const auto first = std::ranges::find(compared.ran, true) - compared.ran.begin();
  RunResult result = compared.results[static_cast<size_t>(first)];
  // What the program did to all that ran it; addresses are anyone's own.
  for (size_t lane = 0; lane < compared.results.size(); ++lane) {
    if (compared.ran[lane]) result.executed = std::min(result.executed, compared.results[lane].executed);
  }
  result.violation = compared.divergence ? violation_of(*compared.divergence) : Violation{};
  return result;
}

std::unique_ptr<Lockstep> open_beside(const std::string& list) {
  std::vector<std::unique_ptr<Lane>> lanes;
  bool has_ximalloc = false;
  for (const std::string& subject : split_subjects(list)) {
    const bool is_ximalloc = parse_subject_spec(subject).subject == "ximalloc";
    if (must_run_apart(subject)) {
      lanes.push_back(lane_in_worker(subject, worker_apart(subject)));
    } else if (is_ximalloc && has_ximalloc) {
      // There is one in a process; another one has other settings.
      lanes.push_back(lane_in_worker(subject, own_worker(executable_dir() + "/assay", subject)));
    } else {
      lanes.push_back(lane_in_process(subject, open_subject(subject)));
    }
    has_ximalloc = has_ximalloc || is_ximalloc;
  }
  return std::make_unique<Lockstep>(std::move(lanes));
}

std::unique_ptr<Lane> open_lane(const std::string& subject, const std::string& executable) {
  return lane_in_worker(subject, must_run_apart(subject) ? worker_apart(subject) : own_worker(executable, subject));
}

std::unique_ptr<Lockstep> open_in_workers(const std::string& list, const std::string& executable) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (const std::string& subject : split_subjects(list)) lanes.push_back(open_lane(subject, executable));
  return std::make_unique<Lockstep>(std::move(lanes));
}

}  // namespace assay
