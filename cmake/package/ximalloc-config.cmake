# find_package(ximalloc): the library with its headers, and, where it was installed, the one to link statically. Neither
# replaces malloc by being found: a program links ximalloc::ximalloc first (or preloads it) for that, or calls xi_malloc.
get_filename_component(_ximalloc_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET ximalloc::ximalloc)
  add_library(ximalloc::ximalloc SHARED IMPORTED)
  set_target_properties(ximalloc::ximalloc PROPERTIES
    IMPORTED_LOCATION "${_ximalloc_prefix}/lib/libximalloc.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_ximalloc_prefix}/include")
endif()
if(NOT TARGET ximalloc::static AND EXISTS "${_ximalloc_prefix}/lib/libximalloc.a")
  include(CMakeFindDependencyMacro)
  find_dependency(Threads)
  add_library(ximalloc::static STATIC IMPORTED)
  set_target_properties(ximalloc::static PROPERTIES
    IMPORTED_LOCATION "${_ximalloc_prefix}/lib/libximalloc.a"
    INTERFACE_LINK_LIBRARIES Threads::Threads
    INTERFACE_INCLUDE_DIRECTORIES "${_ximalloc_prefix}/include")
endif()
unset(_ximalloc_prefix)
