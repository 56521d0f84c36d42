#include "worker/remote/rdp/rdp_h264.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavutil/opt.h>
#include <libyuv.h>

#include "base/util.h"

_Static_assert((int)UNIT_PADDING >= (int)AV_INPUT_BUFFER_PADDING_SIZE,
	       "the decoder reads ahead within the padding");

enum { BLOCK = 16, PADDED = 64, MOST_CROPPED = 32, MAX_KEPT_BLOCKS = 696320 };

struct rdp_h264 {
	AVCodecContext *codec; /* owned */
	AVPacket *packet;      /* owned */
	AVFrame *frame;        /* owned; the last unit's picture, or empty */
	AVFrame *next;         /* owned; empty between calls */
};

/* What the library has to say of a PC's data is not for our log. */
static void ignore_log(void *object, int level, const char *format, va_list args)
{
	(void)object;
	(void)level;
	(void)format;
	(void)args;
}

/* Encoders make their pictures a multiple of 16, some of 64; libavcodec counts in 64 itself. */
static unsigned blocks(unsigned size)
{
	return ((size + PADDED - 1) / PADDED + 1) * (PADDED / BLOCK);
}

static enum err open_codec(struct rdp_h264 *h264, unsigned width, unsigned height)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
	if (!codec)
		return ERR_NOMEM;
	h264->codec = avcodec_alloc_context3(codec);
	h264->packet = av_packet_alloc();
	h264->frame = av_frame_alloc();
	h264->next = av_frame_alloc();
	if (!h264->codec || !h264->packet || !h264->frame || !h264->next)
		return ERR_NOMEM;
	h264->codec->thread_count = 1;
	h264->codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
	/* TCP damages nothing: what is damaged is hostile. */
	h264->codec->error_concealment = 0;
	(void)av_opt_set_int(h264->codec->priv_data, "enable_er", 0, 0);
	h264->codec->max_pixels = (int64_t)blocks(width) * blocks(height) * BLOCK * BLOCK;
	return avcodec_open2(h264->codec, codec, NULL) == 0 ? OK : ERR_NOMEM;
}

enum err rdp_h264_new(unsigned width, unsigned height, struct rdp_h264 **ret)
{
	struct rdp_h264 *h264 = calloc(1, sizeof(*h264));
	if (!h264)
		return ERR_NOMEM;
	av_log_set_callback(ignore_log);
	enum err err = open_codec(h264, width, height);
	if (err) {
		rdp_h264_free(h264);
		return err;
	}
	*ret = h264;
	return OK;
}

void rdp_h264_free(struct rdp_h264 *h264)
{
	if (!h264)
		return;
	avcodec_free_context(&h264->codec);
	av_packet_free(&h264->packet);
	av_frame_free(&h264->frame);
	av_frame_free(&h264->next);
	free(h264);
}

/* The pictures that the stream keeps: as many as level 6 allows (§A.3.1, MaxDpbMbs). */
static bool keeps_few(const AVCodecContext *codec)
{
	uint64_t picture = (uint64_t)blocks((unsigned)MAX(codec->coded_width, 0)) *
			   blocks((unsigned)MAX(codec->coded_height, 0));
	return (uint64_t)MAX(codec->refs, 0) * picture <= MAX_KEPT_BLOCKS;
}

enum err rdp_h264_decode(struct rdp_h264 *h264, const uint8_t *data, size_t len)
{
	av_frame_unref(h264->frame);
	if (len == 0 || len > INT_MAX)
		return ERR_PROTOCOL;
	/* The decoder only reads. */
	h264->packet->data = (uint8_t *)(uintptr_t)data;
	h264->packet->size = (int)len;
	int status = avcodec_send_packet(h264->codec, h264->packet);
	/* The last picture of several counts. */
	while (status == 0 && avcodec_receive_frame(h264->codec, h264->next) == 0) {
		av_frame_unref(h264->frame);
		av_frame_move_ref(h264->frame, h264->next);
	}
	h264->packet->data = NULL;
	h264->packet->size = 0;
	if (status == AVERROR(ENOMEM))
		return ERR_NOMEM;
	return status == 0 && keeps_few(h264->codec) ? OK : ERR_PROTOCOL;
}

/* Two pixels each way share their colours: x and y are even, or the size is 1. */
static bool convert(const AVFrame *frame, unsigned x, unsigned y, unsigned width, unsigned height,
		    uint8_t *pixels, size_t stride)
{
	const uint8_t *planes[3];
	for (size_t i = 0; i < ARRAY_SIZE(planes); i++) {
		unsigned half = i ? 2 : 1;
		planes[i] = frame->data[i] + (ptrdiff_t)(y / half) * frame->linesize[i] + x / half;
	}
	return I420ToARGBMatrix(planes[0], frame->linesize[0], planes[1], frame->linesize[1],
				planes[2], frame->linesize[2], pixels, (int)stride,
				&kYuvF709Constants, (int)width, (int)height) == 0;
}

