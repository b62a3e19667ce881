# assay_fuzz_target(NAME SOURCES ... DEPS ...): build/<flavour>/bin/<name>, a plain libFuzzer binary, and
# build/<flavour>/corpus/<name>, its seeds as bytes: fuzz/<name>/seeds, corpus/<name> and corpus/regress/<name>, encoded.
# Only the allocator is compiled with coverage (its own CMakeLists.txt says so); a target checks that when it starts.
add_custom_target(fuzz_targets)

function(assay_fuzz_target name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE -fno-builtin)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${A_DEPS} assay_warnings)

  set(folders "${CMAKE_SOURCE_DIR}/fuzz/${name}/seeds" "${CMAKE_SOURCE_DIR}/corpus/${name}"
              "${CMAKE_SOURCE_DIR}/corpus/regress/${name}")
  set(patterns ${folders})
  list(TRANSFORM patterns APPEND "/*.ops")
  file(GLOB programs CONFIGURE_DEPENDS ${patterns})
  set(stamp "${CMAKE_BINARY_DIR}/corpus/${name}.stamp")
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND encode_corpus "${CMAKE_BINARY_DIR}/corpus/${name}" ${folders}
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${programs} encode_corpus
    COMMENT "Encoding the seeds of ${name}" VERBATIM)
  add_custom_target(${name}_corpus DEPENDS "${stamp}")
  add_dependencies(fuzz_targets ${name} ${name}_corpus)
endfunction()
