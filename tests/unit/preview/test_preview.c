/* The very program, with documents that are made here: good ones, and such as want to harm it. */
#include "unit/folder.h"
#include "unit/preview/refuse.h"

#include <cairo.h>
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <turbojpeg.h>

#include "base/buf.h"
#include "base/util.h"
#include "preview/paper.h"
#include "preview/render.h"
#include "preview/stamp.h"
#include "wire/child.h"
#include "wire/ipc.h"

enum { DOCUMENT_MAX = 100 * 1024 * 1024, PIECE = 60000, PATIENCE_MS = 120000 };

static char program[PATH_MAX], settings[UNIT_FILE];
static struct ipc_received received = { .fd = -1 };

static int set_up(void **state)
{
	char self[PATH_MAX] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(program, sizeof(program), "%.4000s/../bin/sekisho-preview", dirname(self));
	close(unit_file(settings));
	return access(program, X_OK);
}

/* ---- the vault's part ------------------------------------------------------------------------ */

struct answer {
	enum err err; /* ERR_CLOSED: it ended without one */
	struct msg_preview_page page;
	struct buf png;
};

static void answer_finish(struct answer *answer)
{
	buf_finish(&answer->png);
}
#define _cleanup_answer_ _cleanup_(answer_finish)

static bool without_namespaces;

static pid_t start(int ret_fd[1])
{
	int pair[2];
	pid_t pid;

	assert_ok(ipc_pair(pair));
	pid = fork();
	if (pid == 0) {
		if (without_namespaces)
			refuse_namespaces();
		if (dup2(pair[1], CHILD_MONITOR_FD) == CHILD_MONITOR_FD) {
			if (pair[1] == CHILD_MONITOR_FD)
				fcntl(pair[1], F_SETFD, 0);
			execl(program, program, settings, NULL);
		}
		_exit(127);
	}
	close(pair[1]);
	*ret_fd = pair[0];
	return pid;
}

static enum err until(int fd, short events)
{
	struct pollfd polled = { fd, events, 0 };

	assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
	return OK;
}

static enum err say(int fd, uint16_t id, const void *msg)
{
	enum err err;

	while ((err = ipc_send(fd, id, msg, -1)) == ERR_UNAVAILABLE)
		assert_ok(until(fd, POLLOUT));
	return err;
}

static enum err hear(int fd, uint16_t id)
{
	enum err err;

	ipc_received_finish(&received);
	while ((err = ipc_receive(fd, WIRE_PREVIEW, WIRE_VAULT, &received)) == ERR_UNAVAILABLE)
		assert_ok(until(fd, POLLIN));
	if (!err)
		assert_int_equal(received.type->id, id);
	return err;
}

static const char *who = "山田 花子";

static enum err feed(int fd, const void *data, size_t len)
{
	const struct msg_preview_start begin = { .bytes = len, .who = who };
	const uint8_t *bytes = data;
	enum err err = say(fd, MSG_preview_start, &begin);

	for (size_t at = 0; !err && at < len; at += PIECE) {
		const struct msg_preview_data part = { { bytes + at,
							 MIN(len - at, (size_t)PIECE) } };

		err = say(fd, MSG_preview_data, &part);
	}
	return err;
}

static enum err show(int fd, uint32_t page, struct answer *answer)
{
	const struct msg_preview_show ask = { .page = page };
	enum err err = say(fd, MSG_preview_show, &ask);

	buf_init(&answer->png, DOCUMENT_MAX);
	if (!err)
		err = hear(fd, MSG_preview_page);
	if (err)
		return err;
	answer->page = received.msg.preview_page;
	while (!err && answer->png.len < answer->page.bytes) {
		err = hear(fd, MSG_preview_picture);
		if (!err)
			err = buf_add(&answer->png, received.msg.preview_picture.data.data,
				      received.msg.preview_picture.data.len);
	}
	return err;
}

