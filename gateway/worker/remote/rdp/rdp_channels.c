#include "worker/remote/rdp/rdp_channels.h"

#include <string.h>

#include <freerdp/addin.h>
#include <freerdp/channels/channels.h>
#include <freerdp/channels/disp.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/rdpsnd.h>
#include <freerdp/client/channels.h>
#include <freerdp/event.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_audio.h"
#include "worker/remote/rdp/rdp_pipeline.h"

enum {
	MAX_STATIC = 1 << 20, /* bytes of one message on a static channel */
	LEAST_MESSAGE = 16 << 20,
};

static const char *const dynamic_channels[] = { RDPGFX_CHANNEL_NAME, DISP_CHANNEL_NAME };

/* Of the one PC of this process: FreeRDP asks for code without saying for which connection. */
static bool audio_code_allowed;

bool rdp_channels_allowed(const char *name, bool audio)
{
	return util_streq(name, RDPGFX_DVC_CHANNEL_NAME) ||
	       util_streq(name, DISP_DVC_CHANNEL_NAME) ||
	       (audio && util_streq(name, RDPSND_DVC_CHANNEL_NAME));
}

const char *rdp_channels_requested(const uint8_t *data, size_t len)
{
	static const size_t id_sizes[] = { 1, 2, 4, 0 };
	size_t id_size = len > 0 ? id_sizes[data[0] & 3] : 0;
	const char *name;

	if (len == 0 || data[0] >> 4 != CREATE_REQUEST_PDU || id_size == 0 || len <= 1 + id_size)
		return NULL;
	name = (const char *)data + 1 + id_size;
	return memchr(name, 0, len - 1 - id_size) ? name : NULL;
}

/* All code that FreeRDP may load for a channel passes here. */
static PVIRTUALCHANNELENTRY load_entry(LPCSTR name, LPCSTR subsystem, LPCSTR type, DWORD flags)
{
	bool audio = audio_code_allowed && util_streq(name, RDPSND_CHANNEL_NAME);
	bool allowed = audio || util_streq(name, DRDYNVC_SVC_CHANNEL_NAME);
	/* The addin interface has one function type for every kind of entry. */
	const union {
		PFREERDP_RDPSND_DEVICE_ENTRY entry;
		PVIRTUALCHANNELENTRY loaded;
	} device = { .entry = rdp_audio_entry };

	if (audio && subsystem && util_streq(subsystem, RDP_AUDIO_SUBSYSTEM) && !type)
		return device.loaded;
	for (size_t i = 0; i < ARRAY_SIZE(dynamic_channels); i++)
		allowed = allowed || util_streq(name, dynamic_channels[i]);
	if (!allowed || subsystem || type) {
		log_warn("rdp-channel-code-refused", "name=%s", log_quote(name ? name : ""));
		return NULL;
	}
	return freerdp_channels_load_static_addin_entry(name, NULL, NULL, flags);
}

/* Takes over args, which may be NULL. */
static BOOL add_dynamic(rdpSettings *settings, ADDIN_ARGV *args)
{
	if (args && freerdp_dynamic_channel_collection_add(settings, args))
		return TRUE;
	freerdp_addin_argv_free(args);
	return FALSE;
}

static BOOL add_all_dynamic(rdpSettings *settings, bool audio)
{
	for (size_t i = 0; i < ARRAY_SIZE(dynamic_channels); i++) {
		const char *const argv[] = { dynamic_channels[i] };

		if (!freerdp_dynamic_channel_collection_find(settings, dynamic_channels[i]) &&
		    !add_dynamic(settings, freerdp_addin_argv_new(1, argv)))
			return FALSE;
	}
	return !audio || freerdp_dynamic_channel_collection_find(settings, RDPSND_CHANNEL_NAME) ||
	       add_dynamic(settings, rdp_audio_arguments());
}

/* data: what the channel's code expects, for as long as the connection lives. */
static BOOL load_static(rdpContext *context, const char *name, void *data)
{
	union {
		PVIRTUALCHANNELENTRY loaded;
		PVIRTUALCHANNELENTRYEX entry;
	} cast;

	cast.loaded = load_entry(name, NULL, NULL,
				 FREERDP_ADDIN_CHANNEL_STATIC | FREERDP_ADDIN_CHANNEL_ENTRYEX);
	return cast.entry && freerdp_channels_client_load_ex(context->channels, context->settings,
							     cast.entry, data) == 0;
}

/* The arguments belong to the settings, which outlive the channel. */
static BOOL load_static_audio(rdpContext *context)
{
	rdpSettings *settings = context->settings;
	ADDIN_ARGV *args = freerdp_static_channel_collection_find(settings, RDPSND_CHANNEL_NAME);

	if (!args) {
		args = rdp_audio_arguments();
		if (!args || !freerdp_static_channel_collection_add(settings, args)) {
			freerdp_addin_argv_free(args);
			return FALSE;
		}
	}
	return load_static(context, RDPSND_CHANNEL_NAME, args);
}

/*
 * freerdp->LoadChannels, called before every connection attempt. Windows sends sound on the dynamic
 * channel, xrdp on the static one.
 */
