#include "allocator/base/list.h"

#include <gtest/gtest.h>

namespace xi {
namespace {

struct Node {
  Node* next = nullptr;
  Node* prev = nullptr;
};
using Nodes = List<Node, &Node::next, &Node::prev>;

TEST(ListTest, KeepsItsOrderAtBothEnds) {
  Node a, b, c;
  Nodes list;
  list.push_back(&b);
  list.push_front(&a);
  list.push_back(&c);
  EXPECT_TRUE(list.is_valid(3));
  EXPECT_EQ(list.first(), &a);
  EXPECT_EQ(list.last(), &c);
  list.remove(&b);
  EXPECT_EQ(a.next, &c);
  list.remove(&a);
  list.remove(&c);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.last(), nullptr);
}

TEST(ListTest, ValidatorSeesABrokenLinkAndACycle) {
  Node a, b;
  Nodes list;
  list.push_back(&a);
  list.push_back(&b);
  b.prev = nullptr;
  EXPECT_FALSE(list.is_valid(2));
  b.prev = &a;
  b.next = &a;
  EXPECT_FALSE(list.is_valid(10));
}

}  // namespace
}  // namespace xi
