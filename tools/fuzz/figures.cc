#include "tools/fuzz/figures.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {

// 1234567 as "1,234,567".
std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

template <size_t N>
uint64_t merge_seen(std::vector<uint8_t>& merged, const uint8_t (&seen)[N]) {
  merged.resize(N);
  for (size_t i = 0; i < N; ++i) merged[i] = static_cast<uint8_t>(merged[i] | seen[i]);
  return static_cast<uint64_t>(N - static_cast<size_t>(std::count(merged.begin(), merged.end(), 0)));
}

}  // namespace

double FuzzFigures::skipped_fraction() const {
  const uint64_t tried = executed + skipped;
  return tried > 0 ? static_cast<double>(skipped) / static_cast<double>(tried) : 0;
}

FuzzFigures sum_figures(const std::vector<std::unique_ptr<EngineProcess>>& processes) {
  FuzzFigures total;
  std::vector<uint8_t> counters, extra;
  bool uses_extra = false;
  uint64_t extra_hit = 0;
  for (const auto& process : processes) {
    const fuzz::StatsPage& page = process->stats();
    total.programs += page.programs;
    total.executed += page.executed;
    total.skipped += page.skipped;
    total.preemptions += page.preemptions;
    for (size_t i = 0; i < kOpKinds; ++i) total.executed_by_op[i] += page.executed_by_op[i];
    total.allocator_counters = std::max(total.allocator_counters, uint64_t{page.allocator_counters});
    total.allocator_counters_hit = merge_seen(counters, page.counters_seen);
    extra_hit = merge_seen(extra, page.extra_seen);
    uses_extra = uses_extra || page.uses_extra_counters != 0;
  }
  total.edges = uses_extra ? extra_hit : total.allocator_counters_hit;
  return total;
}

std::string live_line(const FuzzFigures& now, const FuzzFigures& before, uint64_t budget_seconds,
                      double newest_edge_age_seconds) {
  const double interval = std::max(now.seconds - before.seconds, 0.001);
  const auto rate = [&](uint64_t later, uint64_t earlier) { return static_cast<double>(later - earlier) / interval; };
  return fmt::format("{}/{}  {} programs/s  {} operations/s  {} edges  {} files  newest edge {} ago  {} violations",
                     clock_time(now.seconds), clock_time(static_cast<double>(budget_seconds)),
                     grouped(rate(now.programs, before.programs)), grouped(rate(now.executed, before.executed)),
                     grouped(static_cast<double>(now.edges)), grouped(static_cast<double>(now.corpus_files)),
                     clock_time(newest_edge_age_seconds), now.violations);
}

std::string summary(const std::string& target, const std::string& subject, const FuzzFigures& figures) {
  std::string text = fmt::format(
      "{} on {}: {} programs in {:.0f} s ({}/s), {} operations/s, {:.1f} executed a program, {:.1f} % skipped\n",
      target, subject, grouped(static_cast<double>(figures.programs)), figures.seconds,
      grouped(figures.programs_per_second()), grouped(figures.operations_per_second()), figures.mean_operations(),
      100 * figures.skipped_fraction());
  text += fmt::format("  {} edges", grouped(static_cast<double>(figures.edges)));
  if (figures.allocator_counters_hit > 0) {
    text += fmt::format(" ({} of the allocator's {} counters)",
                        grouped(static_cast<double>(figures.allocator_counters_hit)),
                        grouped(static_cast<double>(figures.allocator_counters)));
  }
  text += fmt::format(", {} corpus files, {} violations", grouped(static_cast<double>(figures.corpus_files)),
                      figures.violations);
  if (figures.stability) text += fmt::format(", stability {:.2f} %", *figures.stability);
  text += '\n';
  return text;
}

nlohmann::json figures_json(const std::string& target, const std::string& subject, Mode mode, Engine engine,
                            const FuzzFigures& figures) {
  nlohmann::json mix = nlohmann::json::object();
  for (const OpInfo& op : all_ops()) mix[std::string(op.name)] = figures.executed_by_op[static_cast<size_t>(op.code)];
  nlohmann::json stability = nullptr;
  if (figures.stability) stability = *figures.stability;
  return {{"name", target},
          {"subject", subject},
          {"engine", engine == Engine::kAfl ? "afl" : "libfuzzer"},
          {"stability", std::move(stability)},
          {"mode", name(mode)},
          {"programs", figures.programs},
          {"programs_per_second", figures.programs_per_second()},
          {"operations_per_second", figures.operations_per_second()},
          {"mean_operations", figures.mean_operations()},
          {"skipped_fraction", figures.skipped_fraction()},
          {"mix", std::move(mix)},
          {"preemptions_mean", figures.preemptions_mean()},
          {"edges", figures.edges},
          {"allocator_counters", figures.allocator_counters},
          {"allocator_counters_hit", figures.allocator_counters_hit},
          {"corpus_files", figures.corpus_files},
          {"violations", figures.violations},
          {"seconds", figures.seconds}};
}

}  // namespace assay
