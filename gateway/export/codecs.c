#include "export/codecs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libyuv.h>
#include <turbojpeg.h>

#include "base/util.h"
#include "export/jpeg_check.h"

/* Of H.264: encoders make their pictures a multiple of 16, libavcodec counts in 64 itself; and
 * §A.3.1, MaxDpbMbs: what level 6 lets a stream keep. */
enum { BLOCK = 16, PADDED = 64, MAX_KEPT_BLOCKS = 696320 };

void codecs_finish(struct codecs *codecs)
{
	if (codecs->turbo)
		tjDestroy(codecs->turbo);
	for (size_t i = 0; i < CODECS_STREAMS; i++)
		avcodec_free_context(&codecs->streams[i]);
	free(codecs->pixels);
	*codecs = (struct codecs){ 0 };
}

void codecs_end(struct codecs *codecs, size_t stream)
{
	avcodec_free_context(&codecs->streams[stream]);
}

static enum err make_room(struct codecs *codecs, unsigned width, unsigned height)
{
	size_t pixels = (size_t)width * height;

	if (codecs->room < pixels) {
		free(codecs->pixels);
		codecs->pixels = malloc(pixels * sizeof(*codecs->pixels));
		codecs->room = codecs->pixels ? pixels : 0;
		if (!codecs->pixels)
			return ERR_NOMEM;
	}
	codecs->width = width;
	codecs->height = height;
	return OK;
}

/* ---- JPEG ------------------------------------------------------------------------------------ */

enum err codecs_jpeg(struct codecs *codecs, const uint8_t *data, size_t len, unsigned width,
		     unsigned height)
{
	enum err err = jpeg_check(data, len, width, height);

	if (err)
		return err;
	if (!codecs->turbo)
		codecs->turbo = tjInitDecompress();
	if (!codecs->turbo)
		return ERR_NOMEM;
	err = make_room(codecs, width, height);
	/* Damage that the library could live with is an error here; one of another size would be
	 * cut to ours. */
	if (!err && tjDecompress2(codecs->turbo, data, len, (uint8_t *)codecs->pixels, (int)width,
				  (int)(width * sizeof(*codecs->pixels)), (int)height, TJPF_BGRX,
				  TJFLAG_STOPONWARNING))
		err = ERR_PROTOCOL;
	return err;
}

/* ---- H.264 ----------------------------------------------------------------------------------- */

static void free_packet(AVPacket **packet)
{
	av_packet_free(packet);
}

static void free_frame(AVFrame **frame)
{
	av_frame_free(frame);
}

/* What the library has to say of a recording's data is not for our log. */
static void ignore_log(void *object, int level, const char *format, va_list args)
{
	(void)object, (void)level, (void)format, (void)args;
}

static int64_t padded(unsigned size)
{
	return ((int64_t)size + PADDED - 1) / PADDED * PADDED + PADDED;
}

static enum err begin(struct codecs *codecs, const struct codecs_unit *unit)
{
	const AVCodec *decoder = avcodec_find_decoder(AV_CODEC_ID_H264);

	codecs_end(codecs, unit->stream);
	av_log_set_callback(ignore_log);
	AVCodecContext *context = decoder ? avcodec_alloc_context3(decoder) : NULL;
	if (!context)
		return ERR_NOMEM;
	codecs->streams[unit->stream] = context;
	context->thread_count = 1;
	context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	/* What is damaged is an error, not a guess. */
	context->error_concealment = 0;
	(void)av_opt_set_int(context->priv_data, "enable_er", 0, 0);
	context->max_pixels = padded(unit->width + unit->more) * padded(unit->height + unit->more);
	return avcodec_open2(context, decoder, NULL) < 0 ? ERR_NOMEM : OK;
}

static bool keeps_few(const AVCodecContext *context)
{
	const uint64_t blocks = (uint64_t)padded((unsigned)MAX(context->coded_width, 0)) *
				(uint64_t)padded((unsigned)MAX(context->coded_height, 0)) /
				(BLOCK * BLOCK);

	return (uint64_t)MAX(context->refs, 0) * blocks <= MAX_KEPT_BLOCKS;
}

static bool is_key(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_KEY
	return frame->flags & AV_FRAME_FLAG_KEY;
#else
	return frame->key_frame;
#endif
}

static bool length_fits(int length, unsigned wanted, unsigned more)
{
	return length > 0 && (unsigned)length >= wanted && (unsigned)length - wanted <= more;
}

/* Full range, and the colours that the stream must have said. */
static bool is_right(const AVFrame *frame, const struct codecs_unit *unit)
{
	return (frame->format == AV_PIX_FMT_YUVJ420P || frame->format == AV_PIX_FMT_YUV420P) &&
	       frame->color_range == AVCOL_RANGE_JPEG &&
	       frame->colorspace == (unit->hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M) &&
	       length_fits(frame->width, unit->width, unit->more) &&
	       length_fits(frame->height, unit->height, unit->more);
}

static enum err unpack(struct codecs *codecs, const AVFrame *frame, bool hd)
{
	enum err err = make_room(codecs, (unsigned)frame->width, (unsigned)frame->height);

	if (!err &&
	    I420ToARGBMatrix(frame->data[0], frame->linesize[0], frame->data[1], frame->linesize[1],
			     frame->data[2], frame->linesize[2], (uint8_t *)codecs->pixels,
			     frame->width * (int)sizeof(*codecs->pixels),
			     hd ? &kYuvF709Constants : &kYuvJPEGConstants, frame->width,
			     frame->height))
		err = ERR_INTERNAL;
	return err;
}

static enum err decode(struct codecs *codecs, const struct codecs_unit *unit)
{
	AVCodecContext *context = codecs->streams[unit->stream];
	_cleanup_(free_packet) AVPacket *packet = av_packet_alloc();
	_cleanup_(free_frame) AVFrame *frame = av_frame_alloc();
	_cleanup_(free_frame) AVFrame *more = av_frame_alloc();

	if (!packet || !frame || !more || av_new_packet(packet, (int)unit->len) < 0)
		return ERR_NOMEM;
	memcpy(packet->data, unit->data, unit->len);
	if (avcodec_send_packet(context, packet) < 0 || avcodec_receive_frame(context, frame) < 0 ||
	    avcodec_receive_frame(context, more) != AVERROR(EAGAIN) || unit->key != is_key(frame) ||
	    !is_right(frame, unit) || !keeps_few(context))
		return ERR_PROTOCOL;
	return unpack(codecs, frame, unit->hd);
}

enum err codecs_h264(struct codecs *codecs, const struct codecs_unit *unit)
{
	if (unit->stream >= CODECS_STREAMS || (!unit->key && !codecs->streams[unit->stream]) ||
	    !unit->len || unit->len > INT_MAX)
		return ERR_PROTOCOL;
	enum err err = unit->key ? begin(codecs, unit) : OK;
	if (!err)
		err = decode(codecs, unit);
	if (err)
		codecs_end(codecs, unit->stream);
	return err;
}
