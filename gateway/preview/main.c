/*
 * sekisho-preview: draws pages of one document, with the name of who sees them. It is started by
 * the monitor for that alone, gets the document over its channel 3 from the vault, keeps it in
 * memory, draws the pages that the vault asks for one after another, and ends with the channel.
 * What takes LibreOffice goes through a second process (office.h) first.
 *
 * usage: sekisho-preview settings file
 */
#include <errno.h>
#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "preview/office.h"
#include "preview/paper.h"
#include "preview/render.h"
#include "preview/stamp.h"
#include "wire/child.h"
#include "wire/ipc.h"

#define DATA_SIZE ((size_t)1 << 30)

enum {
	EXIT_START = 2,
	OPEN_FILES = 32,
	CPU_S = 120, /* of all pages; how long one may take is looked after by the vault */
	DOCUMENT_MAX = 100 * 1024 * 1024,
	PICTURE_MAX = 16 * 1024 * 1024,
	PART = 60000,
};

static struct ipc_received received;

/* ---- the vault ------------------------------------------------------------------------------- */

static enum err wait_for(short events)
{
	struct pollfd polled = { CHILD_MONITOR_FD, events, 0 };

	while (poll(&polled, 1, -1) < 0)
		if (errno != EINTR)
			return err_from_errno(errno);
	return OK;
}

static enum err hear(uint16_t id)
{
	enum err err;

	ipc_received_finish(&received);
	while ((err = ipc_receive(CHILD_MONITOR_FD, WIRE_VAULT, WIRE_PREVIEW, &received)) ==
	       ERR_UNAVAILABLE)
		if (wait_for(POLLIN))
			return ERR_CLOSED;
	return !err && received.type->id != id ? ERR_PROTOCOL : err;
}

static enum err say(uint16_t id, const void *msg)
{
	enum err err;

	while ((err = ipc_send(CHILD_MONITOR_FD, id, msg, -1)) == ERR_UNAVAILABLE)
		if (wait_for(POLLOUT))
			return ERR_CLOSED;
	return err;
}

/* ---- the document ---------------------------------------------------------------------------- */

static enum err take_document(uint64_t bytes, struct buf *ret)
{
	enum err err = bytes <= DOCUMENT_MAX ? OK : ERR_TOO_BIG;

	while (!err && ret->len < bytes) {
		err = hear(MSG_preview_data);
		if (!err)
			err = buf_add(ret, received.msg.preview_data.data.data,
				      received.msg.preview_data.data.len);
	}
	ipc_received_finish(&received);
	return err;
}

/* What takes LibreOffice becomes a PDF, and what it was is forgotten. */
static enum document_end prepare(int office_fd, struct buf *document)
{
	struct buf pdf;

	if (!office_is(document->data, document->len))
		return DOCUMENT_END_NONE;
	buf_init(&pdf, OFFICE_PDF_MAX);
	enum document_end end = office_to_pdf(office_fd, document, &pdf);
	buf_finish(document);
	*document = pdf;
	return end;
}

/* ---- a page ---------------------------------------------------------------------------------- */

static cairo_status_t take_png(void *ctx, const unsigned char *data, unsigned len)
{
	return buf_add(ctx, data, len) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* The page with a bar below it, as a PNG. */
static enum document_end finish_picture(cairo_surface_t *page, struct text *text, const char *who,
					struct buf *png)
{
	int width = cairo_image_surface_get_width(page),
	    height = cairo_image_surface_get_height(page);
	cairo_surface_t *whole =
		cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height + STAMP_BAR);
	cairo_t *cairo = cairo_create(whole);

	cairo_set_source_surface(cairo, page, 0, 0);
	cairo_paint(cairo);
	cairo_surface_flush(whole);
	bool good = !cairo_status(cairo);
	cairo_destroy(cairo);
	const struct canvas all = {
		.pixels = (uint32_t *)(void *)cairo_image_surface_get_data(whole),
		.width = (unsigned)width,
		.height = (unsigned)height + STAMP_BAR,
		.stride = (size_t)cairo_image_surface_get_stride(whole) / sizeof(uint32_t)
	};
	const struct canvas upper = canvas_part(&all, 0, 0, all.width, (unsigned)height);
	const struct canvas bar = canvas_part(&all, 0, (unsigned)height, all.width, STAMP_BAR);
	good = good && all.pixels && !stamp_draw(text, &upper, &bar, who, clock_wall_s());
	cairo_surface_mark_dirty(whole);
	good = good && !cairo_surface_write_to_png_stream(whole, take_png, png);
	cairo_surface_destroy(whole);
	return good ? DOCUMENT_END_NONE : DOCUMENT_END_LIMITS;
}

