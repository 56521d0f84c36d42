#include "monitor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "monitor/refuse.h"
#include "wire/child.h"

enum { SPAWN_EXIT_EXEC = 127, SPAWN_ENV_MAX = 256 };

/* Taken over from our own environment when set. */
static const char *const kept_variables[] = { "LANG", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS",
					      "LSAN_OPTIONS" };

enum err spawn_find_user(const char *role, struct spawn_user *ret)
{
	char name[64];

	if (geteuid() != 0) {
		*ret = (struct spawn_user){ geteuid(), getegid(), false };
		return OK;
	}
	snprintf(name, sizeof(name), "sekisho-%s", role);
	const struct passwd *user = getpwnam(name);
	if (!user || user->pw_uid == 0) {
		refuse("as root each process needs its own user; make it with: useradd --system "
		       "--user-group "
		       "--no-create-home --shell /usr/sbin/nologin <user>",
		       "root で起動するには専用のユーザーが必要です。useradd で作成してください",
		       "user %s", name);
		return ERR_NOT_FOUND;
	}
	*ret = (struct spawn_user){ user->pw_uid, user->pw_gid, true };
	return OK;
}

static enum err program_path(const struct spawn_place *place, const char *role, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/sekisho-%s", place->program_dir, role);

	return len > 0 && len < PATH_MAX ? OK : ERR_TOO_BIG;
}

enum err spawn_check(const struct spawn_place *place, const char *role)
{
	char path[PATH_MAX];

	enum err err = program_path(place, role, path);
	if (err)
		return err;
	if (access(path, X_OK) == 0)
		return OK;
	int saved_errno = errno;
	refuse_errno("%s", path);
	return err_from_errno(saved_errno);
}

struct environment {
	char text[ARRAY_SIZE(kept_variables)][SPAWN_ENV_MAX];
	char *list[ARRAY_SIZE(kept_variables) + 3];
};

static void environment_fill(struct environment *environment)
{
	static char path[] = "PATH=/usr/bin:/bin", home[] = "HOME=/nonexistent";
	size_t count = 0;

	environment->list[count++] = path;
	environment->list[count++] = home;
	for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
		const char *value = getenv(kept_variables[i]);
		char *text = environment->text[i];
		if (!value)
			continue;
		int len = snprintf(text, SPAWN_ENV_MAX, "%s=%s", kept_variables[i], value);
		if (len > 0 && len < SPAWN_ENV_MAX)
			environment->list[count++] = text;
	}
	environment->list[count] = NULL;
}

/* Signals as a fresh process expects them: the monitor's are blocked for its signalfd. */
static bool reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0 && signal(SIGPIPE, SIG_DFL) != SIG_ERR;
}

static bool arrange_descriptors(int channel_fd, int log_fd)
{
	_cleanup_close_ int null_fd = open("/dev/null", O_RDONLY);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
	    dup2(log_fd, STDERR_FILENO) < 0)
		return false;
	/* dup2 onto itself would keep close-on-exec. */
	if (channel_fd == CHILD_MONITOR_FD ? fcntl(channel_fd, F_SETFD, 0) < 0
					   : dup2(channel_fd, CHILD_MONITOR_FD) < 0)
		return false;
	/* null_fd is closed here too, if it is not 3 by now. */
	if (close_range(CHILD_MONITOR_FD + 1, ~0U, 0) < 0)
		return false;
	util_take_fd(&null_fd);
	return true;
}

static bool change_user(const struct spawn_user *user)
{
	if (!user->change)
		return true;
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return false;
	/* A user who could take root back has not been changed. */
	return setuid(0) < 0;
}

/*
 * What a hostile PC sends must take no memory from anybody else: the kernel's choice when there is
 * none left, proc(5).
 */
static void offer_memory(void)
{
	static const char most[] = "1000";

	/* Else the file is root's; the program starts out dumpable in any case. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, most, strlen(most)) < 0)
		log_warn("oom-score", "error=\"%s\"", strerror(errno));
}

/* In the new process; does not return. */
static void become(const char *path, const char *settings_path, const struct spawn_user *user,
		   const struct spawn_gift *gift, pid_t monitor)
{
	char *argv[] = { (char *)path, (char *)settings_path, NULL };
	struct environment environment;

	environment_fill(&environment);
	/* A session of its own: Ctrl-C at the terminal reaches the monitor alone, which then stops
	 * us. The death signal comes after the user has changed, which would clear it. */
	bool good = reset_signals() && setsid() >= 0 &&
		    arrange_descriptors(gift->channel_fd, gift->log_fd);
	log_init(NULL, LOG_LEVEL_INFO);
	if (good && gift->first_to_go)
		offer_memory();
	if (good && gift->nice && setpriority(PRIO_PROCESS, 0, gift->nice) < 0)
		log_warn("nice", "error=\"%s\"", strerror(errno));
	good = good && change_user(user) && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
	umask(077);
	if (good && getppid() == monitor)
		execve(path, argv, environment.list);
	log_error("exec-failed", "program=\"%s\" uid=%u error=\"%s\"", path, (unsigned)geteuid(),
		  strerror(errno));
	_exit(SPAWN_EXIT_EXEC);
}

enum err spawn_process(const struct spawn_place *place, const char *role,
		       const struct spawn_user *user, const struct spawn_gift *gift, pid_t *ret_pid)
{
	char path[PATH_MAX];
	pid_t monitor = getpid();

	enum err err = program_path(place, role, path);
	if (err)
		return err;
	pid_t pid = fork();
	if (pid < 0)
		return err_from_errno(errno);
	if (pid == 0)
		become(path, place->settings_path, user, gift, monitor);
	*ret_pid = pid;
	return OK;
}
