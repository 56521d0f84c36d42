#include "export/movie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/version.h>
#include <libyuv.h>
#include <x264.h>

#include "base/util.h"

enum {
	PLANES = 3,
	CLOCK = 1000,          /* units of time in a second */
	KEY_PICTURES = 250,    /* at most from one to the next: where players can jump to */
	FRAGMENT_MS = 2000,    /* of one piece of the file, and so much is kept */
	QUALITY = 21,          /* of x264, constant rate factor; text is legible */
	THREADS = 4,           /* at most */
	IO_BUFFER = 32 * 1024, /* bytes */
};

struct movie {
	x264_t *x264;
	AVFormatContext *format;
	AVPacket *packet;
	movie_write *write;
	void *ctx;
	enum err failed; /* of write */
	unsigned width, height;
	uint8_t *planes[PLANES]; /* owned: the first one's memory */
	int stride[PLANES];
	bool holds;           /* packet waits for its duration */
	uint64_t fragment_ms; /* when the piece that is kept began */
	uint64_t last_ms;
};

/* ---- encoding -------------------------------------------------------------------------------- */

/*
 * Pictures come when something changed, so rate control by time would guess wrong, and looking
 * ahead would only keep pictures. Studio range and BT.601: what every player takes it for, and it
 * is said.
 */
static enum err open_x264(struct movie *movie)
{
	x264_param_t param;

	if (x264_param_default_preset(&param, "veryfast", NULL) < 0)
		return ERR_INTERNAL;
	param.i_log_level = X264_LOG_NONE;
	param.i_threads = MIN((int)sysconf(_SC_NPROCESSORS_ONLN), (int)THREADS);
	param.i_width = (int)movie->width;
	param.i_height = (int)movie->height;
	param.i_csp = X264_CSP_I420;
	param.b_vfr_input = 1;
	param.i_timebase_num = 1;
	param.i_timebase_den = CLOCK;
	param.i_fps_num = 10;
	param.i_fps_den = 1;
	param.i_keyint_max = KEY_PICTURES;
	param.i_bframe = 0;
	param.rc.i_lookahead = 0;
	param.rc.b_mb_tree = 0;
	param.i_sync_lookahead = 0;
	param.b_repeat_headers = 0;
	param.b_annexb = 1;
	param.rc.i_rc_method = X264_RC_CRF;
	param.rc.f_rf_constant = QUALITY;
	param.vui.b_fullrange = 0;
	param.vui.i_colorprim = 1; /* ITU-T H.264, tables E-3 to E-5: BT.709 … */
	param.vui.i_transfer = 1;
	param.vui.i_colmatrix = 6; /* … and BT.601 */
	if (x264_param_apply_profile(&param, "high") < 0)
		return ERR_INTERNAL;
	movie->x264 = x264_encoder_open(&param);
	return movie->x264 ? OK : ERR_NOMEM;
}

static enum err make_planes(struct movie *movie)
{
	const size_t luma = (size_t)movie->width * movie->height;
	uint8_t *memory = malloc(luma + luma / 2);

	if (!memory)
		return ERR_NOMEM;
	movie->planes[0] = memory;
	movie->planes[1] = memory + luma;
	movie->planes[2] = memory + luma + luma / 4;
	movie->stride[0] = (int)movie->width;
	movie->stride[1] = movie->stride[2] = (int)movie->width / 2;
	return OK;
}

/* ---- the file -------------------------------------------------------------------------------- */

#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define AVIO_CONST const
#else
#define AVIO_CONST
#endif

static int write_out(void *opaque, AVIO_CONST uint8_t *data, int len)
{
	struct movie *movie = opaque;

	if (!movie->failed)
		movie->failed = movie->write(movie->ctx, data, (size_t)len);
	return movie->failed ? AVERROR_EXTERNAL : len;
}