/* One page, by a process of its own that ends afterwards, in whatever way. */
static struct answer shown(const void *data, size_t len, uint32_t page)
{
	struct answer answer = { 0 };
	int status, fd;
	pid_t pid = start(&fd);

	buf_init(&answer.png, DOCUMENT_MAX);
	answer.err = feed(fd, data, len);
	if (!answer.err)
		answer.err = show(fd, page, &answer);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!answer.err)
		assert_int_equal(status, 0);
	return answer;
}

static void expect(const void *data, size_t len, uint32_t page, enum document_end why)
{
	_cleanup_answer_ struct answer answer = shown(data, len, page);

	assert_ok(answer.err);
	assert_int_equal(answer.page.error, why);
	assert_int_equal(answer.png.len > 0, why == DOCUMENT_END_NONE);
}

/* ---- documents ------------------------------------------------------------------------------- */

static cairo_status_t keep(void *ctx, const unsigned char *data, unsigned len)
{
	return buf_add(ctx, data, len) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* Pages of A4, each of them all red with a word in a font that does not come along. */
static void make_pdf(struct buf *ret, int pages)
{
	static const char drawn[] = "1 0 0 rg 0 0 595 842 re f 0 0 0 rg BT /F 60 Tf 100 600 Td"
				    " (letter) Tj ET";

	buf_init(ret, DOCUMENT_MAX);
	assert_ok(buf_printf(ret,
			     "%%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
			     "2 0 obj\n<< /Type /Pages /Count %d /Kids [",
			     pages));
	for (int i = 0; i < pages; i++)
		assert_ok(buf_printf(ret, " %d 0 R", 10 + i));
	assert_ok(buf_printf(ret,
			     " ] >>\nendobj\n3 0 obj\n<< /Length %zu >>\nstream\n%s\nendstream\n"
			     "endobj\n4 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
			     " >>\nendobj\n",
			     strlen(drawn), drawn));
	for (int i = 0; i < pages; i++)
		assert_ok(
			buf_printf(ret,
				   "%d 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
				   " /Contents 3 0 R /Resources << /Font << /F 4 0 R >> >> >>\n"
				   "endobj\n",
				   10 + i));
	assert_ok(buf_printf(ret, "trailer\n<< /Root 1 0 R >>\n%%%%EOF"));
}

static void make_png(struct buf *ret, int width, int height)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
	cairo_t *cairo = cairo_create(surface);

	buf_init(ret, DOCUMENT_MAX);
	cairo_set_source_rgb(cairo, 0, 0, 1);
	cairo_paint(cairo);
	cairo_destroy(cairo);
	assert_int_equal(cairo_surface_write_to_png_stream(surface, keep, ret), 0);
	cairo_surface_destroy(surface);
}

struct source {
	const struct buf *buf;
	size_t at;
};

static cairo_status_t take(void *ctx, unsigned char *data, unsigned len)
{
	struct source *source = ctx;

	if (len > source->buf->len - source->at)
		return CAIRO_STATUS_READ_ERROR;
	memcpy(data, source->buf->data + source->at, len);
	source->at += len;
	return CAIRO_STATUS_SUCCESS;
}

struct look {
	int width, height;
	size_t exact, other; /* pixels of the page that have the colour, and that have not */
};

static struct look look_at(const struct answer *answer, uint32_t colour)
{
	struct source source = { &answer->png, 0 };
	struct look look = { 0 };
	cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(take, &source);

	assert_int_equal(cairo_surface_status(surface), 0);
	look.width = cairo_image_surface_get_width(surface);
	look.height = cairo_image_surface_get_height(surface);
	for (int y = 0; y < look.height - STAMP_BAR; y++) {
		const uint32_t *row =
			(const uint32_t *)(const void *)(cairo_image_surface_get_data(surface) +
							 y * cairo_image_surface_get_stride(
								     surface));

		for (int x = 0; x < look.width; x++)
			if ((row[x] & 0xffffff) == colour)
				look.exact++;
			else
				look.other++;
	}
	cairo_surface_destroy(surface);
	return look;
}

