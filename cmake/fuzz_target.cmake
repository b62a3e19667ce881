# assay_fuzz_target(NAME SOURCES ... DEPS ...): build/<flavour>/bin/<name>, a plain libFuzzer binary (with AFL++ what
# afl-fuzz takes, and build/<flavour>/lib/lib<name>_mutator.so), and
# build/<flavour>/corpus/<name>, its seeds as bytes: fuzz/<name>/seeds, corpus/<name> and corpus/regress/<name>, encoded.
# Only the allocator is compiled with coverage (its own CMakeLists.txt says so); a target checks that when it starts.
add_custom_target(fuzz_targets)

set(ASSAY_ENGINE_LINK ${ASSAY_FUZZ_ENGINE_LINK})
if(ASSAY_FUZZ_ENGINE STREQUAL "libfuzzer" AND NOT ASSAY_ENGINE_LINK)
  set(ASSAY_ENGINE_LINK -fsanitize=fuzzer)
elseif(ASSAY_FUZZ_ENGINE STREQUAL "afl" AND NOT ASSAY_ENGINE_LINK)
  set(ASSAY_ENGINE_LINK /usr/lib/afl/libAFLDriver.a /usr/lib/afl/afl-compiler-rt.o)
endif()

# The target's own mutation as a library: what of the target's source runs programs is left out by the linker.
function(assay_afl_mutator name)
  add_library(${name}_mutator MODULE ${ARGN} "${CMAKE_SOURCE_DIR}/fuzz/support/afl_mutator.cc")
  target_include_directories(${name}_mutator PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_definitions(${name}_mutator PRIVATE ASSAY_AFL_SEES_ACCESSES=$<BOOL:${ASSAY_SCHED_HOOKS}>)
  target_compile_options(${name}_mutator PRIVATE -fno-builtin -fno-sanitize=all -ffunction-sections -fvisibility=hidden)
  target_link_options(${name}_mutator PRIVATE
    -fno-sanitize=all -Wl,--gc-sections -Wl,-z,defs "-Wl,--version-script=${CMAKE_SOURCE_DIR}/fuzz/support/afl_mutator.map")
  target_link_libraries(${name}_mutator PRIVATE afl_mutation assay_warnings)
  add_dependencies(fuzz_targets ${name}_mutator)
endfunction()

function(assay_fuzz_target name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE -fno-builtin)
  target_link_libraries(${name} PRIVATE ${A_DEPS} ${ASSAY_ENGINE_LINK} assay_warnings)
  if(ASSAY_FUZZ_ENGINE STREQUAL "afl")
    list(FILTER A_SOURCES INCLUDE REGEX "_fuzz\\.cc$")
    assay_afl_mutator(${name} ${A_SOURCES})
  endif()

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