static bool convert_rows(const AVFrame *frame, const struct rect *part, unsigned y, unsigned height,
			 uint8_t *pixels, size_t stride)
{
	unsigned odd = part->x % 2;
	if (odd && !convert(frame, part->x, y, 1, height, pixels, stride))
		return false;
	return part->width == odd || convert(frame, part->x + odd, y, part->width - odd, height,
					     pixels + odd * SURFACE_PIXEL, stride);
}

enum err rdp_h264_draw(const struct rdp_h264 *h264, const struct rect *part, uint8_t *pixels,
		       size_t stride)
{
	const AVFrame *frame = h264->frame;
	unsigned odd = part->y % 2;
	if (!frame->data[0])
		return OK;
	if ((frame->format != AV_PIX_FMT_YUV420P && frame->format != AV_PIX_FMT_YUVJ420P) ||
	    part->x + part->width > frame->width || part->y + part->height > frame->height)
		return ERR_PROTOCOL;
	if (part->width == 0 || part->height == 0)
		return OK;
	if (odd && !convert_rows(frame, part, part->y, 1, pixels, stride))
		return ERR_INTERNAL;
	if (part->height > odd && !convert_rows(frame, part, part->y + odd, part->height - odd,
						pixels + odd * stride, stride))
		return ERR_INTERNAL;
	return OK;
}

/* ---- what viewers are told -------------------------------------------------------------- */

/* docs/protocol.md, "Frames" */
static bool length_fits(int coded, int shown, unsigned wanted)
{
	return shown >= (int)wanted && shown < (int)wanted + BLOCK && coded - shown < MOST_CROPPED;
}

bool rdp_h264_fits(const uint8_t *data, size_t len, unsigned width, unsigned height)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
	AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
	AVCodecParserContext *parser = av_parser_init(AV_CODEC_ID_H264);
	bool fits = false;
	av_log_set_callback(ignore_log);
	if (context && parser && len <= INT_MAX) {
		uint8_t *out;
		int out_len;
		parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
		(void)av_parser_parse2(parser, context, &out, &out_len, data, (int)len,
				       AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
		fits = length_fits(parser->coded_width, parser->width, width) &&
		       length_fits(parser->coded_height, parser->height, height);
	}
	av_parser_close(parser);
	avcodec_free_context(&context);
	return fits;
}

static enum err open_filter(AVBSFContext **ret)
{
	/* ITU-T H.264, tables E-3 to E-5: BT.709, the transfer of sRGB, BT.709 */
	static const struct {
		const char *name;
		int value;
	} options[] = {
		{ "video_full_range_flag", 1 },
		{ "colour_primaries", 1 },
		{ "transfer_characteristics", 13 },
		{ "matrix_coefficients", 1 },
	};
	const AVBitStreamFilter *filter = av_bsf_get_by_name("h264_metadata");
	if (!filter || av_bsf_alloc(filter, ret) < 0)
		return ERR_NOMEM;
	(*ret)->par_in->codec_type = AVMEDIA_TYPE_VIDEO;
	(*ret)->par_in->codec_id = AV_CODEC_ID_H264;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (av_opt_set_int((*ret)->priv_data, options[i].name, options[i].value, 0) < 0)
			return ERR_INTERNAL;
	return av_bsf_init(*ret) == 0 ? OK : ERR_NOMEM;
}

static enum err run_filter(AVBSFContext *filter, AVPacket *packet, const uint8_t *data, size_t len)
{
	if (len > INT_MAX || av_new_packet(packet, (int)len) < 0)
		return ERR_NOMEM;
	memcpy(packet->data, data, len);
	return av_bsf_send_packet(filter, packet) == 0 && av_bsf_receive_packet(filter, packet) == 0
		       ? OK
		       : ERR_PROTOCOL;
}

enum err rdp_h264_name_colours(const uint8_t *data, size_t len, uint8_t **ret, size_t *ret_len)
{
	AVBSFContext *filter = NULL;
	AVPacket *packet = av_packet_alloc();
	uint8_t *copy = NULL;
	enum err err = packet ? open_filter(&filter) : ERR_NOMEM;
	av_log_set_callback(ignore_log);
	if (!err)
		err = run_filter(filter, packet, data, len);
	if (!err && packet->size > 0)
		copy = malloc((size_t)packet->size);
	if (!err && !copy)
		err = ERR_NOMEM;
	if (!err) {
		memcpy(copy, packet->data, (size_t)packet->size);
		*ret = copy;
		*ret_len = (size_t)packet->size;
	}
	av_packet_free(&packet);
	av_bsf_free(&filter);
	return err;
}