/* ---- good ones ------------------------------------------------------------------------------- */

static void a_page_of_a_pdf(void **state)
{
	_cleanup_buf_ struct buf pdf;

	(void)state;
	make_pdf(&pdf, 3);
	_cleanup_answer_ struct answer answer = shown(pdf.data, pdf.len, 2);
	assert_ok(answer.err);
	assert_int_equal(answer.page.error, DOCUMENT_END_NONE);
	assert_int_equal(answer.page.pages, 3);
	struct look look = look_at(&answer, 0xff0000);
	/* The word's, where the name is not. */
	assert_true(look_at(&answer, 0).exact > 500);
	assert_int_equal(look.height, PAPER_SIDE + STAMP_BAR);
	assert_in_range(look.width, 1238, 1241);
	/* Most of it is as it is, and all over it there is the name. */
	assert_true(look.exact > 4 * look.other);
	assert_true(look.other > 5000);
	expect(pdf.data, pdf.len, 4, DOCUMENT_END_FORMAT);
}

static void pictures(void **state)
{
	_cleanup_buf_ struct buf png;

	(void)state;
	make_png(&png, 4000, 1000);
	_cleanup_answer_ struct answer answer = shown(png.data, png.len, 1);
	assert_ok(answer.err);
	assert_int_equal(answer.page.pages, 1);
	struct look look = look_at(&answer, 0x0000ff);
	assert_int_equal(look.width, PAPER_SIDE);
	assert_true(look.exact > 4 * look.other);
	assert_true(look.other > 1000);
	expect(png.data, png.len, 2, DOCUMENT_END_FORMAT);
}

static void a_photo(void **state)
{
	enum { WIDTH = 3000, HEIGHT = 2000 };
	_cleanup_free_ uint8_t *pixels = calloc(3, (size_t)WIDTH * HEIGHT);
	tjhandle tj = tjInitCompress();
	uint8_t *jpeg = NULL;
	unsigned long len = 0;

	(void)state;
	assert_int_equal(
		tjCompress2(tj, pixels, WIDTH, 0, HEIGHT, TJPF_RGB, &jpeg, &len, TJSAMP_420, 80, 0),
		0);
	_cleanup_answer_ struct answer answer = shown(jpeg, len, 1);
	assert_ok(answer.err);
	assert_int_equal(answer.page.error, DOCUMENT_END_NONE);
	assert_int_equal(look_at(&answer, 0).width, PAPER_SIDE);
	/* Cut in the middle of its lines it is shown as far as it goes; in its head not at all. */
	expect(jpeg, len / 2, 1, DOCUMENT_END_NONE);
	expect(jpeg, 100, 1, DOCUMENT_END_FORMAT);
	tjFree(jpeg);
	tjDestroy(tj);
}

/* A name as long as accounts may have it. */
static void a_long_name(void **state)
{
	static const char one[] = "葛";
	char name[128 * 4 + 1] = "";
	_cleanup_buf_ struct buf png;

	(void)state;
	for (size_t at = 0; at + strlen(one) < sizeof(name); at += strlen(one))
		memcpy(name + at, one, strlen(one));
	make_png(&png, 400, 400);
	who = name;
	_cleanup_answer_ struct answer answer = shown(png.data, png.len, 1);
	who = "山田 花子";
	assert_ok(answer.err);
	assert_int_equal(answer.page.error, DOCUMENT_END_NONE);
	assert_true(look_at(&answer, 0x0000ff).other > 1000);
}

/* ---- how a scanner and a camera were held ---------------------------------------------------- */

enum { SCAN = 400 /* pixels of a side */ };

