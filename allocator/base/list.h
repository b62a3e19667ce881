// An intrusive doubly linked list. The links are members of the element, named by the caller, so that one element can
// be in several lists. The caller keeps other threads away.
#pragma once

#include <cstddef>

#include "allocator/base/assert.h"

namespace xi {

template <class T, T* T::* Next, T* T::* Prev>
class List {
 public:
  constexpr List() = default;

  T* first() const { return first_; }
  T* last() const { return last_; }
  bool empty() const { return first_ == nullptr; }

  void push_front(T* element) {
    element->*Prev = nullptr;
    element->*Next = first_;
    (first_ != nullptr ? first_->*Prev : last_) = element;
    first_ = element;
  }

  void push_back(T* element) {
    element->*Next = nullptr;
    element->*Prev = last_;
    (last_ != nullptr ? last_->*Next : first_) = element;
    last_ = element;
  }

  void remove(T* element) {
    T* const next = element->*Next;
    T* const prev = element->*Prev;
    XI_ASSERT(prev != nullptr ? prev->*Next == element : first_ == element);
    XI_ASSERT(next != nullptr ? next->*Prev == element : last_ == element);
    (next != nullptr ? next->*Prev : last_) = prev;
    (prev != nullptr ? prev->*Next : first_) = next;
    element->*Next = nullptr;
    element->*Prev = nullptr;
  }

  // Links agree in both directions, and there is no cycle: the list ends after at most `limit` elements.
  bool is_valid(size_t limit) const {
    const T* prev = nullptr;
    const T* element = first_;
    for (; element != nullptr && limit > 0; element = element->*Next, --limit) {
      if (element->*Prev != prev) return false;
      prev = element;
    }
    return element == nullptr && last_ == prev;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace xi
