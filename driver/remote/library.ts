// SPDX-License-Identifier: MIT

/**
 * The functions of the C library for sockets and for starting ssh.
 *
 * @module
 */

const SYMBOLS = {
  getaddrinfo: {
    parameters: [
      "buffer", // const char *node
      "buffer", // const char *service
      "buffer", // const struct addrinfo *hints
      "buffer", // struct addrinfo **result
    ],
    result: "i32",
  },
  freeaddrinfo: { parameters: ["pointer"], result: "void" }, // struct addrinfo *result
  gai_strerror: { parameters: ["i32"], result: "pointer" }, // int error
  socket: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32",
  },
  socketpair: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
      "buffer", // int pair[2]
    ],
    result: "i32",
  },
  connect: {
    parameters: [
      "i32", // int socket
      "pointer", // const struct sockaddr *address
      "u32", // socklen_t length
    ],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      "i32", // int socket
      "i32", // int level
      "i32", // int name
      "buffer", // const void *value
      "u32", // socklen_t length
    ],
    result: "i32",
  },
  send: {
    parameters: [
      "i32", // int socket
      "buffer", // const void *data
      "usize", // size_t length
      "i32", // int flags
    ],
    result: "isize",
  },
  recv: {
    parameters: [
      "i32", // int socket
      "buffer", // void *data
      "usize", // size_t length
      "i32", // int flags
    ],
    result: "isize",
  },
  recvAsync: {
    name: "recv",
    parameters: [
      "i32", // int socket
      "buffer", // void *data, which Deno keeps alive until the call returns
      "usize", // size_t length
      "i32", // int flags
    ],
    result: "isize",
    nonblocking: true,
  },
  poll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" }, // int fd
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
    ],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *data
      "usize", // size_t length
    ],
    result: "isize",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *data
      "usize", // size_t length
    ],
    result: "isize",
  },
  tcgetattr: {
    parameters: [
      "i32", // int fd
      "buffer", // struct termios *line
    ],
    result: "i32",
  },
  tcsetattr: {
    parameters: [
      "i32", // int fd
      "i32", // int when
      "buffer", // const struct termios *line
    ],
    result: "i32",
  },
  cfmakeraw: { parameters: ["buffer"], result: "void" }, // struct termios *line
  cfsetspeed: {
    parameters: [
      "buffer", // struct termios *line
      "u32", // speed_t speed
    ],
    result: "i32",
  },
  tcflush: {
    parameters: [
      "i32", // int fd
      "i32", // int which
    ],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_adddup2: {
    parameters: [
      "buffer", // posix_spawn_file_actions_t *actions
      "i32", // int fd
      "i32", // int newfd
    ],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnp: {
    parameters: [
      "buffer", // pid_t *pid
      "buffer", // const char *file
      "buffer", // const posix_spawn_file_actions_t *actions
      "pointer", // const posix_spawnattr_t *attributes
      "buffer", // char *const argv[]
      "pointer", // char *const envp[]
    ],
    result: "i32",
  },
  waitpid: {
    parameters: [
      "i32", // pid_t pid
      "buffer", // int *status
      "i32", // int options
    ],
    result: "i32",
  },
  environ: { type: "pointer" }, // char ***, the address of the variable
  __errno_location: { parameters: [], result: "pointer" }, // int *
} as const satisfies Deno.ForeignLibraryInterface;

/** The part of the C library that connections use. */
export interface Library {
  /** The functions. */
  readonly c: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  /** errno of this thread. */
  readonly errno: Int32Array;
}

let loaded: Library | undefined;

/**
 * Opens the C library at the first call.
 *
 * @returns The functions, and errno. Read errno directly after a synchronous call.
 */
export function library(): Library {
  if (loaded !== undefined) return loaded;
  const { symbols: c } = Deno.dlopen("libc.so.6", SYMBOLS);
  const location = c.__errno_location();
  if (location === null) throw new Error("Expected the address of errno, found null");
  loaded = { c, errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4)) };
  return loaded;
}