/* The colour that most of a quarter of the page has: across and down are 0 or 1. */
static uint32_t quarter(const struct answer *answer, int across, int down)
{
	struct source source = { &answer->png, 0 };
	cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(take, &source);
	int width = cairo_image_surface_get_width(surface) / 2,
	    height = (cairo_image_surface_get_height(surface) - STAMP_BAR) / 2;
	unsigned long sum[3] = { 0 };

	assert_int_equal(cairo_surface_status(surface), 0);
	for (int y = down * height; y < (down + 1) * height; y++) {
		const uint8_t *row = cairo_image_surface_get_data(surface) +
				     y * cairo_image_surface_get_stride(surface);

		for (int x = across * width; x < (across + 1) * width; x++)
			for (int i = 0; i < 3; i++)
				sum[i] += row[4 * x + i] > 127;
	}
	cairo_surface_destroy(surface);
	uint32_t colour = 0;
	for (int i = 0; i < 3; i++)
		colour |= (sum[i] > (unsigned long)width * (unsigned long)height / 2 ? 0xffU : 0U)
			  << 8 * i;
	return colour;
}

static void expect_quarters(const struct answer *answer, uint32_t upper_left, uint32_t upper_right,
			    uint32_t lower_left, uint32_t lower_right)
{
	assert_ok(answer->err);
	assert_int_equal(answer->page.error, DOCUMENT_END_NONE);
	assert_int_equal(quarter(answer, 0, 0), upper_left);
	assert_int_equal(quarter(answer, 1, 0), upper_right);
	assert_int_equal(quarter(answer, 0, 1), lower_left);
	assert_int_equal(quarter(answer, 1, 1), lower_right);
}

static const uint32_t red = 0xff0000, green = 0x00ff00, blue = 0x0000ff, black = 0;

/* Red, green; blue, black: rows of RGB. */
static uint8_t *quarters(void)
{
	uint8_t *pixels = calloc(3, (size_t)SCAN * SCAN);

	assert_non_null(pixels);
	for (size_t y = 0; y < SCAN; y++)
		for (size_t x = 0; x < SCAN; x++) {
			size_t which = 2 * (y / (SCAN / 2)) + x / (SCAN / 2);

			if (which < 3)
				pixels[3 * (y * SCAN + x) + which] = 255;
		}
	return pixels;
}

/* As a camera writes it: APP1 with a TIFF of one entry, Orientation. */
static void a_photo_that_was_turned(void **state)
{
	static const uint8_t exif[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'I', 'I',
					'*',  0,    8, 0,  0,   0,   1,   0,   0x12, 0x01, 3,   0,
					1,    0,    0, 0,  6,   0,   0,   0,   0,    0,    0,   0 };
	_cleanup_free_ uint8_t *pixels = quarters();
	_cleanup_buf_ struct buf photo;
	tjhandle tj = tjInitCompress();
	uint8_t *jpeg = NULL;
	unsigned long len = 0;

	(void)state;
	assert_int_equal(
		tjCompress2(tj, pixels, SCAN, 0, SCAN, TJPF_RGB, &jpeg, &len, TJSAMP_444, 95, 0),
		0);
	buf_init(&photo, DOCUMENT_MAX);
	assert_ok(buf_add(&photo, jpeg, 2));
	assert_ok(buf_add(&photo, exif, sizeof(exif)));
	assert_ok(buf_add(&photo, jpeg + 2, len - 2));
	/* 6: what is its first row belongs to the right, its first column to the top. */
	_cleanup_answer_ struct answer turned = shown(photo.data, photo.len, 1);
	expect_quarters(&turned, blue, red, black, green);
	_cleanup_answer_ struct answer plain = shown(jpeg, len, 1);
	expect_quarters(&plain, red, green, blue, black);
	tjFree(jpeg);
	tjDestroy(tj);
}

