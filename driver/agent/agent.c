// SPDX-License-Identifier: MIT
/*
 * plumbline-agent: lets a Plumbline that runs elsewhere use the DMA devices of this machine.
 *
 * Each connection gets a process of its own, so the kernel releases everything when it ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "load.h"
#include "protocol.h"
#include "serial.h"
#include "session.h"

#define MAX_CONNECTIONS	64

static const char usage[] =
	"Usage: plumbline-agent [OPTIONS]\n"
	"\n"
	"Lets a Plumbline that runs elsewhere use the DMA devices of this machine.\n"
	"\n"
	"  --stdio               serve standard input and output, as ssh starts it\n"
	"  --listen [ADDR:]PORT  serve TCP connections (default: 127.0.0.1:7562)\n"
	"  --serial DEVICE[:BAUD]\n"
	"                        serve a serial line (default: 115200 bit/s)\n"
	"  --token-file FILE     the token that every connection must send (default: that in\n"
	"                        PLUMBLINE_AGENT_TOKEN). Needed unless ADDR is a loopback address\n"
	"  --allow PATTERN       device nodes that may be opened (default: /dev/pldma*). May be\n"
	"                        given several times\n"
	"  --allow-load          let the desk load bitstreams: it may write firmware, and bind and\n"
	"                        unbind pldma\n"
	"  --allow-faults        let the desk inject faults, if this is a virtual board\n"
	"  --help                this text\n";

/* Prints the parts of a line, up to NULL. */
static void say(const char *part, ...)
{
	__builtin_va_list parts;

	__builtin_va_start(parts, part);
	for (; part; part = __builtin_va_arg(parts, const char *))
		(void)!write(STDERR_FILENO, part, strlen(part));
	__builtin_va_end(parts);
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void refuse(const char *expected, const char *found)
{
	say("plumbline-agent: expected ", expected, ", found ", found, ": see --help", NULL);
	exit(2);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Parses PORT, ADDR:PORT or [ADDR]:PORT. */
static union address parse_address(const char *text)
{
	union address address = { .v4 = { .sin_family = AF_INET } };
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	char host[INET6_ADDRSTRLEN + 2] = "127.0.0.1", *end;
	unsigned long number = strtoul(port, &end, 10);
	size_t length;

	if (*port < '0' || *port > '9' || *end || number < 1 || number > 65535)
		refuse("--listen to be [ADDR:]PORT", text);
	if (colon) {
		length = (size_t)(colon - text);
		if (length >= 2 && *text == '[' && colon[-1] == ']') {
			text++;
			length -= 2;
		}
		if (length >= sizeof(host))
			refuse("an IP address", text);
		memcpy(host, text, length);
		host[length] = 0;
	}
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_port = htons((uint16_t)number);
		return address;
	}
	address = (union address){ .v6 = { .sin6_family = AF_INET6 } };
	if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) != 1)
		refuse("an IP address", host);
	address.v6.sin6_port = htons((uint16_t)number);
	return address;
}

static bool is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

/* Reads the first line of a file that only its owner can read. */
static const char *read_token(const char *path)
{
	static char token[AGENT_MAX_TOKEN + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	ssize_t length;

	if (fd < 0 || fstat(fd, &file))
		refuse("--token-file to name a file that can be read", path);
	if (file.st_mode & 077)
		refuse("a token file that only its owner can access (chmod 600)", path);
	length = read(fd, token, sizeof(token) - 1);
	close(fd);
	token[length < 0 ? 0 : length] = 0;
	token[strcspn(token, "\r\n")] = 0;
	return token;
}

/* strerror() would bring all messages of the C library with it. */
static const char *why_no_port(void)
{
	switch (errno) {
	case EADDRINUSE:
		return "another program uses it";
	case EADDRNOTAVAIL:
		return "this machine does not have the address";
	case EACCES:
		return "a port below 1024 needs root";
	default:
		return "the kernel refuses it";
	}
}

static int listen_at(const union address *address)
{
	const int on = 1;
	int server = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(server, &address->any, sizeof(*address)) || listen(server, 16)) {
		say("plumbline-agent: the port cannot be used: ", why_no_port(), NULL);
		exit(1);
	}
	return server;
}

/* Serves one connection in this process, which ends with the agent. */
static void serve(int socket, const char *token, pid_t agent)
{
	struct stream stream = { socket, socket, NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != agent)
		_exit(1);
	stream_keep_alive(socket);
	session_serve(&stream, token);
	_exit(0);
}

static void accept_all(int server, const char *token)
{
	pid_t agent = getpid();
	int running = 0;

	for (;;) {
		int socket = accept4(server, NULL, NULL, SOCK_CLOEXEC);
		pid_t child;

		while (running > 0 && waitpid(-1, NULL, WNOHANG) > 0)
			running--;
		if (socket < 0)
			continue;
		child = running < MAX_CONNECTIONS ? fork() : -1;
		if (child == 0) {
			close(server);
			serve(socket, token, agent);
		}
		if (child > 0)
			running++;
		close(socket);
	}
}

/* Serves one desk after another on a serial line, each in a process of its own. */
static void serve_line(int fd, const char *token)
{
	struct stream_line *line = mmap(NULL, sizeof(*line), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct stream stream = { fd, fd, line };
	pid_t agent = getpid();

	if (line == MAP_FAILED)
		exit(1);
	for (;;) {
		pid_t child;

		line->whole = false;
		child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != agent)
				_exit(1);
			session_serve(&stream, token);
			_exit(0);
		}
		while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		/* the rest of a frame that did not go on */
		if (!line->whole)
			serial_flush(fd);
	}
}

int main(int argc, char **argv)
{
	union address address = parse_address("7562");
	const char *token = getenv("PLUMBLINE_AGENT_TOKEN");
	const char *line = NULL;
	bool stdio = false;

	for (int i = 1; i < argc; i++) {
		const char *option = argv[i], *value = argv[i + 1];

		if (!strcmp(option, "--help")) {
			(void)!write(STDOUT_FILENO, usage, sizeof(usage) - 1);
			return 0;
		}
		if (!strcmp(option, "--stdio")) {
			stdio = true;
			continue;
		}
		if (!strcmp(option, "--allow-faults")) {
			device_allow_faults();
			continue;
		}
		if (!strcmp(option, "--allow-load")) {
			load_allow();
			continue;
		}
		if (!value)
			refuse("an option with its value", option);
		if (!strcmp(option, "--listen"))
			address = parse_address(value);
		else if (!strcmp(option, "--serial"))
			line = value;
		else if (!strcmp(option, "--token-file"))
			token = read_token(value);
		else if (!strcmp(option, "--allow")) {
			if (device_allow(value))
				refuse("at most 16 patterns", value);
		} else
			refuse("an option", option);
		i++;
	}
	if (token && (!*token || strlen(token) > AGENT_MAX_TOKEN))
		refuse("a token of 1 to 256 bytes", "another length");
	if (stdio) {
		/* ssh has checked who this is */
		session_serve(&(struct stream){ STDIN_FILENO, STDOUT_FILENO, NULL }, NULL);
		return 0;
	}
	if (line) {
		/* whoever holds the other end is at the machine, so a token is no must */
		int fd = serial_open(line);

		if (fd < 0)
			refuse("--serial to be a serial line, such as /dev/ttyPS1:115200", line);
		serve_line(fd, token);
	}
	if (!token && !is_loopback(&address))
		refuse("a token, because the address is not a loopback address", "none");
	accept_all(listen_at(&address), token);
}
