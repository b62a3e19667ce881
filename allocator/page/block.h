// A free block holds the link to the next free block of its list. These two accessors are the only code that touches
// the memory of free blocks.
#pragma once

namespace xi {

struct Block {
  Block* next;
};

inline Block* next_of(const Block* block) {
  return block->next;
}
inline void set_next(Block* block, Block* next) {
  block->next = next;
}

}  // namespace xi
