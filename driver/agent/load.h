/* SPDX-License-Identifier: MIT */
/*
 * The files with which a desk loads a bitstream into the PL: attributes of the FPGA manager and of
 * drivers, the firmware that the kernel reads, device tree overlays, and the record of the last load.
 * None of them may be used until load_allow() is called.
 */
#ifndef PLUMBLINE_AGENT_LOAD_H
#define PLUMBLINE_AGENT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Allows a desk to load a bitstream. */
void load_allow(void);
bool load_is_allowed(void);

/* Whether an existing file may be written. */
bool load_may_write(const char *path);

/* Whether a file may be read, a folder listed, or a link followed, besides those of any desk. */
bool load_may_read(const char *path);
bool load_may_list(const char *path);
bool load_may_follow(const char *path);

/* Makes a file, which must not exist, and opens it for writing. Returns it, or -1 and sets errno. */
int load_create(const char *path);

/* Makes a folder. Returns 0, or -1 and sets errno. */
int64_t load_make_folder(const char *path);

/* Removes a file or a folder. Returns 0, or -1 and sets errno. */
int64_t load_remove(const char *path);

#endif
