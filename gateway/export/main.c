/*
 * sekisho-export: makes a video of a recording, with a watermark, encrypted to one certificate. It
 * is given everything by descriptors, on its channel 3: by the broker, or by the CLI in its place.
 *
 * usage: sekisho-export [settings file]
 */
#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "export/export.h"
#include "record/recipient.h"
#include "wire/child.h"

/* Of a desktop of 7680 × 4320 all buffers together take 1.1 GB. */
#define DATA_SIZE ((size_t)1 << 31)

enum { EXIT_START = 2, OPEN_FILES = 32 };

static struct ports ports;

/* Without settings, as the CLI starts it anywhere, the kernel need not have Landlock: nothing that
 * opens a file passes seccomp either. */
static enum err confine(int argc, char **argv)
{
	static struct settings settings;
	struct config_error error;
	struct sandbox sandbox = { .open_files = OPEN_FILES,
				   .data_size = DATA_SIZE,
				   .may_lack_landlock = true };

	if (argc == 2) {
		enum err err = settings_read(argv[1], &settings, &error);
		if (err)
			return err;
		sandbox.may_lack_landlock = !settings.gateway_require_landlock;
	}
	return sandbox_enter(&sandbox);
}

/* Certificates and clocks need files; after this nothing does. */
static enum err prepare(int argc, char **argv, const struct msg_export_start *start,
			struct text **ret)
{
	enum err err = clock_set_zone(start->zone);

	if (!err && !OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL))
		err = ERR_CRYPTO;
	if (!err)
		err = text_new(TEXT_FONT, ret);
	return err ? err : confine(argc, argv);
}

static enum err take_descriptors(void)
{
	enum err err = ports_order(&ports, MSG_export_source);

	if (!err) {
		ports.source = util_take_fd(&ports.received.fd);
		err = ports_order(&ports, MSG_export_sink);
	}
	if (!err)
		ports.sink = util_take_fd(&ports.received.fd);
	return err;
}

/* order->start points into what was received, so it is a copy. */
static enum err run(struct export_order *order, struct msg_export_done *done)
{
	const struct msg_export_start *start = order->start;

	done->error = EXPORT_FAILED;
	enum err err = take_descriptors();
	if (err)
		return err;
	err = recipient_parse(start->recipient.data, start->recipient.len, order->now_s,
			      &order->recipient);
	if (err) {
		done->error = EXPORT_RECIPIENT;
		log_warn("export-recipient", "error=%s", err_code(err));
		return OK;
	}
	export_run(&ports, order, done);
	X509_free(order->recipient);
	return OK;
}

/* Large buffers go back to the kernel when they are freed. */
static void give_memory_back(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

int main(int argc, char **argv)
{
	static struct ipc_received first;
	struct msg_export_done done = { .error = EXPORT_FAILED };
	struct export_order order = { .now_s = clock_wall_s() };

	log_init(NULL, LOG_LEVEL_INFO);
	if (argc > 2 || sandbox_harden() || fcntl(CHILD_MONITOR_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("start-failed", "text=\"started by sekishod or sekisho only\"");
		return EXIT_START;
	}
	give_memory_back();
	ports_init(&ports, CHILD_MONITOR_FD);
	enum err err = ports_order(&ports, MSG_export_start);
	if (err)
		return EXIT_START;
	/* Its strings lie in the buffer. */
	memcpy(&first, &ports.received, sizeof(first));
	if (wire_decode(first.data, first.len, &first.type, &first.msg))
		return EXIT_START;
	order.start = &first.msg.export_start;
	err = prepare(argc, argv, order.start, &order.text);
	if (!err)
		err = run(&order, &done);
	else if (!order.text)
		done.error = EXPORT_FONT;
	if (err)
		log_error("export-start", "error=%s", err_code(err));
	ports_end(&ports, &done);
	text_free(order.text);
	ports_finish(&ports);
	return done.error ? EXIT_FAILURE : EXIT_SUCCESS;
}
