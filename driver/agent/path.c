// SPDX-License-Identifier: MIT
/* Which paths a desk may use. */
#include "path.h"

#include <string.h>

bool path_matches(const char *pattern, const char *path)
{
	for (; *pattern != '*'; pattern++, path++) {
		if (*pattern != *path)
			return false;
		if (*pattern == '\0')
			return true;
	}
	for (pattern++;; path++) {
		if (path_matches(pattern, path))
			return true;
		if (*path == '\0' || *path == '/')
			return false;
	}
}

bool path_is_among(const char *const *patterns, size_t count, const char *path)
{
	/* a `*` would match two dots */
	if (strstr(path, "/.."))
		return false;
	for (size_t i = 0; i < count; i++)
		if (path_matches(patterns[i], path))
			return true;
	return false;
}
