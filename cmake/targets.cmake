# assay_library(NAME SOURCES ... DEPS ...): a static library of one layer of the house.
# assay_tests(NAME SOURCES ... DEPS ...): one GoogleTest executable; each test becomes a CTest test.
function(assay_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${A_DEPS} PRIVATE assay_warnings)
  # The harness must hand every pair of malloc and free to the subject, so the compiler may not delete any.
  target_compile_options(${name} PRIVATE -fno-builtin)
endfunction()

function(assay_tests name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${A_DEPS} assay_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE -fno-builtin)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()
