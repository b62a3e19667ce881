// What the engines do differently around a program: where they look for counters, and what outlives a process that
// dies of one. engine_libfuzzer.cc or engine_afl.cc, as the build folder has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/support/stats_page.h"
#include "harness/exec/outcome_counters.h"

namespace assay::fuzz {

// Once, before the first program and before the engine begins.
void engine_begins(StatsPage& stats);

// Where outcomes are counted for the engine, zero when a program begins; not the same place for every program.
OutcomeCounters::Cells& extra_counters();

// The counters of the program that has just run, as the engine sees them. Empty in an uninstrumented process.
std::span<const uint8_t> counters();

// What has been counted so far is not the coming program's.
void forget_counters();

// Around each program.
void program_begins(StatsPage& stats, std::span<const uint8_t> bytes);
void program_ends(StatsPage& stats);

}  // namespace assay::fuzz
