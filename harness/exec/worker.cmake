# Running programs in a process of their own; a library beside harness_exec.
assay_library(harness_worker
  SOURCES "${CMAKE_CURRENT_BINARY_DIR}/harness_sources.cc" differential.cc outcome_counters.cc process_load.cc worker.cc worker_channel.cc worker_command.cc worker_server.cc
  DEPS harness_exec harness_subject harness_op fmt::fmt)

# Made anew whenever one of them changes.
file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/harness/*.cc" "${CMAKE_SOURCE_DIR}/harness/*.h" "${CMAKE_SOURCE_DIR}/harness/*.def"
  "${CMAKE_SOURCE_DIR}/failpoints/*" "${CMAKE_SOURCE_DIR}/fuzz/differential/*")
list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
add_custom_command(
  OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/harness_sources.cc"
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/harness_sources.cc
    -P "${CMAKE_SOURCE_DIR}/cmake/harness_sources.cmake"
  DEPENDS ${sources} "${CMAKE_SOURCE_DIR}/cmake/harness_sources.cmake"
  COMMENT "Numbering the harness" VERBATIM)
