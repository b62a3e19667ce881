// The pages of one bin that a heap allocates from; the first one is tried first.
#pragma once

#include "allocator/base/list.h"
#include "allocator/page/page.h"

namespace xi {

using PageQueue = List<Page, &Page::queue_next, &Page::queue_prev>;
using HeapPageList = List<Page, &Page::heap_next, &Page::heap_prev>;

}  // namespace xi