static enum err send_picture(const struct buf *png)
{
	enum err err = OK;

	for (size_t at = 0; !err && at < png->len; at += PART) {
		const struct msg_preview_picture msg = { { png->data + at,
							   MIN(png->len - at, (size_t)PART) } };

		err = say(MSG_preview_picture, &msg);
	}
	return err;
}

static enum document_end draw(const struct buf *document, uint32_t number, struct text *text,
			      const char *who, struct buf *png, uint32_t *ret_pages)
{
	cairo_surface_t *page = NULL;
	enum document_end end =
		render_page(document->data, document->len, number, &page, ret_pages);

	if (!end)
		end = finish_picture(page, text, who, png);
	if (page)
		cairo_surface_destroy(page);
	return end;
}

/* failed: of the document, whatever page it is. */
static enum err answer(const struct buf *document, enum document_end failed, struct text *text,
		       const char *who)
{
	_cleanup_buf_ struct buf png;
	struct msg_preview_page msg = { .error = (uint8_t)failed };

	buf_init(&png, PICTURE_MAX);
	if (!failed)
		msg.error = (uint8_t)draw(document, received.msg.preview_show.page, text, who, &png,
					  &msg.pages);
	msg.bytes = msg.error ? 0 : (uint32_t)png.len;
	enum err err = say(MSG_preview_page, &msg);
	return err || msg.error ? err : send_picture(&png);
}

static enum err run(struct text *text, int office_fd)
{
	_cleanup_close_ int office = office_fd;
	_cleanup_buf_ struct buf document;
	char who[513];

	buf_init(&document, DOCUMENT_MAX);
	enum err err = hear(MSG_preview_start);
	if (err)
		return err;
	snprintf(who, sizeof(who), "%s", received.msg.preview_start.who);
	err = take_document(received.msg.preview_start.bytes, &document);
	if (err)
		return err;
	enum document_end failed = prepare(office, &document);
	util_closep(&office);
	office = -1;
	while (!(err = hear(MSG_preview_show)) && !(err = answer(&document, failed, text, who)))
		;
	/* Nobody wants another page. */
	return err == ERR_CLOSED ? OK : err;
}

/* ---- start ----------------------------------------------------------------------------------- */

/* Documents need not bring their fonts along: poppler looks for others where the system has them.
 */
static enum err confine(const struct settings *settings)
{
	static const char *const calls[] = { "access",     "fstatfs",    "getdents64",
					     "newfstatat", "openat",     "readlink",
					     "statfs",     "faccessat2", "getcwd" };
	static const struct sandbox_path paths[] = {
		{ "/etc/fonts", SANDBOX_READ },
		{ "/usr/share/fonts", SANDBOX_READ },
		{ "/usr/share/fontconfig", SANDBOX_READ },
		{ "/usr/share/poppler", SANDBOX_READ },
		{ "/var/cache/fontconfig", SANDBOX_READ },
	};
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths),
		.open_files = OPEN_FILES,
		.data_size = DATA_SIZE,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};
	const struct rlimit cpu = { CPU_S, CPU_S };

	return setrlimit(RLIMIT_CPU, &cpu) < 0 ? err_from_errno(errno) : sandbox_enter(&sandbox);
}

static enum err set_up(const char *path, struct text **ret)
{
	static struct settings settings;
	struct config_error error;
	enum err err = settings_read(path, &settings, &error);

	if (err)
		return err;
	err = clock_set_zone(settings.gateway_zone);
	if (!err && !FcInit())
		err = ERR_NOMEM;
	if (!err)
		err = text_new(TEXT_FONT, ret);
	return err ? err : confine(&settings);
}

int main(int argc, char **argv)
{
	struct text *text = NULL;
	int office_fd = -1;

	log_init(NULL, LOG_LEVEL_INFO);
	received.fd = -1;
	if (argc != 2 || sandbox_harden() || fcntl(CHILD_MONITOR_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    office_start(&office_fd)) {
		log_error("start-failed", "text=\"started by sekishod only\"");
		return EXIT_START;
	}
	enum err err = set_up(argv[1], &text);
	if (!err)
		err = run(text, office_fd);
	if (err)
		log_error("preview", "error=%s", err_code(err));
	text_free(text);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
