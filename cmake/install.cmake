# cmake --install: the headers, the library, and what find_package and pkg-config ask for. Everything is found relative to
# where it lies, so that the folder can be moved. The static library goes along in flavours without the tester's seams.
include(CMakePackageConfigHelpers)

# The header's number is 10000 * major + 100 * minor + patch.
file(STRINGS "${CMAKE_SOURCE_DIR}/allocator/include/ximalloc.h" XIMALLOC_NUMBER REGEX "#define XI_VERSION [0-9]+")
string(REGEX REPLACE "[^0-9]" "" XIMALLOC_NUMBER "${XIMALLOC_NUMBER}")
math(EXPR XIMALLOC_MAJOR "${XIMALLOC_NUMBER} / 10000")
math(EXPR XIMALLOC_MINOR "${XIMALLOC_NUMBER} / 100 % 100")
math(EXPR XIMALLOC_PATCH "${XIMALLOC_NUMBER} % 100")
set(XIMALLOC_VERSION "${XIMALLOC_MAJOR}.${XIMALLOC_MINOR}.${XIMALLOC_PATCH}")

if(TARGET ximalloc_shared)
  configure_file("${CMAKE_SOURCE_DIR}/cmake/package/ximalloc.pc.in" "${CMAKE_BINARY_DIR}/package/ximalloc.pc" @ONLY)
  write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/ximalloc-config-version.cmake"
    VERSION "${XIMALLOC_VERSION}" COMPATIBILITY SameMajorVersion)
  install(FILES allocator/include/ximalloc.h allocator/include/ximalloc.hpp DESTINATION include)
  install(TARGETS ximalloc_shared LIBRARY DESTINATION lib)
  install(FILES cmake/package/ximalloc-config.cmake "${CMAKE_BINARY_DIR}/package/ximalloc-config-version.cmake"
    DESTINATION lib/cmake/ximalloc)
  install(FILES "${CMAKE_BINARY_DIR}/package/ximalloc.pc" DESTINATION lib/pkgconfig)
  if(NOT ASSAY_TEST_SEAMS)
    install(TARGETS ximalloc ARCHIVE DESTINATION lib)
  endif()
endif()
