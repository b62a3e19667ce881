/* A shared object without an allocator in it. */
int answer(void) {
  return 42;
}
