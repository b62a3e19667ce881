# Sanitizers apply to the whole flavour; coverage counters only to the allocator (see fuzz_target.cmake). So does
# MemorySanitizer, which must know of every write: the C++ library that the harness uses is compiled without it.
if(ASSAY_SANITIZE AND NOT ASSAY_SANITIZE STREQUAL "memory")
  add_compile_options(-fsanitize=${ASSAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ASSAY_SANITIZE})
  if(ASSAY_SANITIZE MATCHES "undefined")
    # vptr needs RTTI, which the allocator does without.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
