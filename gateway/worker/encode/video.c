#include "worker/encode/video.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv.h>
#include <x264.h>

#include "base/util.h"

enum {
	QUANTISER_BEST = 25, /* of x264, 6 more halve the bytes; two less take a tenth more time */
	QUANTISER_WORST = 46,
	QUANTISER_HALVES = 6,
	QUANTISER_BLOCKS = 28, /* from here on blocks would be seen without a filter */
	DEADZONE = 32,         /* of 64: differences so small are grain; x264's own is 21 */
	COLOURS_COARSER = 4,   /* eyes see less of them; an eighth of the time */
	FRAMES_A_SECOND = 30,  /* only said, in the stream's parameters */
	PLANES = 3,
};

struct video {
	x264_t *x264;
	unsigned width, height; /* as asked for; the stream's are even */
	int stride[PLANES];
	uint8_t *planes[PLANES]; /* owned: the first one's memory */
	int64_t count;
	int quantiser;
	bool filtered;
};

static unsigned even(unsigned size)
{
	return size + size % 2;
}

/*
 * The fastest preset at a fixed quantiser for each picture: rate control of its own costs a quarter
 * of the time, and ours can follow the link. Full-range BT.601, as JPEG, and said so.
 */
static enum err open_x264(struct video *video)
{
	x264_param_t param;
	if (x264_param_default_preset(&param, "ultrafast", "zerolatency") < 0)
		return ERR_INTERNAL;
	param.i_log_level = X264_LOG_NONE;
	param.i_threads = 1;
	param.b_sliced_threads = 0;
	param.i_width = (int)even(video->width);
	param.i_height = (int)even(video->height);
	param.i_csp = X264_CSP_I420;
	param.i_fps_num = FRAMES_A_SECOND;
	param.i_fps_den = 1;
	param.b_vfr_input = 0;
	param.i_keyint_max = X264_KEYINT_MAX_INFINITE;
	param.i_scenecut_threshold = 0;
	param.b_deblocking_filter = 0; /* see filter_blocks */
	param.analyse.i_luma_deadzone[0] = DEADZONE;
	param.analyse.i_chroma_qp_offset = COLOURS_COARSER;
	param.b_repeat_headers = 1;
	param.b_annexb = 1;
	param.rc.i_rc_method = X264_RC_CQP;
	param.rc.i_qp_constant = QUANTISER_BEST;
	/* x264 keeps all quantisers between those of its three kinds of picture. We have no third
	 * kind, so it makes room: 6 log2(16) above the best. */
	param.rc.f_ip_factor = 1;
	param.rc.f_pb_factor = 16;
	param.vui.b_fullrange = 1;
	param.vui.i_colorprim = 1; /* BT.709, which sRGB has too */
	param.vui.i_transfer = 13; /* sRGB */
	param.vui.i_colmatrix = 6; /* BT.601 */
	if (x264_param_apply_profile(&param, "high") < 0)
		return ERR_INTERNAL;
	video->x264 = x264_encoder_open(&param);
	return video->x264 ? OK : ERR_NOMEM;
}

static enum err make_planes(struct video *video)
{
	size_t width = even(video->width), height = even(video->height);
	size_t half = width / 2 * (height / 2);
	uint8_t *memory = malloc(width * height + 2 * half);
	if (!memory)
		return ERR_NOMEM;
	video->planes[0] = memory;
	video->planes[1] = memory + width * height;
	video->planes[2] = memory + width * height + half;
	video->stride[0] = (int)width;
	video->stride[1] = video->stride[2] = (int)width / 2;
	return OK;
}

/* So that the first picture does not fill a slow link: a tenth of a byte a pixel is what rich
 * content takes at the best quality. */
static int first_quantiser(size_t pixels, size_t budget)
{
	int quantiser = QUANTISER_BEST;
	for (size_t likely = pixels / 10; likely > budget && quantiser < QUANTISER_WORST;
	     likely /= 2)
		quantiser += QUANTISER_HALVES;
	return MIN(quantiser, (int)QUANTISER_WORST);
}

