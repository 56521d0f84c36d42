/*
 * player.c - plays a made-up film in a window of its own, for tests/bench/run:
 *
 *   bench-player x y width height fps
 *
 * The film is like one of a camera where it counts for an encoder: a textured background (noise of
 * many sizes, as in nature) that the camera moves over, soft light, an object that crosses the
 * picture, and grain. Its 48 frames are made before the window opens, so that playing costs little
 * more than the X server's copying; they run forth and back.
 */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

enum { FRAMES = 48, TILE = 1024, OCTAVES = 6, GRAIN = 3, RING = 2, MARK = 24, MARK_BITS = 4 };

struct film {
	unsigned width, height;
	uint8_t texture[3][TILE][TILE]; /* wraps around */
	uint32_t *frames[FRAMES];
};

static uint32_t state = 7;

static uint32_t next_random(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

/* Adds noise whose grid is `cell` pixels wide, between the corners smoothly. */
static void add_octave(float *sum, unsigned cell, float strength)
{
	unsigned grid = TILE / cell;
	float *corners = calloc((size_t)grid * grid, sizeof(*corners));
	if (!corners)
		exit(1);
	for (size_t i = 0; i < (size_t)grid * grid; i++)
		corners[i] = (float)(next_random() % 2001) / 1000.0f - 1.0f;
	for (unsigned y = 0; y < TILE; y++)
		for (unsigned x = 0; x < TILE; x++) {
			unsigned gx = x / cell, gy = y / cell;
			unsigned nx = (gx + 1) % grid, ny = (gy + 1) % grid;
			float fx = (float)(x % cell) / (float)cell;
			float fy = (float)(y % cell) / (float)cell;
			float top =
				corners[gy * grid + gx] * (1 - fx) + corners[gy * grid + nx] * fx;
			float low =
				corners[ny * grid + gx] * (1 - fx) + corners[ny * grid + nx] * fx;
			sum[y * TILE + x] += strength * (top * (1 - fy) + low * fy);
		}
	free(corners);
}

static void make_texture(uint8_t texture[TILE][TILE])
{
	float *sum = calloc((size_t)TILE * TILE, sizeof(*sum));
	if (!sum)
		exit(1);
	float strength = 60;
	for (unsigned i = 0, cell = 256; i < OCTAVES; i++, cell /= 2, strength *= 0.55f)
		add_octave(sum, cell, strength);
	for (unsigned y = 0; y < TILE; y++)
		for (unsigned x = 0; x < TILE; x++)
			texture[y][x] = (uint8_t)fminf(255, fmaxf(0, 120 + sum[y * TILE + x]));
	free(sum);
}

static uint8_t grainy(int value)
{
	value += (int)(next_random() % (2 * GRAIN + 1)) - GRAIN;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static uint32_t pixel_at(const struct film *film, unsigned frame, unsigned x, unsigned y)
{
	int light = (int)(y * 40 / film->height) - 20;
	unsigned bx = x + 5 * frame, by = y + 2 * frame;
	int object_x = (int)(film->width / 4 + frame * film->width / 100);
	int dx = (int)x - object_x, dy = (int)y - (int)(film->height / 2);
	int radius = (int)film->height / 5;
	uint32_t pixel = 0;
	if (dx * dx + dy * dy < radius * radius) { /* it moves against the background */
		bx = x - 11 * frame + 300;
		by = y + 500;
		light += 30 - 60 * dy / radius / 2;
	}
	for (unsigned plane = 0; plane < 3; plane++)
		pixel = pixel << 8 | grainy(film->texture[plane][by % TILE][bx % TILE] + light);
	return pixel;
}

/* The viewer counts by this mark which pictures it saw: the picture's number, a square a bit. */
static void draw_mark(uint8_t *data, size_t stride, unsigned count)
{
	for (unsigned y = 0; y < MARK; y++)
		for (unsigned bit = 0; bit < MARK_BITS; bit++)
			memset(data + y * stride + (size_t)bit * MARK * 4,
			       count >> bit & 1 ? 255 : 0, (size_t)MARK * 4);
}

static struct film *make_film(unsigned width, unsigned height)
{
	struct film *film = calloc(1, sizeof(*film));
	if (!film)
		exit(1);
	film->width = width;
	film->height = height;
	for (unsigned plane = 0; plane < 3; plane++)
		make_texture(film->texture[plane]);
	for (unsigned i = 0; i < FRAMES; i++) {
		film->frames[i] = malloc((size_t)width * height * 4);
		if (!film->frames[i])
			exit(1);
		for (unsigned y = 0; y < height; y++)
			for (unsigned x = 0; x < width; x++)
				film->frames[i][(size_t)y * width + x] = pixel_at(film, i, x, y);
	}
	return film;
}

static Window open_window(Display *display, int x, int y, unsigned width, unsigned height)
{
	XSetWindowAttributes attributes = { .override_redirect = True };
	Window window = XCreateWindow(display, DefaultRootWindow(display), x, y, width, height, 0,
				      CopyFromParent, InputOutput, CopyFromParent,
				      CWOverrideRedirect, &attributes);
	XClassHint hint = { .res_name = "bench-player", .res_class = "bench-player" };
	XSetClassHint(display, window, &hint);
	XMapRaised(display, window);
	XSync(display, False);
	return window;
}

static XImage *shared_image(Display *display, XShmSegmentInfo *info, unsigned width,
			    unsigned height)
{
	int screen = DefaultScreen(display);
	XImage *image = XShmCreateImage(display, DefaultVisual(display, screen),
					(unsigned)DefaultDepth(display, screen), ZPixmap, NULL,
					info, width, height);
	size_t size = image ? (size_t)image->bytes_per_line * height : 0;
	/* xrdp's X server has another user than we; it only reads. */
	info->shmid = shmget(IPC_PRIVATE, size, IPC_CREAT | 0644);
	if (!image || image->bits_per_pixel != 32 || info->shmid < 0) {
		fprintf(stderr, "bench-player: no shared image of 32 bits a pixel\n");
		exit(1);
	}
	info->shmaddr = image->data = shmat(info->shmid, NULL, 0);
	info->readOnly = True;
	XShmAttach(display, info);
	XSync(display, False);
	shmctl(info->shmid, IPC_RMID, NULL); /* goes away with the last that has it */
	return image;
}

static void sleep_until(struct timespec *due, long step_ns)
{
	due->tv_nsec += step_ns;
	if (due->tv_nsec >= 1000000000) {
		due->tv_nsec -= 1000000000;
		due->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL) == EINTR)
		;
}

static void play(Display *display, Window window, const struct film *film, unsigned fps)
{
	XShmSegmentInfo info[RING];
	XImage *images[RING];
	for (unsigned i = 0; i < RING; i++)
		images[i] = shared_image(display, &info[i], film->width, film->height);
	struct timespec due;
	clock_gettime(CLOCK_MONOTONIC, &due);
	GC gc = XCreateGC(display, window, 0, NULL);
	for (unsigned i = 0;; i++) {
		unsigned at = i % (2 * FRAMES - 2);
		const uint32_t *frame = film->frames[at < FRAMES ? at : 2 * FRAMES - 2 - at];
		XImage *image = images[i % RING];
		for (unsigned y = 0; y < film->height; y++)
			memcpy(image->data + (size_t)y * (size_t)image->bytes_per_line,
			       frame + (size_t)y * film->width, (size_t)film->width * 4);
		draw_mark((uint8_t *)image->data, (size_t)image->bytes_per_line, i);
		XShmPutImage(display, window, gc, image, 0, 0, 0, 0, film->width, film->height,
			     False);
		XSync(display, False);
		sleep_until(&due, 1000000000L / (long)fps);
	}
}

int main(int argc, char **argv)
{
	Display *display = XOpenDisplay(NULL);
	if (argc != 6 || !display || !XShmQueryExtension(display)) {
		fprintf(stderr, "bench-player: x y width height fps, on a local X display\n");
		return 1;
	}
	unsigned width = (unsigned)atoi(argv[3]), height = (unsigned)atoi(argv[4]);
	unsigned fps = (unsigned)atoi(argv[5]);
	if (width > 4096 || height > 4096 || width < MARK * MARK_BITS || height < MARK || !fps ||
	    fps > 240)
		return 1;
	const struct film *film = make_film(width, height);
	play(display, open_window(display, atoi(argv[1]), atoi(argv[2]), width, height), film, fps);
	return 0;
}