static enum err after(const struct movie *movie, int status)
{
	if (movie->failed)
		return movie->failed;
	if (status >= 0)
		return OK;
	return status == AVERROR(ENOMEM) ? ERR_NOMEM : ERR_INTERNAL;
}

static enum err open_output(struct movie *movie)
{
	uint8_t *buffer = av_malloc(IO_BUFFER);
	const AVOutputFormat *mp4 = av_guess_format("mp4", NULL, NULL);

	if (!buffer || !mp4 || !(movie->format = avformat_alloc_context())) {
		av_free(buffer);
		return ERR_NOMEM;
	}
	movie->format->oformat = mp4;
	movie->format->pb = avio_alloc_context(buffer, IO_BUFFER, 1, movie, NULL, write_out, NULL);
	if (!movie->format->pb) {
		av_free(buffer);
		return ERR_NOMEM;
	}
	movie->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
	return OK;
}

/* What the encoder says once, with start codes (ITU-T H.264, Annex B). */
static enum err take_headers(struct movie *movie, AVCodecParameters *par)
{
	x264_nal_t *nals;
	int count;
	const int len = x264_encoder_headers(movie->x264, &nals, &count);

	if (len <= 0)
		return ERR_INTERNAL;
	par->extradata = av_mallocz((size_t)len + AV_INPUT_BUFFER_PADDING_SIZE);
	if (!par->extradata)
		return ERR_NOMEM;
	memcpy(par->extradata, nals[0].p_payload, (size_t)len);
	par->extradata_size = len;
	return OK;
}

static enum err add_stream(struct movie *movie)
{
	AVStream *stream = avformat_new_stream(movie->format, NULL);

	if (!stream)
		return ERR_NOMEM;
	stream->time_base = (AVRational){ 1, CLOCK };
	stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
	stream->codecpar->codec_id = AV_CODEC_ID_H264;
	stream->codecpar->format = AV_PIX_FMT_YUV420P;
	stream->codecpar->width = (int)movie->width;
	stream->codecpar->height = (int)movie->height;
	stream->codecpar->color_range = AVCOL_RANGE_MPEG;
	stream->codecpar->color_primaries = AVCOL_PRI_BT709;
	stream->codecpar->color_trc = AVCOL_TRC_BT709;
	stream->codecpar->color_space = AVCOL_SPC_SMPTE170M;
	return take_headers(movie, stream->codecpar);
}

static enum err write_header(struct movie *movie, const char *title, const char *comment)
{
	AVDictionary *options = NULL;
	int status = av_dict_set(&movie->format->metadata, "title", title, 0);

	if (status >= 0)
		status = av_dict_set(&movie->format->metadata, "comment", comment, 0);
	/* Pieces end where we say; each can be read with what came before it alone. */
	if (status >= 0)
		status = av_dict_set(&options, "movflags",
				     "frag_custom+empty_moov+default_base_moof", 0);
	if (status >= 0)
		status = av_dict_set_int(&options, "video_track_timescale", CLOCK, 0);
	if (status >= 0)
		status = avformat_write_header(movie->format, &options);
	av_dict_free(&options);
	avio_flush(movie->format->pb);
	return after(movie, status);
}

enum err movie_new(unsigned width, unsigned height, const char *title, const char *comment,
		   movie_write *write, void *ctx, struct movie **ret)
{
	struct movie *movie;

	if (!width || !height || width % 2 || height % 2 || width > MOVIE_WIDTH_MAX ||
	    height > MOVIE_HEIGHT_MAX)
		return ERR_INVALID;
	movie = calloc(1, sizeof(*movie));
	if (!movie)
		return ERR_NOMEM;
	movie->width = width;
	movie->height = height;
	movie->write = write;
	movie->ctx = ctx;
	movie->packet = av_packet_alloc();
	enum err err = movie->packet ? make_planes(movie) : ERR_NOMEM;
	if (!err)
		err = open_x264(movie);
	if (!err)
		err = open_output(movie);
	if (!err)
		err = add_stream(movie);
	if (!err)
		err = write_header(movie, title, comment);
	if (err)
		movie_free(movie);
	else
		*ret = movie;
	return err;
}

