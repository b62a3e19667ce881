// The thread of option background_purge: what a tick of some thread would give back goes back also while no thread
// calls the allocator. Pages in the queues of threads that live are theirs to look at.
#pragma once

namespace xi {

// The thread runs, or has ended, as the option says. Not from inside of the allocator: the C library allocates
// meanwhile.
void follow_background_option();

// For the fork handlers: it is between two looks meanwhile. The child has none until it sets the option.
void hold_background();
void release_background();
void forget_background();

}  // namespace xi
