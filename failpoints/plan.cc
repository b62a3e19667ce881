#include "failpoints/plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::string_view, kSystemCalls> kCalls = {
    "mmap",   "munmap",    "mprotect",   "madvise",       "process_madvise",
    "mremap", "getrandom", "key_create", "thread_create", "brk"};
constexpr std::array<std::string_view, 4> kKinds = {"", "unaligned", "high", "dirty"};

// Two names for one number, of which the C library knows one.
constexpr std::array<std::pair<std::string_view, int>, 4> kOtherNames = {
    {{"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}, {"EOPNOTSUPP", EOPNOTSUPP}}};
constexpr int kErrnoLimit = 256;

std::optional<int> errno_named(std::string_view name) {
  for (const auto& [other, number] : kOtherNames) {
    if (other == name) return number;
  }
  for (int number = 1; number < kErrnoLimit; ++number) {
    if (is_errno(number) && name == strerrorname_np(number)) return number;
  }
  return std::nullopt;
}

bool is_part_of_name(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

// Reads from the left, and knows where it is.
class Reader {
 public:
  Reader(std::string_view text, std::string& error, size_t& at) : text_(text), error_(error), at_(at) { at_ = 0; }

  bool fail(std::string what) {
    error_ = std::move(what);
    return false;
  }
  bool fail_at(size_t at, std::string what) {
    at_ = at;
    return fail(std::move(what));
  }
  bool accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool read_call(SystemCall& call) {
    const size_t start = at_;
    size_t end = start;
    while (end < text_.size() && is_part_of_name(text_[end])) ++end;
    const std::string_view word = text_.substr(start, end - start);
    const auto* const found = std::ranges::find(kCalls, word);
    if (found == kCalls.end()) {
      std::string known;
      for (const std::string_view one : kCalls) known.append(known.empty() ? "" : ", ").append(one);
      return fail("unknown call '" + std::string(word) + "'; known: " + known);
    }
    call = static_cast<SystemCall>(found - kCalls.begin());
    at_ = end;
    return true;
  }

  bool read_nth(uint16_t& nth) {
    const size_t start = at_;
    const char* const first = text_.data() + start;
    const auto [end, status] = std::from_chars(first, text_.data() + text_.size(), nth);
    if (end == first) return fail("expected the number of the call, from 1 on");
    if (status != std::errc{} || nth == 0) return fail("the number of a call is 1 to 65535");
    at_ += static_cast<size_t>(end - first);
    return true;
  }

  bool read_outcome(Failure& failure) {
    const size_t start = at_;
    const std::string_view word = text_.substr(start);
    for (size_t i = 1; i < kKinds.size(); ++i) {
      if (word != kKinds[i]) continue;
      failure.kind = static_cast<FailureKind>(i);
      failure.error = 0;
      const std::string fault = failure_fault(failure);
      if (!fault.empty()) return fail(fault);
      at_ = text_.size();
      return true;
    }
    const std::optional<int> number = errno_named(word);
    if (!number) {
      return fail("unknown errno name '" + std::string(word) +
                  "'; expected one of errno.h, 'unaligned', 'high' or 'dirty'");
    }
    failure.error = static_cast<uint16_t>(*number);
    at_ = text_.size();
    return true;
  }

  bool at_end() const { return at_ == text_.size(); }

 private:
  std::string_view text_;
  std::string& error_;
  size_t& at_;
};

}  // namespace

std::string_view name(SystemCall call) {
  return kCalls[static_cast<size_t>(call)];
}

bool is_errno(int number) {
  return number > 0 && number < kErrnoLimit && strerrorname_np(number) != nullptr;
}

std::string failure_fault(const Failure& failure) {
  if (failure.nth == 0) return "the number of a call is 1 to 65535";
  switch (failure.kind) {
    case FailureKind::kErrno: return is_errno(failure.error) ? "" : "no errno has this number";
    case FailureKind::kUnaligned:
      if (failure.call != SystemCall::kMmap) return "'unaligned' is for mmap";
      break;
    case FailureKind::kHigh:
      if (failure.call != SystemCall::kMmap) return "'high' is for mmap";
      break;
    case FailureKind::kDirty:
      if (failure.call != SystemCall::kMadvise) return "'dirty' is for madvise";
      break;
  }
  return failure.error == 0 ? "" : "an errno where none is returned";
}

std::string print_failure(const Failure& failure) {
  std::string text(name(failure.call));
  text += "#" + std::to_string(failure.nth);
  if (failure.persistent) text += "+";
  if (failure.kind != FailureKind::kErrno) {
    text.append("=").append(kKinds[static_cast<size_t>(failure.kind)]);
  } else if (failure.error != ENOMEM) {
    text.append("=").append(strerrorname_np(failure.error));
  }
  return text;
}

bool parse_failure(std::string_view text, Failure& failure, std::string& error, size_t& at) {
  failure = {};
  Reader reader(text, error, at);
  if (!reader.read_call(failure.call)) return false;
  if (!reader.accept('#')) return reader.fail("expected '#' and the number of the call");
  if (!reader.read_nth(failure.nth)) return false;
  failure.persistent = reader.accept('+');
  if (reader.at_end()) return true;
  if (!reader.accept('=')) return reader.fail("expected '+', '=' or the end of the failure");
  return reader.read_outcome(failure);
}

}  // namespace assay