static BOOL load_channels(freerdp *instance)
{
	rdpContext *context = instance->context;
	bool audio = rdp_of(context)->remote.config.audio;

	audio_code_allowed = audio;
	return add_all_dynamic(context->settings, audio) &&
	       load_static(context, DRDYNVC_SVC_CHANNEL_NAME, context->settings) &&
	       (!audio || load_static_audio(context));
}

static void report_refused(struct rdp_remote *rdp, const char *name)
{
	/* The PC could ask without end. */
	if (rdp->refused >= RDP_MAX_REFUSED)
		return;
	rdp->refused++;
	rdp_events(rdp)->channel_refused(rdp->remote.ctx, name);
}

uint32_t rdp_channels_length(const uint8_t *data, size_t len)
{
	static const size_t sizes[] = { 1, 2, 4, 0 };
	unsigned command = len > 0 ? data[0] >> 4 : 0;
	size_t id_size = len > 0 ? sizes[data[0] & 3] : 0;
	size_t size = len > 0 ? sizes[data[0] >> 2 & 3] : 0;
	uint32_t length = 0;

	if (command != DATA_FIRST_PDU && command != DATA_FIRST_COMPRESSED_PDU)
		return 0;
	if (id_size == 0 || size == 0 || len < 1 + id_size + size)
		return UINT32_MAX;
	for (size_t i = size; i > 0; i--)
		length = length << 8 | data[id_size + i];
	return length;
}

/* FreeRDP makes room for whatever length is announced. A frame in raw pixels is the most that makes
 * sense. */
static bool is_too_long(const struct rdp_remote *rdp, const uint8_t *data, size_t size)
{
	const struct rdp_screen *screen = &rdp->surfaces.screen;
	uint64_t most = LEAST_MESSAGE + (uint64_t)screen->width * screen->height * 8;

	return rdp_channels_length(data, size) > most;
}

/*
 * freerdp->ReceiveChannelData: everything that comes on a static channel. drdynvc itself turns a
 * request for a channel without listener down, but tells nobody, so requests are looked at on their
 * way.
 */
static BOOL receive(freerdp *instance, UINT16 id, const BYTE *data, size_t size, UINT32 flags,
		    size_t total)
{
	struct rdp_remote *rdp = rdp_of(instance->context);
	bool dynamic =
		(flags & CHANNEL_FLAG_FIRST) &&
		util_streq(freerdp_channels_get_name_by_id(instance, id), DRDYNVC_SVC_CHANNEL_NAME);
	const char *name = dynamic ? rdp_channels_requested(data, size) : NULL;
	BOOL ok;

	if (total > MAX_STATIC || (dynamic && is_too_long(rdp, data, size))) {
		log_warn("rdp-channel-message", "length=%u total=%zu",
			 dynamic ? rdp_channels_length(data, size) : 0, total);
		return rdp_fail(rdp, END_PC_TOO_BIG);
	}
	if (name && !rdp_channels_allowed(name, rdp->remote.config.audio))
		report_refused(rdp, name);
	rdp->pc_closes = dynamic && size > 0 && data[0] >> 4 == CLOSE_REQUEST_PDU;
	ok = freerdp_channels_data(instance, id, data, size, flags, total);
	rdp->pc_closes = false;
	return ok;
}

static UINT disp_caps(DispClientContext *disp, UINT32 monitors, UINT32 factor_a, UINT32 factor_b)
{
	struct rdp_remote *rdp = disp->custom;
	uint64_t area;

	if (mul_overflows((uint64_t)factor_a, (uint64_t)factor_b, &area) ||
	    mul_overflows(area, monitors, &area))
		area = UINT64_MAX;
	rdp->disp_max_area = area;
	rdp->remote.can_resize = area > 0;
	rdp->remote.monitors = (unsigned)MIN(monitors, (UINT32)RDP_MAX_MONITORS);
	return CHANNEL_RC_OK;
}

/* The short name of an open channel; "other" cannot happen while only ours are loaded. */
static const char *channel_label(const char *name, bool audio)
{
	if (util_streq(name, RDPGFX_DVC_CHANNEL_NAME))
		return RDPGFX_CHANNEL_NAME;
	if (util_streq(name, DISP_DVC_CHANNEL_NAME))
		return DISP_CHANNEL_NAME;
	if (util_streq(name, DRDYNVC_SVC_CHANNEL_NAME))
		return DRDYNVC_SVC_CHANNEL_NAME;
	if (audio &&
	    (util_streq(name, RDPSND_CHANNEL_NAME) || util_streq(name, RDPSND_DVC_CHANNEL_NAME)))
		return RDPSND_CHANNEL_NAME;
	return "other";
}

static void channel_connected(void *context, const ChannelConnectedEventArgs *event)
{
	struct rdp_remote *rdp = rdp_of(context);
	const char *label = channel_label(event->name, rdp->remote.config.audio);

	if (util_streq(label, RDPGFX_CHANNEL_NAME)) {
		rdp_pipeline_open(rdp, event->pInterface);
	} else if (util_streq(label, DISP_CHANNEL_NAME)) {
		rdp->disp = event->pInterface;
		rdp->disp->custom = rdp;
		rdp->disp->DisplayControlCaps = disp_caps;
	} else if (util_streq(label, "other")) {
		log_error("rdp-channel-not-allowed", "name=%s", log_quote(event->name));
		rdp_fail(rdp, END_PC_PROTOCOL);
	}
	if (rdp->opened_count < RDP_MAX_OPENED)
		rdp->opened[rdp->opened_count++] = label;
}

