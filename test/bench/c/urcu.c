/* A reader section and an idle grace period of liburcu, in nanoseconds. */
#include <stdio.h>
#include <time.h>
#include <urcu/urcu-memb.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(void) {
  long locks = 50000000, graces = 100000;
  urcu_memb_register_thread();
  double start = now();
  for (long i = 0; i < locks; i++) {
    urcu_memb_read_lock();
    __asm__ volatile("" ::: "memory");
    urcu_memb_read_unlock();
  }
  printf("reader section, ns\tliburcu memb\t%.3f\n", (now() - start) / locks);
  start = now();
  for (long i = 0; i < graces; i++) urcu_memb_synchronize_rcu();
  printf("grace period, ns\tliburcu memb\t%.1f\n", (now() - start) / graces);
  urcu_memb_unregister_thread();
  return 0;
}
