#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/lang.h"
#include "cli/text.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = signal;
}

enum err prompt_line(int fd, struct secret **ret)
{
	char line[PROMPT_MAX + 2]; /* with a CR */
	size_t len = 0;
	enum err err = OK;
	char byte = 0;

	/* Byte by byte: what follows the line belongs to somebody else. */
	for (;;) {
		ssize_t got = read(fd, &byte, 1);
		if (got < 0) {
			err = ERR_CLOSED;
			break;
		}
		if (got == 0 || byte == '\n') {
			err = got == 0 && len == 0 ? ERR_CLOSED : OK;
			break;
		}
		if (len == sizeof(line)) {
			err = ERR_TOO_BIG;
			break;
		}
		line[len++] = byte;
	}
	if (!err && len > 0 && line[len - 1] == '\r')
		len--;
	if (!err && len > PROMPT_MAX)
		err = ERR_TOO_BIG;
	if (!err)
		err = secret_new(line, len, ret);
	secret_wipe(line, sizeof(line));
	secret_wipe(&byte, 1);
	return err;
}

/*
 * The terminal gives whole lines, so once there is something to read prompt_line does not wait. The
 * signals are open only inside ppoll: one that comes just before it is not lost.
 */
static enum err wait_for_line(const sigset_t *open)
{
	struct pollfd poll_fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return ppoll(&poll_fd, 1, NULL, open) == 1 ? OK : ERR_CLOSED;
}

/* With echo off, and on again even when the person presses Ctrl-C. */
static enum err read_hidden(const char *label, struct secret **ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP };
	struct sigaction handler = { .sa_handler = on_interrupt }, before[ARRAY_SIZE(signals)];
	struct termios echoing, hidden;
	sigset_t caught, open;

	if (tcgetattr(STDIN_FILENO, &echoing) < 0)
		return ERR_IO;
	hidden = echoing;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	sigemptyset(&caught);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&caught, signals[i]);
		sigaction(signals[i], &handler, &before[i]);
	}
	sigprocmask(SIG_BLOCK, &caught, &open);
	/* Echo off before the question shows, or a quick answer would be seen. */
	enum err err = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0 ? ERR_IO : OK;
	if (!err) {
		fprintf(stderr, "%s: ", label);
		err = wait_for_line(&open);
	}
	if (!err)
		err = prompt_line(STDIN_FILENO, ret);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &echoing);
	fputc('\n', stderr);
	sigprocmask(SIG_SETMASK, &open, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	if (interrupted)
		raise(interrupted);
	return err;
}

enum err prompt_password(const char *label, bool twice, struct secret **ret)
{
	_cleanup_secret_ struct secret *first = NULL, *second = NULL;
	enum err err;

	if (!isatty(STDIN_FILENO))
		return prompt_line(STDIN_FILENO, ret);
	err = read_hidden(label, &first);
	if (!err && twice)
		err = read_hidden(lang("once more", "もう一度"), &second);
	if (err)
		return err;
	if (twice && (secret_len(first) != secret_len(second) ||
		      !secret_equal(secret_text(first), secret_text(second), secret_len(first))))
		return ERR_INVALID;
	*ret = util_take_ptr(first);
	return OK;
}
