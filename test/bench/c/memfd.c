/* What Linux takes to allocate and to punch pages of a memfd, in nanoseconds a call. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L
#define TURNS 11
#define CALLS 2000

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void each(int fd, int mode, long pages, long calls) {
  for (long i = 0; i < calls; i++) {
    if (fallocate(fd, mode, i * pages * PAGE, pages * PAGE) != 0) {
      perror("fallocate");
      exit(1);
    }
  }
}

static void measure(long pages) {
  int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  long calls = pages > 1 ? CALLS / 40 : CALLS;
  double fill[TURNS], empty[TURNS];
  int fd = memfd_create("bench", 0);
  if (fd < 0 || ftruncate(fd, calls * pages * PAGE) != 0) {
    perror("memfd");
    exit(1);
  }
  each(fd, 0, pages, calls);
  each(fd, punch, pages, calls);
  for (int turn = 0; turn < TURNS; turn++) {
    double start = now();
    each(fd, 0, pages, calls);
    double filled = now();
    each(fd, punch, pages, calls);
    empty[turn] = (now() - filled) / calls;
    fill[turn] = (filled - start) / calls;
  }
  qsort(fill, TURNS, sizeof *fill, by_size);
  qsort(empty, TURNS, sizeof *empty, by_size);
  printf("memfd, %ld page%s, ns\tfallocate\t%.1f\n", pages, pages > 1 ? "s" : "", fill[TURNS / 2]);
  printf("memfd, %ld page%s, ns\tpunch\t%.1f\n", pages, pages > 1 ? "s" : "", empty[TURNS / 2]);
  close(fd);
}

int main(void) {
  measure(1);
  measure(512);
  return 0;
}
