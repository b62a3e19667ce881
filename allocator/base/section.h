// Included before everything else when the allocator is compiled for the test flavours: all its code goes into a
// section of its own, so that a tester can say of a program counter whether it is the allocator's (xi_debug_owns_code).
#pragma once
#pragma clang section text = "xi_text"
