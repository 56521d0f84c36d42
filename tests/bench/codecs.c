#include "codecs.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libyuv.h>
#include <turbojpeg.h>

#include "base/util.h"

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

static enum err make_room(struct codecs *codecs, int width, int height)
{
	if (width <= 0 || height <= 0)
		return ERR_PROTOCOL;
	size_t pixels = (size_t)width * (size_t)height;
	if (codecs->room < pixels) {
		free(codecs->pixels);
		codecs->pixels = malloc(pixels * sizeof(*codecs->pixels));
		codecs->room = codecs->pixels ? pixels : 0;
		if (!codecs->pixels)
			return ERR_NOMEM;
	}
	codecs->width = (unsigned)width;
	codecs->height = (unsigned)height;
	return OK;
}

enum err codecs_jpeg(struct codecs *codecs, const uint8_t *data, size_t len)
{
	int width, height, subsampling, space;
	if (!codecs->turbo)
		codecs->turbo = tjInitDecompress();
	if (!codecs->turbo)
		return ERR_NOMEM;
	if (tjDecompressHeader3(codecs->turbo, data, len, &width, &height, &subsampling, &space))
		return ERR_PROTOCOL;
	enum err err = make_room(codecs, width, height);
	if (!err && tjDecompress2(codecs->turbo, data, len, (uint8_t *)codecs->pixels, width,
				  width * (int)sizeof(*codecs->pixels), height, TJPF_BGRX, 0))
		err = ERR_PROTOCOL;
	return err;
}

static void free_packet(AVPacket **packet)
{
	av_packet_free(packet);
}

static void free_frame(AVFrame **frame)
{
	av_frame_free(frame);
}

static enum err begin(struct codecs *codecs, unsigned stream)
{
	avcodec_free_context(&codecs->streams[stream]);
	const AVCodec *decoder = avcodec_find_decoder(AV_CODEC_ID_H264);
	AVCodecContext *context = decoder ? avcodec_alloc_context3(decoder) : NULL;
	if (!context)
		return ERR_NOMEM;
	context->thread_count = 1;
	context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	codecs->streams[stream] = context;
	return avcodec_open2(context, decoder, NULL) < 0 ? ERR_NOMEM : OK;
}

/* Full range, and the colours that the stream must have said. */
static enum err unpack(struct codecs *codecs, const AVFrame *frame, bool hd)
{
	if ((frame->format != AV_PIX_FMT_YUVJ420P && frame->format != AV_PIX_FMT_YUV420P) ||
	    frame->color_range != AVCOL_RANGE_JPEG ||
	    frame->colorspace != (hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M))
		return ERR_PROTOCOL;
	enum err err = make_room(codecs, frame->width, frame->height);
	if (!err &&
	    I420ToARGBMatrix(frame->data[0], frame->linesize[0], frame->data[1], frame->linesize[1],
			     frame->data[2], frame->linesize[2], (uint8_t *)codecs->pixels,
			     frame->width * (int)sizeof(*codecs->pixels),
			     hd ? &kYuvF709Constants : &kYuvJPEGConstants, frame->width,
			     frame->height))
		err = ERR_PROTOCOL;
	return err;
}

enum err codecs_h264(struct codecs *codecs, unsigned stream, bool key, bool hd, const uint8_t *data,
		     size_t len)
{
	if (stream >= CODECS_STREAMS || (!key && !codecs->streams[stream]) || len > INT32_MAX)
		return ERR_PROTOCOL;
	enum err err = key ? begin(codecs, stream) : OK;
	if (err)
		return err;
	_cleanup_(free_packet) AVPacket *packet = av_packet_alloc();
	_cleanup_(free_frame) AVFrame *frame = av_frame_alloc();
	if (!packet || !frame || av_new_packet(packet, (int)len) < 0)
		return ERR_NOMEM;
	memcpy(packet->data, data, len);
	if (avcodec_send_packet(codecs->streams[stream], packet) < 0 ||
	    avcodec_receive_frame(codecs->streams[stream], frame) < 0 || !key != !frame->key_frame)
		return ERR_PROTOCOL;
	return unpack(codecs, frame, hd);
}
