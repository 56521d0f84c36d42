#include "cli/recording_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/util.h"
#include "wire/ipc.h"

enum { CONTROL_FD = 3, FILE_MODE = 0600, SHOWN_LOG = 4096 };

struct run {
	struct recording_child *child;
	struct recording_feed *feed;
	char part[PATH_MAX]; /* the file's name until it is whole */
	int file, control, sink, log;
	pid_t pid;
	EVP_MD_CTX *digest;
	bool made;   /* part */
	bool fed;    /* the recording's socket is closed */
	bool done;   /* it has said how it ended */
	bool ended;  /* and that the file has no more bytes */
	bool silent; /* the file's socket is closed */
	struct msg_export_done last;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---- the file -------------------------------------------------------------------------------- */

static enum err begin_file(struct run *run)
{
	const int len = snprintf(run->part, sizeof(run->part), "%s.part", run->child->out);

	if (len < 0 || (size_t)len >= sizeof(run->part))
		return ERR_TOO_BIG;
	if (access(run->child->out, F_OK) == 0)
		return ERR_EXISTS;
	/* One that an interrupted run has left may go. */
	if (unlink(run->part) < 0 && errno != ENOENT)
		return err_from_errno(errno);
	run->file =
		open(run->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (run->file < 0)
		return err_from_errno(errno);
	run->made = true;
	run->digest = EVP_MD_CTX_new();
	return run->digest && EVP_DigestInit_ex(run->digest, EVP_sha256(), NULL) ? OK : ERR_NOMEM;
}

static enum err write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		const ssize_t written = write(fd, data, len);
		if (written < 0 && errno != EINTR)
			return err_from_errno(errno);
		data += MAX(written, 0);
		len -= (size_t)MAX(written, 0);
	}
	return OK;
}

static enum err take_data(struct run *run, const struct msg_export_data *data)
{
	if (data->offset != run->child->bytes)
		return ERR_PROTOCOL;
	if (!EVP_DigestUpdate(run->digest, data->data.data, data->data.len))
		return ERR_CRYPTO;
	run->child->bytes += data->data.len;
	return write_all(run->file, data->data.data, data->data.len);
}

/* Never over one that came to be there meanwhile, where the file system can say so. */
static enum err give_name(const struct run *run)
{
	if (renameat2(AT_FDCWD, run->part, AT_FDCWD, run->child->out, RENAME_NOREPLACE) == 0)
		return OK;
	if (errno != EINVAL && errno != ENOSYS)
		return err_from_errno(errno);
	if (access(run->child->out, F_OK) == 0)
		return ERR_EXISTS;
	return rename(run->part, run->child->out) == 0 ? OK : err_from_errno(errno);
}

/* What came must be what was made, and be on the disk. */
static enum err end_file(struct run *run)
{
	if (!EVP_DigestFinal_ex(run->digest, run->child->sha256, NULL))
		return ERR_CRYPTO;
	if (!run->ended || run->last.bytes != run->child->bytes ||
	    memcmp(run->last.sha256, run->child->sha256, sizeof(run->last.sha256)) != 0)
		return ERR_PROTOCOL;
	if (fsync(run->file) < 0)
		return err_from_errno(errno);
	const int fd = util_take_fd(&run->file);
	if (close(fd) < 0)
		return err_from_errno(errno);
	return give_name(run);
}

/* ---- the program ----------------------------------------------------------------------------- */

/* Beside this program, as it is built, or where it is installed. */
static enum err find_program(char ret[PATH_MAX])
{
	static const char *const places[] = { "", "../lib/sekisho/" };
	char self[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0)
		return ERR_NOT_FOUND;
	self[len] = 0;
	*(strrchr(self, '/') + 1) = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const int size = snprintf(ret, PATH_MAX, "%s%ssekisho-export", self, places[i]);
		if (size > 0 && size < PATH_MAX && access(ret, X_OK) == 0)
			return OK;
	}
	return ERR_NOT_FOUND;
}

/* Its log is for when it fails: a file without a name. */
static enum err spawn(struct run *run, int control)
{
	char path[PATH_MAX], *argv[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	enum err err = find_program(path);

	if (err)
		return ERR_UNAVAILABLE;
	run->log = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (posix_spawn_file_actions_init(&actions))
		return ERR_NOMEM;
	int failed =
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed && run->log >= 0)
		failed = posix_spawn_file_actions_adddup2(&actions, run->log, STDERR_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, control, CONTROL_FD);
	if (!failed)
		failed = posix_spawn(&run->pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed)
		run->pid = 0;
	return failed ? ERR_UNAVAILABLE : OK;
}

/* Its ends of the three pairs are no longer ours when they are sent. */
static enum err start_program(struct run *run, const struct msg_export_start *start)
{
	const struct msg_export_source source = { 0 };
	const struct msg_export_sink sink = { 0 };
	int control[2] = { -1, -1 }, play[2] = { -1, -1 }, out[2] = { -1, -1 };
	enum err err = ipc_pair(control);

