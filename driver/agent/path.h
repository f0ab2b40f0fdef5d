/* SPDX-License-Identifier: MIT */
/* Which paths a desk may use. */
#ifndef PLUMBLINE_AGENT_PATH_H
#define PLUMBLINE_AGENT_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a path has the form of a pattern, in which a `*` stands for any characters but a slash. */
bool path_matches(const char *pattern, const char *path);

/* Whether a path has the form of one of several patterns, and no part of it is two dots. */
bool path_is_among(const char *const *patterns, size_t count, const char *path);

#endif