void movie_free(struct movie *movie)
{
	if (!movie)
		return;
	if (movie->format) {
		AVIOContext *io = movie->format->pb;
		if (io)
			av_freep(&io->buffer);
		avio_context_free(&movie->format->pb);
		avformat_free_context(movie->format);
	}
	av_packet_free(&movie->packet);
	if (movie->x264)
		x264_encoder_close(movie->x264);
	free(movie->planes[0]);
	free(movie);
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* What is kept goes out as one piece. */
static enum err cut(struct movie *movie, uint64_t at_ms)
{
	const int status = av_write_frame(movie->format, NULL);

	movie->fragment_ms = at_ms;
	avio_flush(movie->format->pb);
	return after(movie, status);
}

/* The picture that waits is now known to be shown until then. */
static enum err write_held(struct movie *movie, uint64_t until_ms)
{
	if (!movie->holds)
		return OK;
	movie->holds = false;
	movie->packet->duration = (int64_t)until_ms - movie->packet->pts;
	const int status = av_write_frame(movie->format, movie->packet);
	av_packet_unref(movie->packet);
	if (status < 0 || until_ms - movie->fragment_ms < FRAGMENT_MS)
		return after(movie, status);
	return cut(movie, until_ms);
}

static enum err hold(struct movie *movie, const x264_nal_t *nals, int len,
		     const x264_picture_t *picture)
{
	enum err err = write_held(movie, (uint64_t)picture->i_pts);

	if (err)
		return err;
	if (av_new_packet(movie->packet, len) < 0)
		return ERR_NOMEM;
	memcpy(movie->packet->data, nals[0].p_payload, (size_t)len);
	movie->packet->pts = movie->packet->dts = picture->i_pts;
	movie->packet->flags = picture->b_keyframe ? AV_PKT_FLAG_KEY : 0;
	movie->holds = true;
	return OK;
}

/* in NULL: what the encoder still has. */
static enum err encode(struct movie *movie, x264_picture_t *in)
{
	x264_picture_t out;
	x264_nal_t *nals;
	int count;
	const int len = x264_encoder_encode(movie->x264, &nals, &count, in, &out);

	if (len < 0)
		return ERR_INTERNAL;
	return len ? hold(movie, nals, len, &out) : OK;
}

enum err movie_add(struct movie *movie, const uint32_t *pixels, uint64_t at_ms)
{
	x264_picture_t in;

	if (ARGBToI420((const uint8_t *)pixels, (int)(movie->width * sizeof(*pixels)),
		       movie->planes[0], movie->stride[0], movie->planes[1], movie->stride[1],
		       movie->planes[2], movie->stride[2], (int)movie->width, (int)movie->height))
		return ERR_INTERNAL;
	x264_picture_init(&in);
	in.i_type = X264_TYPE_AUTO;
	in.i_pts = (int64_t)at_ms;
	in.img.i_csp = X264_CSP_I420;
	in.img.i_plane = PLANES;
	for (size_t i = 0; i < PLANES; i++) {
		in.img.plane[i] = movie->planes[i];
		in.img.i_stride[i] = movie->stride[i];
	}
	movie->last_ms = at_ms;
	return encode(movie, &in);
}

enum err movie_end(struct movie *movie, uint64_t end_ms)
{
	enum err err = OK;

	while (!err && x264_encoder_delayed_frames(movie->x264))
		err = encode(movie, NULL);
	if (!err)
		err = write_held(movie, MAX(end_ms, movie->last_ms + 1));
	if (!err)
		err = cut(movie, end_ms);
	if (err)
		return err;
	const int status = av_write_trailer(movie->format);
	avio_flush(movie->format->pb);
	return after(movie, status);
}
