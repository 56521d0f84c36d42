#include "worker/encode/jpeg.h"

#include <stdlib.h>

#include <turbojpeg.h>

struct jpeg {
	tjhandle turbo;
	uint8_t *data;
	size_t room;
};

enum err jpeg_new(struct jpeg **ret)
{
	struct jpeg *jpeg = calloc(1, sizeof(*jpeg));
	if (!jpeg)
		return ERR_NOMEM;
	jpeg->turbo = tjInitCompress();
	if (!jpeg->turbo) {
		jpeg_free(jpeg);
		return ERR_NOMEM;
	}
	*ret = jpeg;
	return OK;
}

void jpeg_free(struct jpeg *jpeg)
{
	if (!jpeg)
		return;
	if (jpeg->turbo)
		tjDestroy(jpeg->turbo);
	free(jpeg->data);
	free(jpeg);
}

enum err jpeg_encode(struct jpeg *jpeg, const struct surface *surface, const struct rect *rect,
		     unsigned quality, const uint8_t **ret_data, size_t *ret_len)
{
	size_t need = tjBufSize(rect->width, rect->height, TJSAMP_420);
	unsigned long len = need;
	if (need > jpeg->room) {
		free(jpeg->data);
		jpeg->data = malloc(need);
		jpeg->room = jpeg->data ? need : 0;
		if (!jpeg->data)
			return ERR_NOMEM;
	}
	if (tjCompress2(jpeg->turbo, surface_at(surface, rect->x, rect->y), rect->width,
			(int)surface->stride, rect->height, TJPF_BGRX, &jpeg->data, &len,
			TJSAMP_420, (int)quality, TJFLAG_NOREALLOC | TJFLAG_FASTDCT))
		return ERR_NOMEM;
	*ret_data = jpeg->data;
	*ret_len = len;
	return OK;
}
