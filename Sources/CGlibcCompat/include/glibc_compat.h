#ifndef STACKCERT_GLIBC_COMPAT_H
#define STACKCERT_GLIBC_COMPAT_H

#include <spawn.h>

// The Swift runtime asks glibc for hypot and hypotf at version GLIBC_2.35, which Amazon Linux 2023 (glibc 2.34)
// does not have. Defining both here satisfies the linker before it turns to glibc.
double hypot(double x, double y);
float hypotf(float x, float y);

// Swift's Glibc module shows what <spawn.h> declares without _GNU_SOURCE, and this is not among it (since glibc 2.34).
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#endif