static void channel_disconnected(void *context, const ChannelDisconnectedEventArgs *event)
{
	struct rdp_remote *rdp = rdp_of(context);

	if (util_streq(event->name, RDPGFX_DVC_CHANNEL_NAME)) {
		rdp_pipeline_close(rdp, event->pInterface);
		/* FreeRDP closes it when it cannot read a message, and goes on without pictures. */
		if (!rdp->pc_closes)
			rdp_fail(rdp, END_PC_PROTOCOL);
	} else if (util_streq(event->name, DISP_DVC_CHANNEL_NAME)) {
		rdp->disp = NULL;
		rdp->remote.can_resize = false;
		rdp->remote.monitors = 1;
	}
}

enum err rdp_channels_init(freerdp *instance)
{
	rdpContext *context = instance->context;

	freerdp_register_addin_provider(load_entry, 0);
	instance->LoadChannels = load_channels;
	instance->ReceiveChannelData = receive;
	if (PubSub_SubscribeChannelConnected(context->pubSub, channel_connected) < 0 ||
	    PubSub_SubscribeChannelDisconnected(context->pubSub, channel_disconnected) < 0)
		return ERR_NOMEM;
	return OK;
}

/* False when it is more than the PC takes. */
static bool fill_layout(const struct rdp_remote *rdp, const struct rect *monitors, size_t count,
			DISPLAY_CONTROL_MONITOR_LAYOUT *layouts)
{
	uint64_t area = 0;

	for (size_t i = 0; i < count; i++) {
		/* [MS-RDPEDISP] 2.2.2.2.1: the width must be even */
		layouts[i] = (DISPLAY_CONTROL_MONITOR_LAYOUT){
			.Flags = i ? 0 : DISPLAY_CONTROL_MONITOR_PRIMARY,
			.Left = monitors[i].x,
			.Top = monitors[i].y,
			.Width = MAX((unsigned)DISPLAY_CONTROL_MIN_MONITOR_WIDTH,
				     MIN((unsigned)monitors[i].width, (unsigned)REMOTE_MAX_WIDTH)) &
				 ~1u,
			.Height =
				MAX((unsigned)DISPLAY_CONTROL_MIN_MONITOR_HEIGHT,
				    MIN((unsigned)monitors[i].height, (unsigned)REMOTE_MAX_HEIGHT)),
			.Orientation = ORIENTATION_LANDSCAPE,
			.DesktopScaleFactor = 100,
			.DeviceScaleFactor = 100,
		};
		area += (uint64_t)layouts[i].Width * layouts[i].Height;
	}
	return area <= rdp->disp_max_area;
}

bool rdp_channels_resize(struct rdp_remote *rdp, const struct rect *monitors, size_t count)
{
	DISPLAY_CONTROL_MONITOR_LAYOUT layouts[RDP_MAX_MONITORS];

	if (!rdp->disp || !rdp->remote.can_resize || count == 0 || count > rdp->remote.monitors ||
	    !fill_layout(rdp, monitors, count, layouts))
		return false;
	return rdp->disp->SendMonitorLayout(rdp->disp, (UINT32)count, layouts) == CHANNEL_RC_OK;
}

static void append(char *text, size_t size, size_t *len, const char *before, const char *name)
{
	int added = snprintf(text + *len, size - *len, "%s%s", before, name);

	*len = added < 0 || (size_t)added >= size - *len ? size - 1 : *len + (size_t)added;
}

void rdp_channels_describe(const struct remote *remote, char *text, size_t size)
{
	const struct rdp_remote *rdp = container_of(remote, struct rdp_remote, remote);
	const rdpSettings *settings = rdp->instance->context->settings;
	size_t len = 0;

	append(text, size, &len, "static=", "");
	for (UINT32 i = 0; i < freerdp_settings_get_uint32(settings, FreeRDP_ChannelCount); i++) {
		const CHANNEL_DEF *channel =
			freerdp_settings_get_pointer_array(settings, FreeRDP_ChannelDefArray, i);

		append(text, size, &len, i ? "," : "", channel ? channel->name : "?");
	}
	append(text, size, &len, " loaded=", "");
	for (UINT32 i = 0; i < freerdp_settings_get_uint32(settings, FreeRDP_DynamicChannelCount);
	     i++) {
		const ADDIN_ARGV *args = freerdp_settings_get_pointer_array(
			settings, FreeRDP_DynamicChannelArray, i);

		append(text, size, &len, i ? "," : "",
		       args && args->argc > 0 ? args->argv[0] : "?");
	}
	append(text, size, &len, " open=", "");
	for (size_t i = 0; i < rdp->opened_count; i++)
		append(text, size, &len, i ? "," : "", rdp->opened[i]);
}