enum err video_new(unsigned width, unsigned height, size_t budget, struct video **ret)
{
	if (width > VIDEO_MAX_WIDTH || (size_t)width * height > VIDEO_MAX_PIXELS)
		return ERR_TOO_BIG;
	struct video *video = calloc(1, sizeof(*video));
	if (!video)
		return ERR_NOMEM;
	video->width = width;
	video->height = height;
	video->quantiser = first_quantiser((size_t)width * height, budget);
	enum err err = make_planes(video);
	if (!err)
		err = open_x264(video);
	if (err) {
		video_free(video);
		return err;
	}
	*ret = video;
	return OK;
}

void video_free(struct video *video)
{
	if (!video)
		return;
	if (video->x264)
		x264_encoder_close(video->x264);
	free(video->planes[0]);
	free(video);
}

bool video_fits(const struct video *video, unsigned width, unsigned height)
{
	return video->width == width && video->height == height;
}

/* BGRX in memory is what libyuv calls ARGB. The pixels that make an odd size even are not shown. */
static enum err convert(const struct video *video, const struct surface *surface, unsigned x,
			unsigned y)
{
	uint8_t *luma = video->planes[0];
	size_t stride = (size_t)video->stride[0];
	if (ARGBToJ420(surface_at(surface, x, y), (int)surface->stride, luma, video->stride[0],
		       video->planes[1], video->stride[1], video->planes[2], video->stride[2],
		       (int)video->width, (int)video->height))
		return ERR_INTERNAL;
	for (size_t row = 0; video->width % 2 && row < video->height; row++)
		luma[row * stride + video->width] = luma[row * stride + video->width - 1];
	if (video->height % 2)
		memcpy(luma + video->height * stride, luma + (video->height - 1) * stride, stride);
	return OK;
}

/* Coarser at once when a picture was too large, finer step by step. */
static void steer(struct video *video, size_t len, size_t budget)
{
	int coarser = 0;
	for (size_t over = len; over > budget && coarser < 2 * QUANTISER_HALVES; over -= over / 4)
		coarser += 2;
	if (coarser == 0 && len < budget - budget / 4)
		coarser = -1;
	video->quantiser =
		MIN(MAX(video->quantiser + coarser, (int)QUANTISER_BEST), (int)QUANTISER_WORST);
}

/* The filter takes a tenth of the time, and fine pictures do not need it. */
static enum err filter_blocks(struct video *video)
{
	bool wanted = video->quantiser >= QUANTISER_BLOCKS;
	x264_param_t param;

	if (wanted == video->filtered)
		return OK;
	x264_encoder_parameters(video->x264, &param);
	param.b_deblocking_filter = wanted;
	if (x264_encoder_reconfig(video->x264, &param) < 0)
		return ERR_INTERNAL;
	video->filtered = wanted;
	return OK;
}

enum err video_encode(struct video *video, const struct surface *surface, unsigned x, unsigned y,
		      bool key, size_t budget, struct video_picture *ret)
{
	x264_picture_t in, out;
	x264_nal_t *nals;
	int count;
	enum err err = convert(video, surface, x, y);
	if (!err)
		err = filter_blocks(video);
	if (err)
		return err;
	x264_picture_init(&in);
	in.i_type = key || video->count == 0 ? X264_TYPE_IDR : X264_TYPE_P;
	in.i_pts = video->count++;
	in.i_qpplus1 = video->quantiser + 1;
	in.img.i_csp = X264_CSP_I420;
	in.img.i_plane = PLANES;
	for (size_t i = 0; i < PLANES; i++) {
		in.img.plane[i] = video->planes[i];
		in.img.i_stride[i] = video->stride[i];
	}
	int len = x264_encoder_encode(video->x264, &nals, &count, &in, &out);
	if (len <= 0)
		return ERR_INTERNAL;
	/* A key picture is several times larger than those after it will be. */
	if (!out.b_keyframe)
		steer(video, (size_t)len, budget);
	*ret = (struct video_picture){ .data = nals[0].p_payload,
				       .len = (size_t)len,
				       .key = out.b_keyframe };
	return OK;
}
