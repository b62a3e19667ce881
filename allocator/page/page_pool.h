// Page structs for huge blocks that have a mapping of their own. Type-stable: a struct that is given back serves the
// next one, and its memory never goes.
#pragma once

#include "allocator/page/page.h"

namespace xi {

Page* take_page_struct();  // null when there is no memory
void give_page_struct(Page* page);

void lock_page_pool();
void unlock_page_pool();
void reset_page_pool();

}  // namespace xi