static void add_sheet(TIFF *tiff, const uint8_t *pixels, uint16_t turned, uint16_t compression)
{
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)SCAN);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)SCAN);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
	TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
	TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, (uint32_t)SCAN);
	TIFFSetField(tiff, TIFFTAG_ORIENTATION, turned);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
	assert_true(TIFFWriteEncodedStrip(tiff, 0, (void *)pixels, (tmsize_t)3 * SCAN * SCAN) > 0);
	assert_int_equal(TIFFWriteDirectory(tiff), 1);
}

/* A fax: bits, and lines that are twice as far apart as dots are. */
static void add_fax(TIFF *tiff)
{
	uint8_t row[SCAN / 8];

	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)SCAN);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)SCAN);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
	TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 200.0);
	TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 100.0);
	memset(row, 0xff, sizeof(row));
	for (uint32_t y = 0; y < SCAN; y++)
		assert_int_equal(TIFFWriteScanline(tiff, row, y, 0), 1);
	assert_int_equal(TIFFWriteDirectory(tiff), 1);
}

/* A scan of three sheets, each put in another way, and a fax. */
static void make_tiff(struct buf *ret)
{
	_cleanup_free_ uint8_t *pixels = quarters();
	char path[UNIT_FILE], part[4096];

	close(unit_file(path));
	TIFF *tiff = TIFFOpen(path, "w");
	assert_non_null(tiff);
	add_sheet(tiff, pixels, ORIENTATION_TOPLEFT, COMPRESSION_LZW);
	add_sheet(tiff, pixels, ORIENTATION_BOTRIGHT, COMPRESSION_ADOBE_DEFLATE);
	add_sheet(tiff, pixels, ORIENTATION_RIGHTTOP, COMPRESSION_NONE);
	add_fax(tiff);
	TIFFClose(tiff);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	buf_init(ret, DOCUMENT_MAX);
	for (size_t len; (len = fread(part, 1, sizeof(part), file)) > 0;)
		assert_ok(buf_add(ret, part, len));
	fclose(file);
}

static void a_scan_of_many_sheets(void **state)
{
	_cleanup_buf_ struct buf scan;

	(void)state;
	make_tiff(&scan);
	_cleanup_answer_ struct answer first = shown(scan.data, scan.len, 1);
	expect_quarters(&first, red, green, blue, black);
	assert_int_equal(first.page.pages, 4);
	_cleanup_answer_ struct answer second = shown(scan.data, scan.len, 2);
	expect_quarters(&second, black, blue, green, red);
	_cleanup_answer_ struct answer third = shown(scan.data, scan.len, 3);
	expect_quarters(&third, blue, red, black, green);
	_cleanup_answer_ struct answer fax = shown(scan.data, scan.len, 4);
	assert_ok(fax.err);
	assert_int_equal(fax.page.error, DOCUMENT_END_NONE);
	struct look look = look_at(&fax, black);
	assert_int_equal(look.height, PAPER_SIDE + STAMP_BAR);
	assert_int_equal(look.width, PAPER_SIDE / 2);
	assert_true(look.exact > look.other);
	expect(scan.data, scan.len, 5, DOCUMENT_END_FORMAT);
	/* Cut short it has those pages that are there. */
	_cleanup_answer_ struct answer half = shown(scan.data, scan.len / 2, 1);
	expect_quarters(&half, red, green, blue, black);
	assert_in_range(half.page.pages, 1, 3);
	expect(scan.data, 8, 1, DOCUMENT_END_FORMAT);
}

/* ---- one page after another ------------------------------------------------------------------ */

/* Of proc(5)'s stat: what follows the name, in which anything may stand. */
static int parent_of(const char *pid)
{
	char path[300], stat[1024] = "";
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file) /* it has ended meanwhile */
		return 0;
	stat[fread(stat, 1, sizeof(stat) - 1, file)] = '\0';
	fclose(file);
	const char *name_end = strrchr(stat, ')');
	return name_end && sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Also one that has ended and nobody has looked after. */