	if (!err)
		err = ipc_pair(play);
	if (!err)
		err = ipc_pair(out);
	if (!err)
		err = spawn(run, control[1]);
	if (!err)
		err = ipc_send(control[0], MSG_export_start, start, -1);
	if (!err)
		err = ipc_send(control[0], MSG_export_source, &source, play[1]);
	if (!err)
		err = ipc_send(control[0], MSG_export_sink, &sink, out[1]);
	util_closep(&control[1]);
	util_closep(&play[1]);
	util_closep(&out[1]);
	run->control = control[0];
	run->sink = out[0];
	recording_feed_begin(run->feed, play[0]);
	return err;
}

static void show_log(const struct run *run)
{
	char text[SHOWN_LOG];
	const off_t end = run->log >= 0 ? lseek(run->log, 0, SEEK_END) : 0;
	const off_t from = MAX(end - (off_t)sizeof(text), 0);
	const ssize_t len = end > 0 ? pread(run->log, text, sizeof(text), from) : 0;

	if (len > 0)
		fwrite(text, 1, (size_t)len, stderr);
}

/* Without its sockets it ends by itself; but it may be deep in a picture. */
static void stop_program(struct run *run, bool wanted)
{
	int status = 0;

	if (run->pid <= 0)
		return;
	if (!wanted)
		kill(run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!wanted && !interrupted)
		show_log(run);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static enum err take_control(struct run *run, const struct ipc_received *received)
{
	const struct recording_child *child = run->child;

	if (received->type->id == MSG_export_done) {
		run->last = received->msg.export_done;
		run->done = true;
	} else if (child->progress) {
		child->progress(child->ctx, received->msg.export_progress.permille,
				received->msg.export_progress.bytes);
	}
	return OK;
}

static enum err take_sink(struct run *run, const struct ipc_received *received)
{
	if (received->type->id == MSG_export_end)
		run->ended = true;
	return received->type->id == MSG_export_data ? take_data(run, &received->msg.export_data)
						     : OK;
}

/* All that has come. */
static enum err receive_all(struct run *run, int fd, enum wire_role to)
{
	static struct ipc_received received; /* large; one thread */
	enum err err = OK;

	while (!err) {
		err = ipc_receive(fd, WIRE_EXPORT, to, &received);
		if (err)
			break;
		err = to == WIRE_BROKER ? take_control(run, &received) : take_sink(run, &received);
		ipc_received_finish(&received);
	}
	return err == ERR_UNAVAILABLE ? OK : err;
}

/* It closes the one when it has said everything there; how it ended it may not have said yet. */
static enum err receive_file(struct run *run)
{
	const enum err err = run->silent ? OK : receive_all(run, run->sink, WIRE_PLAYER);

	run->silent = run->silent || err == ERR_CLOSED;
	return err == ERR_CLOSED ? OK : err;
}

static enum err receive_words(struct run *run)
{
	const enum err err = receive_all(run, run->control, WIRE_BROKER);

	return err == ERR_CLOSED && run->done ? OK : err;
}

static bool is_over(const struct run *run)
{
	return run->done && (run->ended || run->silent || run->last.error);
}

static enum err pump(struct run *run)
{
	enum err err = OK;

	while (!err && !is_over(run)) {
		short events = POLLIN;
		if (!run->fed)
			err = recording_feed_step(run->feed, &events);
		/* It needs no more of the recording. */
		if (err == ERR_CLOSED) {
			run->fed = true;
			err = OK;
		}
		struct pollfd polled[] = { { run->control, POLLIN, 0 },
					   { run->silent ? -1 : run->sink, POLLIN, 0 },
					   { run->fed ? -1 : run->feed->fd, events, 0 } };
		if (!err && !interrupted && poll(polled, ARRAY_SIZE(polled), -1) < 0 &&
		    errno != EINTR)
			err = err_from_errno(errno);
		if (interrupted)
			return ERR_CLOSED;
		/* The file first: what is said of it comes behind. */
		if (!err)
			err = receive_file(run);
		if (!err)
			err = receive_words(run);
	}
	return err;
}

static enum err work(struct run *run, const struct msg_export_start *start)
{
	enum err err = begin_file(run);

	if (!err)
		err = start_program(run, start);
	if (!err)
		err = pump(run);
	if (!err && run->last.error) {
		run->child->error = run->last.error;
		err = ERR_WRONG_STATE;
	}
	return err ? err : end_file(run);
}

/* Ctrl+C takes the unfinished file away. */
static void watch_signals(void)
{
	const struct sigaction stop = { .sa_handler = on_signal };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

enum err recording_child_run(struct recording_child *child, struct recording_feed *feed,
			     const struct msg_export_start *start)
{
	struct run run = {
		.child = child, .feed = feed, .file = -1, .control = -1, .sink = -1, .log = -1
	};

	watch_signals();
	feed->fd = -1;
	enum err err = work(&run, start);
	util_closep(&run.control);
	util_closep(&run.sink);
	recording_feed_finish(feed);
	stop_program(&run, !err || err == ERR_WRONG_STATE);
	util_closep(&run.log);
	if (run.file >= 0)
		close(run.file);
	if (err && run.made)
		unlink(run.part);
	EVP_MD_CTX_free(run.digest);
	return err;
}
