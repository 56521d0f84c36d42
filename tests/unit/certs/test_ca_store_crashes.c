#include "unit/certs/ca_place.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- crashes and full disks ------------------------------------------------------------- */

enum step { FIRST_START, ROTATE, INIT };

static int take_step(struct office *office, enum step step)
{
	const struct ca_change change = { .passphrase = step == INIT ? office->passphrase : NULL,
					  .now_s = now_s };
	bool made;

	if (step == FIRST_START)
		return (int)open_at(office, NULL, now_s, true, &made);
	if (step == ROTATE)
		return (int)ca_store_rotate(&office->store, &change);
	return (int)ca_store_init(&office->store, &change);
}

static int wait_stop(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* fsync is none: what was written survives the end of a process in any case. */
static bool changes_files(const struct __ptrace_syscall_info *info)
{
	static const long calls[] = {
#ifdef SYS_mkdir
		SYS_mkdir,   SYS_rename,    SYS_rmdir,    SYS_unlink,
#endif
		SYS_mkdirat, SYS_renameat2, SYS_unlinkat, SYS_write,
	};

	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & O_CREAT;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if ((uint64_t)calls[i] == info->entry.nr)
			return true;
	return false;
}

/* Lets it run to the next call that may change files, which is then entered but not done. */
static bool run_to_change(pid_t pid)
{
	for (;;) {
		struct __ptrace_syscall_info info;
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		int status = wait_stop(pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(&info))
			return true;
	}
}

/* Either what was there before or the whole of what was to come, and nothing half made. */
static void check_after(struct office *office, enum step step)
{
	bool made;

	assert_ok(open_at(office, NULL, now_s, step == FIRST_START, &made));
	bool done = ca_number(newest(office)) == 2;
	assert_int_equal(ca_store_is_locked(&office->store), step == INIT && done);
	assert_int_equal(office->store.count, step == ROTATE && done ? 2 : 1);
	assert_false(is_there(office, "ca.new"));
	assert_false(is_there(office, "ca/1.new"));
	assert_false(is_there(office, "ca/2.new"));
	ca_store_finish(&office->store);
}

/* What a crash right now would leave, in a folder of its own. */
static void check_copy(const struct office *office, enum step step)
{
	struct office *copy;
	char command[2 * UNIT_FOLDER + 16];

	setup((void **)&copy);
	snprintf(command, sizeof(command), "cp -a '%s/.' '%s'", office->folder.path,
		 copy->folder.path);
	assert_int_equal(system(command), 0);
	check_after(copy, step);
	teardown((void **)&copy);
}

/* Takes the step in a process that is stopped before every change: the files are then what they
 * would be if it had been killed there. */
static void crash_everywhere(enum step step)
{
	struct office *office;
	unsigned changes = 0;
	bool made;

	setup((void **)&office);
	if (step != FIRST_START)
		assert_ok(open_at(office, NULL, now_s, true, &made));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(99);
		raise(SIGSTOP);
		_exit(take_step(office, step) != OK);
	}
	assert_true(WIFSTOPPED(wait_stop(pid)));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
			 0);
	for (; run_to_change(pid); changes++)
		check_copy(office, step);
	assert_true(changes >= 5);
	ca_store_finish(&office->store);
	check_after(office, step);
	teardown((void **)&office);
}

static bool may_trace(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void test_crashes(void **state)
{
	(void)state;
	if (!may_trace())
		skip();
	crash_everywhere(FIRST_START);
	crash_everywhere(ROTATE);
	crash_everywhere(INIT);
}

/* A limit on the size of files stands for a disk that fills up. */
static void fill_everywhere(enum step step)
{
	for (rlim_t room = 0; room < 1000; room += step == INIT ? 200 : 40) {
		struct office *office;
		struct rlimit none, limit;
		bool made;
		setup((void **)&office);
		if (step != FIRST_START)
			assert_ok(open_at(office, NULL, now_s, true, &made));
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
		limit = (struct rlimit){ room, none.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		enum err err = (enum err)take_step(office, step);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
		if (err) {
			assert_int_equal(office->store.count, step == FIRST_START ? 0 : 1);
			assert_false(is_there(office, "ca.new"));
			assert_false(is_there(office, "ca/2"));
			assert_false(is_there(office, "ca/2.new"));
			assert_int_equal(is_there(office, "ca/1/issuing.key"), step != FIRST_START);
		} else {
			assert_true(room >= 200); /* no key is as small */
		}
		ca_store_finish(&office->store);
		check_after(office, step);
		teardown((void **)&office);
	}
}

static void test_full_disk(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	fill_everywhere(FIRST_START);
	fill_everywhere(ROTATE);
	fill_everywhere(INIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
