#include "tools/mutants/expectation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

#include "harness/op/program.h"

namespace assay::mutants {
namespace {

constexpr std::string_view kHeader = "# Expect:";
constexpr std::string_view kComparedHeader = "# Compared:";
constexpr std::string_view kWithin = "within=";

constexpr std::array<std::string_view, 4> kHunters = {"fuzz", "sweep", "explore", "test"};

Hunter parse_hunter(const std::string& word, const std::string& where) {
  const auto* const found = std::find(kHunters.begin(), kHunters.end(), word);
  if (found == kHunters.end())
    throw InputError{fmt::format("{}: a mutant is hunted by fuzz, sweep, explore or test, not by '{}'", where, word)};
  return static_cast<Hunter>(found - kHunters.begin());
}

// It becomes part of a path.
bool is_name(std::string_view word) {
  return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

std::vector<Oracle> parse_oracles(const std::string& names, const std::string& where) {
  std::vector<Oracle> oracles;
  std::istringstream words(names);
  for (std::string word; std::getline(words, word, '|');) {
    const Oracle oracle = oracle_named(word);
    if (oracle == Oracle::kNone) throw InputError{fmt::format("{}: unknown oracle '{}'", where, word)};
    oracles.push_back(oracle);
  }
  return oracles;
}

int parse_within(const std::string& within, const std::string& where) {
  int seconds = 0;
  const char* const end = within.data() + within.size();
  const auto parsed = std::from_chars(within.data() + kWithin.size(), end, seconds);
  if (parsed.ec != std::errc{} || parsed.ptr != end || seconds < 1) {
    throw InputError{fmt::format("{}: '{}' is not a number of seconds", where, within)};
  }
  return seconds;
}

void parse_compared(const std::string& line, const std::string& where, Expectation& expectation) {
  std::istringstream words(line.substr(kComparedHeader.size()));
  std::string oracles, within, rest;
  words >> oracles >> within;
  if (!within.starts_with(kWithin) || (words >> rest)) {
    throw InputError{fmt::format("{}: the line is '# Compared: ORACLE[|ORACLE] within=SECONDS'", where)};
  }
  expectation.compared = parse_oracles(oracles, where);
  expectation.compared.push_back(Oracle::kDivergence);
  expectation.compared_within_seconds = parse_within(within, where);
}

void parse_header(const std::string& line, const std::string& where, Expectation& expectation) {
  std::istringstream words(line.substr(kHeader.size()));
  std::string target, how, oracles, within, rest;
  words >> target >> how >> oracles >> within;
  if (!within.starts_with(kWithin) || (words >> rest)) {
    throw InputError{fmt::format(
        "{}: the header is '# Expect: TARGET[@FLAVOUR] fuzz|sweep|explore|test ORACLE[|ORACLE] within=SECONDS'",
        where)};
  }
  const size_t at = target.find('@');
  expectation.target = target.substr(0, at);
  if (at != std::string::npos) expectation.flavour = target.substr(at + 1);
  if (expectation.target.empty() || !is_name(expectation.flavour)) {
    throw InputError{fmt::format("{}: '{}' is no target with a flavour", where, target)};
  }
  expectation.hunter = parse_hunter(how, where);
  expectation.oracles = parse_oracles(oracles, where);
  expectation.within_seconds = parse_within(within, where);
}

// "+++ b/allocator/heap/free.cc\t2026-01-01" -> "allocator/heap/free.cc"; "" for /dev/null.
std::string changed_file(std::string_view line) {
  line.remove_prefix(4);
  line = line.substr(0, line.find_first_of("\t\r"));
  if (line == "/dev/null") return "";
  if (line.starts_with("a/") || line.starts_with("b/")) line.remove_prefix(2);
  return std::string(line);
}

}  // namespace

std::string_view name(Hunter hunter) {
  return kHunters[static_cast<size_t>(hunter)];
}

bool Expectation::accepts(Oracle oracle) const {
  if (oracle == Oracle::kNone) return false;
  return oracles.empty() || std::find(oracles.begin(), oracles.end(), oracle) != oracles.end();
}

std::string Expectation::oracle_names() const {
  std::vector<std::string_view> names;
  for (const Oracle oracle : oracles) names.push_back(assay::name(oracle));
  return fmt::format("{}", fmt::join(names, "|"));
}

Expectation Expectation::by_comparison() const {
  Expectation other = *this;
  other.target = "differential";
  other.flavour = "fuzz";
  other.hunter = Hunter::kFuzz;
  other.oracles = compared;
  other.within_seconds = compared_within_seconds;
  return other;
}

Expectation read_expectation(const std::filesystem::path& patch, bool header_needed) {
  std::ifstream stream(patch);
  if (!stream || std::filesystem::is_directory(patch))
    throw InputError{fmt::format("{}: cannot be read", patch.string())};
  Expectation expectation;
  expectation.name = patch.stem().string();
  expectation.patch = std::filesystem::absolute(patch);
  bool header = false;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const std::string where = fmt::format("{}:{}", patch.string(), number);
    if (!header && line.starts_with(kHeader)) {
      parse_header(line, where, expectation);
      header = true;
    } else if (expectation.compared.empty() && line.starts_with(kComparedHeader)) {
      parse_compared(line, where, expectation);
    } else if (line.starts_with("+++ ") || line.starts_with("--- ")) {
      const std::string file = changed_file(line);
      // "--- " may also be a removed line that began with "-- ".
      if (file.empty() || (line[0] == '-' && !file.starts_with("allocator/"))) continue;
      if (!file.starts_with("allocator/") || file.find("..") != std::string::npos) {
        throw InputError{fmt::format("{}: changes '{}', which is not in allocator/", where, file)};
      }
      if (std::find(expectation.files.begin(), expectation.files.end(), file) == expectation.files.end()) {
        expectation.files.push_back(file);
      }
    }
  }
  if (expectation.files.empty()) throw InputError{fmt::format("{}: no patch on allocator/", patch.string())};
  if (header_needed && !header)
    throw InputError{fmt::format("{}: the line '{} …' is missing", patch.string(), kHeader)};
  return expectation;
}

}  // namespace assay::mutants
