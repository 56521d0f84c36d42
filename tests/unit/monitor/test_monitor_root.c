#include "unit/monitor/place.h"

#include <sched.h>
#include <sys/mount.h>

/* ---- as root
 * --------------------------------------------------------------------------------------- */

enum { FIRST_UID = 61001, EXPORT_UID = 61099 };

/* In a mount namespace of its own /etc/passwd has, or has not, our users. */
static void see_users(bool with_users)
{
	char path[128], text[1024] = "root:x:0:0::/root:/bin/sh\n";

	for (unsigned i = 0; with_users && i < ARRAY_SIZE(role_names); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "sekisho-%s:x:%u:%u::/:/bin/false\n", role_names[i], FIRST_UID + i,
			 FIRST_UID + i);
	if (with_users)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "sekisho-export:x:%u:%u::/:/bin/false\n"
			 "sekisho-preview:x:%u:%u::/:/bin/false\n",
			 EXPORT_UID, EXPORT_UID, EXPORT_UID + 1, EXPORT_UID + 1);
	snprintf(path, sizeof(path), "%s/passwd", place);
	if (util_write_file(path, text, strlen(text), 0644) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, "/etc/passwd", NULL, MS_BIND, NULL) < 0)
		_exit(94);
}

static pid_t fork_root_monitor(bool with_users)
{
	char path[128];

	/* Everything below belongs to who runs the monitor. */
	assert_int_equal(chown(place, 0, 0), 0);
	snprintf(path, sizeof(path), "%s/passphrase", place);
	assert_int_equal(chown(path, 0, 0), 0);
	snprintf(path, sizeof(path), "%s/vault-passphrase", place);
	assert_int_equal(chown(path, 0, 0), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgroups(1, &(gid_t){ 0 }) < 0) /* must not be handed on */
		_exit(95);
	see_users(with_users);
	_exit(run_monitor("conf"));
}

static bool may_unshare(void)
{
	int status = 1;
	pid_t pid = geteuid() == 0 ? fork() : -1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void test_root_gives_each_its_user(void **state)
{
	char text[200], path[128];
	struct stat status;

	(void)state;
	if (!may_unshare())
		skip();
	monitor_pid = fork_root_monitor(true);
	struct pids pids = started();
	spawn_worker(pids.broker, 0, 0x61);
	spawn_exporter_as(pids.broker, 1, 0, EXPORT_UID);
	/* From a file that its user may not read. */
	wait_event("signer", pids.signer, "file ca-passphrase open-sesame");
	for (unsigned i = 0; i < ARRAY_SIZE(role_names); i++) {
		snprintf(text, sizeof(text),
			 "fds 0,1,2,3, home /nonexistent secret none dir 700 owner 1 term-blocked "
			 "0 uid %u groups 0 nnp 1",
			 FIRST_UID + i);
		wait_event(role_names[i], 0, text);
	}
	/* None of them could connect to the admin socket. */
	snprintf(path, sizeof(path), "%s/run/admin.sock", place);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	/* The death signal survives the change of user. */
	kill(monitor_pid, SIGKILL);
	wait_exit(monitor_pid);
	monitor_pid = 0;
	wait_gone(pids.edge);
	wait_gone(pids.broker);
}

static void test_root_without_users_is_refused(void **state)
{
	(void)state;
	if (!may_unshare())
		skip();
	assert_int_equal(wait_exit(fork_root_monitor(false)), 1);
	assert_null(read_events("edge"));
}

static void test_foreign_folder_is_refused(void **state)
{
	char path[128];

	(void)state;
	if (!may_unshare())
		skip();
	snprintf(path, sizeof(path), "%s/state", place);
	assert_int_equal(mkdir(path, 0711), 0);
	snprintf(path, sizeof(path), "%s/state/edge", place);
	assert_int_equal(mkdir(path, 0700), 0); /* root's, not the edge's */
	assert_int_equal(wait_exit(fork_root_monitor(true)), 1);
}

static void test_child_by_hand(void **state)
{
	char program[128];
	int status;

	(void)state;
	snprintf(program, sizeof(program), "%s/bin/sekisho-edge", place);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(3);
		execl(program, program, "conf", (char *)NULL);
		_exit(93);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

int main(int argc, char **argv)
{
	int code;

	if (standin_is(argc, argv, &code))
		return code;
	const struct CMUnitTest tests[] = {
		with_place(test_foreign_folder_is_refused),
		cmocka_unit_test_setup_teardown(test_root_gives_each_its_user, make_place,
						stop_monitor),
		with_place(test_root_without_users_is_refused),
		with_place(test_child_by_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
