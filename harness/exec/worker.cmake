# Running programs in a process of their own; a library beside harness_exec.
assay_library(harness_worker
  SOURCES differential.cc outcome_counters.cc process_load.cc worker.cc worker_channel.cc worker_command.cc worker_server.cc
  DEPS harness_exec harness_subject harness_op fmt::fmt)
