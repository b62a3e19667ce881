#include "fuzz/differential/ledger.h"

#include <algorithm>
#include <bit>

#include "harness/oracle/null_errno.h"

namespace assay {
namespace {

constexpr uint64_t kLargestObject = ~uint64_t{0} >> 1;

bool bad_alignment(const Step& step, const Request& request, const Difference&) {
  return request.aligned && step.code != OpCode::kPosixMemalign && !std::has_single_bit(request.alignment);
}

bool size_no_multiple(const Step& step, const Request& request, const Difference&) {
  return step.code == OpCode::kAlignedAlloc && std::has_single_bit(request.alignment) &&
         request.size % request.alignment != 0;
}

bool resize_to_nothing(const Step& step, const Request& request, const Difference&) {
  return info(step.code).result == ResultKind::kMoves && step.slot && request.size == 0 && !request.overflows;
}

bool impossible_size(const Step&, const Request& request, const Difference&) {
  return request.overflows || request.size > kLargestObject;
}

// The size, or what is asked for to find an alignment in it.
bool impossible_with_alignment(const Step& step, const Request& request, const Difference& difference) {
  return impossible_size(step, request, difference) ||
         (request.aligned && request.size > kLargestObject - request.alignment);
}

bool impossible_no_multiple(const Step& step, const Request& request, const Difference& difference) {
  return size_no_multiple(step, request, difference) && impossible_size(step, request, difference);
}

// Rounded up to such an alignment the size is a few bytes.
bool impossible_bad_alignment(const Step& step, const Request& request, const Difference& difference) {
  return bad_alignment(step, request, difference) && impossible_size(step, request, difference);
}

// From 256 on: what a page of such blocks begins with is aligned to 128.
bool small_power_of_two(const Step& step, const Request& request, const Difference&) {
  constexpr uint64_t kFirstWrong = 256, kLargestSmall = 1024;
  return info(step.code).result == ResultKind::kFills && request.aligned && request.alignment >= kFirstWrong &&
         std::has_single_bit(request.size) && request.size >= request.alignment && request.size <= kLargestSmall;
}

bool memalign_of_nothing(const Step& step, const Request& request, const Difference&) {
  return (step.code == OpCode::kMemalign || step.code == OpCode::kValloc) && request.size == 0;
}

bool memalign_beyond_memory(const Step& step, const Request& request, const Difference&) {
  return (step.code == OpCode::kMemalign || step.code == OpCode::kValloc) &&
         (request.overflows || request.size > kJudgedBytes || request.alignment > kJudgedBytes);
}

bool calloc_overflows(const Step& step, const Request& request, const Difference&) {
  return step.code == OpCode::kCalloc && request.overflows;
}

bool realloc_beyond_memory(const Step& step, const Request& request, const Difference&) {
  return step.code == OpCode::kRealloc && (request.overflows || request.size > kJudgedBytes);
}

bool above_16_mib(const Step& step, const Request& request, const Difference& difference) {
  constexpr uint64_t kMost = uint64_t{16} << 20;
  return step.code == OpCode::kPosixMemalign && request.alignment > kMost &&
         !impossible_size(step, request, difference);
}

bool beyond_judgement(const Step&, const Request& request, const Difference&) {
  return !request.overflows && request.size <= kLargestObject &&
         (request.size > kJudgedBytes || (request.aligned && request.alignment > kJudgedBytes) ||
          request.size + request.alignment > kJudgedBytes);
}

// A block of which not the first byte was to be aligned.
bool made_at_an_offset(const Step& step, const Request&, const Difference& difference) {
  return info(step.code).result == ResultKind::kMoves && difference.maker &&
         request_of(difference.maker->code, difference.maker->args.data()).offset != 0;
}

bool resize_to_zeroes(const Step& step, const Request& request, const Difference&) {
  return info(step.code).result == ResultKind::kMoves && request.zeroed;
}

bool resize_with_alignment(const Step& step, const Request& request, const Difference&) {
  return info(step.code).result == ResultKind::kMoves && request.aligned;
}

// A resize takes the distance of the old block from such an address for the offset that is wanted.
bool large_alignment_at_an_offset(const Step& step, const Request& request, const Difference&) {
  constexpr uint64_t kMost = uint64_t{16} << 20;
  return request.aligned && request.alignment > kMost && (request.offset != 0 || step.slot.has_value());
}

bool good_size_of_nothing_real(const Step& step, const Request&, const Difference&) {
  return (step.code == OpCode::kGoodSize || step.code == OpCode::kMallocGoodSize) && step.args[0] > kLargestObject;
}

// A walk that a program of several threads makes, or that is made at its end.
bool walk_beside_threads(const Step& step, const Request&, const Difference& difference) {
  return difference.several_threads && (step.code == OpCode::kHeapVisitBlocks || step.code == OpCode::kEnd);
}

const std::vector<LedgerRow>& rows() {
  static const std::vector<LedgerRow> table = {
#define ASSAY_PERMITTED(id, condition, answers, clause, why, between, witness) \
  {#id, condition, answers, clause, why, between, witness, "", "", ""},
#define ASSAY_KNOWN_BUG(id, subject, version, condition, answer, clause, why, reference, between, witness) \
  {#id, condition, answer, clause, why, between, witness, subject, version, reference},
#include "fuzz/differential/ledger.def"
#undef ASSAY_PERMITTED
#undef ASSAY_KNOWN_BUG
  };
  return table;
}

bool lists(std::string_view answers, const std::string& answer) {
  while (!answers.empty()) {
    const size_t end = std::min(answers.find('|'), answers.size());
    if (answers.substr(0, end) == answer) return true;
    answers.remove_prefix(std::min(end + 1, answers.size()));
  }
  return false;
}

bool agree(const std::vector<LaneAnswer>& answers) {
  const LaneAnswer* first = nullptr;
  for (const LaneAnswer& answer : answers) {
    if (answer.kind == AnswerKind::kSkipped) continue;
    if (answer.kind == AnswerKind::kViolation || answer.unlawful || (first != nullptr && *first != answer))
      return false;
    first = &answer;
  }
  return true;
}

}  // namespace

const std::vector<LedgerRow>& all_ledger_rows() {
  return rows();
}

bool DifferenceLedger::is_known(const LedgerRow& row, const Difference& difference, size_t lane,
                                const LaneName& name) const {
  return row.known_bug() && row.subject == name.subject && name.version.starts_with(row.version) &&
         row.applies(difference.step, request_of(difference.step.code, difference.step.args.data()), difference) &&
         lists(row.answers, text_of(difference.answers[lane]));
}

const LedgerRow* DifferenceLedger::settles(const Difference& difference, std::span<const LaneName> lanes) const {
  std::vector<LaneAnswer> answers = difference.answers;
  const LedgerRow* known = nullptr;
  for (size_t lane = 0; lane < answers.size(); ++lane) {
    const auto row = std::ranges::find_if(
        rows_, [&](const LedgerRow& candidate) { return is_known(candidate, difference, lane, lanes[lane]); });
    if (row == rows_.end()) continue;
    known = &*row;
    answers[lane] = LaneAnswer{};
  }
  if (known != nullptr && agree(answers)) return known;
  const Request request = request_of(difference.step.code, difference.step.args.data());
  const auto permits = [&](const LedgerRow& row) {
    if (row.known_bug() || !row.applies(difference.step, request, difference)) return false;
    return std::ranges::all_of(answers, [&](const LaneAnswer& answer) {
      return answer.kind == AnswerKind::kSkipped || (!answer.unlawful && lists(row.answers, text_of(answer)));
    });
  };
  const auto row = std::ranges::find_if(rows_, permits);
  if (row == rows_.end()) return nullptr;
  return known != nullptr ? known : &*row;
}

std::string clause_of(OpCode code) {
  switch (code) {
    case OpCode::kMalloc: return "C23 7.24.3.6";
    case OpCode::kCalloc: return "C23 7.24.3.2";
    case OpCode::kRealloc: return "C23 7.24.3.7";
    case OpCode::kAlignedAlloc: return "C23 7.24.3.1";
    case OpCode::kFree: return "C23 7.24.3.3";
    case OpCode::kFreeSize: return "C23 7.24.3.4";
    case OpCode::kFreeSizeAligned: return "C23 7.24.3.5";
    case OpCode::kStrdup: return "C23 7.26.2.6";
    case OpCode::kStrndup: return "C23 7.26.2.7";
    case OpCode::kPosixMemalign: return "POSIX.1-2024 posix_memalign";
    case OpCode::kReallocarray: return "POSIX.1-2024 reallocarray";
    case OpCode::kRealpath: return "POSIX.1-2024 realpath";
    case OpCode::kEnd: return "the end: everything freed";
    default: return std::string(info(code).name);
  }
}

}  // namespace assay