static bool has_children(pid_t pid)
{
	DIR *dir = opendir("/proc");
	bool found = false;

	assert_non_null(dir);
	for (struct dirent *entry; !found && (entry = readdir(dir));)
		found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			parent_of(entry->d_name) == pid;
	closedir(dir);
	return found;
}

/* It gets the document once, keeps it, and needs no other process for it. */
static void a_scan_is_leafed_through(void **state)
{
	_cleanup_buf_ struct buf scan;
	int status, fd;
	pid_t pid = start(&fd);

	(void)state;
	make_tiff(&scan);
	assert_ok(feed(fd, scan.data, scan.len));
	for (int turn = 0; turn < 2; turn++) {
		_cleanup_answer_ struct answer second = { 0 }, first = { 0 }, third = { 0 };

		assert_ok(show(fd, 2, &second));
		expect_quarters(&second, black, blue, green, red);
		assert_ok(show(fd, 1, &first));
		expect_quarters(&first, red, green, blue, black);
		assert_ok(show(fd, 3, &third));
		expect_quarters(&third, blue, red, black, green);
		assert_int_equal(third.page.pages, 4);
	}
	for (int i = 0; has_children(pid) && i < PATIENCE_MS / 10; i++)
		usleep(10000);
	assert_false(has_children(pid));
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void what_cannot_be_shown(void **state)
{
	static const char *const texts[] = {
		"a letter",
		"%PDF-1.7",
		"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\ntrailer\n"
		"<< /Root 1 0 R >>\n%%EOF",
		"\x89PNG\r\n\x1a\n",
		"\xff\xd8\xff\xe0",
		"II*",
		"MM\0*\0\0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		expect(texts[i], strlen(texts[i]), 1, DOCUMENT_END_FORMAT);
	expect("", 0, 1, DOCUMENT_END_FORMAT);
}

/* A small file that wants 14 GB. */
static void a_picture_that_is_a_bomb(void **state)
{
	_cleanup_buf_ struct buf png;

	(void)state;
	make_png(&png, 100, 100);
	memcpy(png.data + 16, "\0\0\xea\x60\0\0\xea\x60", 8);
	expect(png.data, png.len, 1, DOCUMENT_END_LIMITS);
}

/* As wide as four bytes can say: of a TIFF, which has two words for that. */
static void a_scan_that_is_a_bomb(void **state)
{
	static const uint8_t width_tag[] = { 0x00, 0x01, 3, 0, 1, 0, 0, 0 };
	_cleanup_buf_ struct buf scan;
	size_t found = 0;

	(void)state;
	make_tiff(&scan);
	for (size_t at = 0; at + 24 < scan.len; at++)
		if (!memcmp(scan.data + at, width_tag, sizeof(width_tag))) {
			memcpy(scan.data + at + 8, "\xff\xff", 2);
			memcpy(scan.data + at + 20, "\xff\xff", 2);
			found++;
		}
	assert_int_equal(found, 4);
	expect(scan.data, scan.len, 1, DOCUMENT_END_LIMITS);
}

/* Its last page says that the first one comes next. */
static void a_scan_without_an_end(void **state)
{
	static const uint8_t head[] = { 'I', 'I', '*', 0, 8, 0,  0, 0, 1, 0, 0, 1, 3,
					0,   1,   0,   0, 0, 16, 0, 0, 0, 8, 0, 0, 0 };

	(void)state;
	_cleanup_answer_ struct answer answer = shown(head, sizeof(head), 1);
	assert_ok(answer.err);
	assert_int_equal(answer.page.error, DOCUMENT_END_FORMAT);
}

static void a_pdf_with_a_password(void **state)
{
	static const char at[] = "<< /Root 1 0 R >>",
			  with[] = "<< /Root 1 0 R /ID [<00> <00>] /Encrypt << /Filter /Standard /V"
				   " 1 /R 2 /P -4 /O (01234567890123456789012345678901) /U"
				   " (01234567890123456789012345678901) >> >>\n%%EOF";
	_cleanup_buf_ struct buf pdf, locked;

	(void)state;
	make_pdf(&pdf, 1);
	const uint8_t *end = memmem(pdf.data, pdf.len, at, strlen(at));
	assert_non_null(end);
	buf_init(&locked, DOCUMENT_MAX);
	assert_ok(buf_add(&locked, pdf.data, (size_t)(end - pdf.data)));
	assert_ok(buf_add(&locked, with, strlen(with)));
	expect(locked.data, locked.len, 1, DOCUMENT_END_PASSWORD);
}

/* What opens office files could do anything there. */
static void no_office_file_is_opened_where_nothing_can_be_shut_in(void **state)
{
	static const char zip[] = "PK\3\4 and what follows";

	(void)state;
	without_namespaces = true;
	_cleanup_answer_ struct answer answer = shown(zip, sizeof(zip), 1);
	without_namespaces = false;
	assert_ok(answer.err);
	assert_int_equal(answer.page.error, DOCUMENT_END_PROGRAM);
}

/* Every byte that a broken disk or a hostile hand may turn. */
static void what_was_damaged(void **state)
{
	enum { TIMES = 8 };
	_cleanup_buf_ struct buf pdf;
	unsigned seed = 7;

	(void)state;
	make_pdf(&pdf, 1);
	for (int i = 0; i < TIMES; i++) {
		_cleanup_free_ uint8_t *copy = malloc(pdf.len);
		assert_non_null(copy);
		memcpy(copy, pdf.data, pdf.len);
		for (int turns = 0; turns < 8; turns++) {
			seed = seed * 1103515245 + 12345;
			copy[8 + (seed >> 8) % (pdf.len - 8)] ^= (uint8_t)(1 + (seed >> 4) % 255);
		}
		_cleanup_answer_ struct answer answer = shown(copy, pdf.len, 1);
		/* It says something, or is ended: never hangs. */
		if (!answer.err)
			assert_true(answer.page.error <= DOCUMENT_END_LIMITS);
	}
}

/* Whoever draws for hours is ended. */
static void time_and_memory_are_limited(void **state)
{
	static const char *const wanted[] = { "Max cpu time              120 ",
					      "Max open files            32 ",
					      "Max core file size        0 " };
	char path[64], text[4096] = "";
	int status, fd;
	pid_t pid = start(&fd);
	bool all = false;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	for (int i = 0; !all && i < PATIENCE_MS / 10; i++) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		all = true;
		for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
			all = all && strstr(text, wanted[k]);
		if (!all)
			usleep(10000);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!all)
		fail_msg("%s", text);
}

static void one_that_is_left_alone_ends(void **state)
{
	const struct msg_preview_start begin = { .bytes = 100, .who = "x" };
	int status, fd;
	pid_t pid = start(&fd);

	(void)state;
	assert_ok(say(fd, MSG_preview_start, &begin));
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_a_pdf),
		cmocka_unit_test(pictures),
		cmocka_unit_test(a_photo),
		cmocka_unit_test(a_long_name),
		cmocka_unit_test(a_photo_that_was_turned),
		cmocka_unit_test(a_scan_of_many_sheets),
		cmocka_unit_test(a_scan_is_leafed_through),
		cmocka_unit_test(what_cannot_be_shown),
		cmocka_unit_test(a_picture_that_is_a_bomb),
		cmocka_unit_test(a_scan_that_is_a_bomb),
		cmocka_unit_test(a_scan_without_an_end),
		cmocka_unit_test(a_pdf_with_a_password),
		cmocka_unit_test(no_office_file_is_opened_where_nothing_can_be_shut_in),
		cmocka_unit_test(what_was_damaged),
		cmocka_unit_test(time_and_memory_are_limited),
		cmocka_unit_test(one_that_is_left_alone_ends),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
