#include "cli/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

#define PROGRAM "/usr/bin/systemd-creds"

extern char **environ;

enum { KEY_ROOM = 48, PATH_ROOM = 4096 };

enum err machine_check(void)
{
	return access(PROGRAM, X_OK) == 0 ? OK : ERR_NOT_FOUND;
}

static bool is_key(const char *with_key)
{
	static const char *const keys[] = { "tpm2", "host+tpm2", "host" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (util_streq(keys[i], with_key))
			return true;
	return false;
}

static enum err start(const char *with_key, const char *path, int in, pid_t *ret)
{
	char key[KEY_ROOM], out[PATH_ROOM];
	char program[] = "systemd-creds", order[] = "encrypt", from[] = "-";
	char name[] = "--name=" MACHINE_CREDENTIAL;
	char *const argv[] = { program, order, name, key, from, out, NULL };
	posix_spawn_file_actions_t actions;

	snprintf(key, sizeof(key), "--with-key=%s", with_key);
	if (snprintf(out, sizeof(out), "%s%s", *path == '-' ? "./" : "", path) >= (int)sizeof(out))
		return ERR_TOO_BIG;
	if (posix_spawn_file_actions_init(&actions))
		return ERR_NOMEM;
	int failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!failed)
		failed = posix_spawn(ret, PROGRAM, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return failed ? ERR_UNAVAILABLE : OK;
}

/* It takes no more than a pipe holds. */
static enum err feed(const char *secret, int *ret_in)
{
	_cleanup_close_ int in = -1, out = -1;
	int pair[2];
	size_t len = strlen(secret);

	if (pipe2(pair, O_CLOEXEC) < 0)
		return ERR_IO;
	in = pair[0];
	out = pair[1];
	if (write(out, secret, len) != (ssize_t)len)
		return ERR_IO;
	*ret_in = util_take_fd(&in);
	return OK;
}

enum err machine_seal(const char *secret, const char *with_key, const char *path)
{
	_cleanup_close_ int in = -1;
	pid_t child;
	int status;

	if (!is_key(with_key))
		return ERR_INVALID;
	enum err err = feed(secret, &in);
	if (!err)
		err = start(with_key, path, in, &child);
	if (err)
		return err;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return ERR_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? OK : ERR_UNAVAILABLE;
}
