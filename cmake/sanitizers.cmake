# Sanitizers apply to the whole flavour; coverage counters only to the allocator (see fuzz_target.cmake).
if(ASSAY_SANITIZE)
  add_compile_options(-fsanitize=${ASSAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ASSAY_SANITIZE})
  if(ASSAY_SANITIZE MATCHES "undefined")
    # vptr needs RTTI, which the allocator does without.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
