/*
 * film.h - H.264 as RDP hosts make it, for tests: a film of boxes that move over a soft ground,
 * by x264 through libavcodec, without a word about its colours unless told.
 */
#ifndef SEKISHO_TESTS_UNIT_FILM_H
#define SEKISHO_TESTS_UNIT_FILM_H

#include "unit/unit.h"

#include <stdbool.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

struct film {
	AVCodecContext *codec;
	AVFrame *frame;
	AVPacket *packet; /* the last picture */
	unsigned number;
	int luma; /* of the ground */
};

static inline void film_start_as(struct film *film, unsigned width, unsigned height,
				 enum AVPixelFormat format, bool studio)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	assert_non_null(codec);
	av_log_set_level(AV_LOG_QUIET);
	*film = (struct film){ .codec = avcodec_alloc_context3(codec),
			       .frame = av_frame_alloc(),
			       .packet = av_packet_alloc(),
			       .luma = 60 };
	assert_true(film->codec && film->frame && film->packet);
	film->codec->width = (int)width;
	film->codec->height = (int)height;
	film->codec->pix_fmt = format;
	film->codec->time_base = (AVRational){ 1, 30 };
	film->codec->gop_size = 10000;
	film->codec->max_b_frames = 0;
	film->codec->thread_count = 1;
	if (studio) {
		film->codec->color_range = AVCOL_RANGE_MPEG;
		film->codec->colorspace = AVCOL_SPC_SMPTE170M;
	}
	assert_int_equal(av_opt_set(film->codec->priv_data, "preset", "ultrafast", 0), 0);
	assert_int_equal(av_opt_set(film->codec->priv_data, "tune", "zerolatency", 0), 0);
	assert_int_equal(av_opt_set(film->codec->priv_data, "forced-idr", "1", 0), 0);
	assert_int_equal(avcodec_open2(film->codec, codec, NULL), 0);
	film->frame->width = (int)width;
	film->frame->height = (int)height;
	film->frame->format = format;
	assert_int_equal(av_frame_get_buffer(film->frame, 0), 0);
}

static inline void film_start(struct film *film, unsigned width, unsigned height)
{
	film_start_as(film, width, height, AV_PIX_FMT_YUV420P, false);
}

static inline void film_stop(struct film *film)
{
	avcodec_free_context(&film->codec);
	av_frame_free(&film->frame);
	av_packet_free(&film->packet);
}

static inline void film_paint(struct film *film)
{
	AVFrame *frame = film->frame;
	for (int y = 0; y < frame->height; y++)
		for (int x = 0; x < frame->width; x++) {
			bool box = ((unsigned)x + 8 * film->number) / 16 % 3 == 0 && y / 16 % 2;
			frame->data[0][y * frame->linesize[0] + x] =
				(uint8_t)(film->luma + x / 8 + (box ? 80 : 0));
		}
	for (int plane = 1; plane < 3; plane++)
		for (int y = 0; y < frame->height / 2; y++)
			for (int x = 0; x < frame->width / 2; x++)
				frame->data[plane][y * frame->linesize[plane] + x] =
					(uint8_t)(plane == 1 ? 90 + y / 4 : 150 - x / 8);
}

/* The next picture, in film->packet. */
static inline void film_next(struct film *film, bool key)
{
	assert_int_equal(av_frame_make_writable(film->frame), 0);
	film_paint(film);
	film->frame->pts = film->number++;
	film->frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	av_packet_unref(film->packet);
	assert_int_equal(avcodec_send_frame(film->codec, film->frame), 0);
	assert_int_equal(avcodec_receive_packet(film->codec, film->packet), 0);
}

#endif
