/*
 * tool_rdp_host - an RDP server on FreeRDP's server library that draws exactly what a script on
 * stdin tells it, right or wrong, for one client.
 *
 *   tool-rdp-host certificate.pem key.pem graphics|bitmaps
 *
 * write TIMES HEX (into the graphics channel, as it is) | bitmap L T R B W H BPP COMPRESSED HEX |
 * surface CODEC BPP L T R B W H HEX | marker END ID | quit
 *
 * Tells: port N | activated | graphics VERSION (the channel is open) | ack FRAME TOTAL |
 * surface-ack FRAME | left
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <freerdp/channels/channels.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/wtsvc.h>
#include <freerdp/crypto/certificate.h>
#include <freerdp/crypto/privatekey.h>
#include <freerdp/freerdp.h>
#include <freerdp/peer.h>
#include <freerdp/update.h>
#include <winpr/winsock.h>
#include <winpr/wlog.h>
#include <winpr/wtsapi.h>

#include "base/util.h"

enum { HOST_HANDLES = 40, HOST_MESSAGE = 1 << 16 };

struct host {
	freerdp_peer *peer;
	HANDLE vcm, channel, channel_event, input;
	bool graphics, active, open, quit;
	char *script; /* what has come of it */
	size_t script_len, script_size;
};

static struct host host;

static uint32_t u32_at(const uint8_t *data)
{
	return (uint32_t)(data[0] | data[1] << 8 | data[2] << 16) | (uint32_t)data[3] << 24;
}

/* --- what the client says --- */

static BOOL on_post_connect(freerdp_peer *peer)
{
	(void)peer;
	return TRUE;
}

static BOOL on_activate(freerdp_peer *peer)
{
	(void)peer;
	host.active = true;
	printf("activated\n");
	return TRUE;
}

static BOOL on_surface_ack(rdpContext *context, UINT32 id)
{
	(void)context;
	printf("surface-ack %u\n", id);
	return TRUE;
}

/* The last of the offered versions ([MS-RDPEGFX] 2.2.2.18) is confirmed. */
static void confirm(const uint8_t *data, size_t len)
{
	uint8_t answer[22] = { 0xe0, 0x04, 0x13, 0, 0, 0, 20, 0, 0, 0 };
	size_t at = 2;
	ULONG written;

	for (unsigned count = data[0]; count > 1 && at + 8 <= len; count--)
		at += 8 + u32_at(data + at + 4);
	if (at + 12 > len)
		return;
	memcpy(answer + 10, data + at, 12);
	printf("graphics %06x\n", u32_at(data + at));
	host.open = true;
	(void)WTSVirtualChannelWrite(host.channel, (char *)answer, sizeof(answer), &written);
}

static void take_message(const uint8_t *data, size_t len)
{
	while (len >= 8) {
		size_t size = u32_at(data + 4);

		if (size < 8 || size > len)
			return;
		if (data[0] == 0x12 && size > 10)
			confirm(data + 8, size - 8);
		else if (data[0] == 0x0d && size >= 20)
			printf("ack %u %u\n", u32_at(data + 12), u32_at(data + 16));
		data += size;
		len -= size;
	}
}

static bool read_channel(void)
{
	static uint8_t data[HOST_MESSAGE];
	ULONG len = 0;

	while (WTSVirtualChannelRead(host.channel, 0, (char *)data, sizeof(data), &len) && len > 0)
		take_message(data, len);
	return true;
}

static bool open_channel(void)
{
	DWORD *session = NULL, len = 0;
	void *event = NULL;

	if (!WTSQuerySessionInformationA(host.vcm, WTS_CURRENT_SESSION, WTSSessionId,
					 (LPSTR *)&session, &len))
		return false;
	host.channel = WTSVirtualChannelOpenEx(*session, (char *)RDPGFX_DVC_CHANNEL_NAME,
					       WTS_CHANNEL_OPTION_DYNAMIC);
	WTSFreeMemory(session);
	if (!host.channel ||
	    !WTSVirtualChannelQuery(host.channel, WTSVirtualEventHandle, &event, &len))
		return false;
	memcpy(&host.channel_event, event, sizeof(host.channel_event));
	WTSFreeMemory(event);
	return true;
}

/* --- the script --- */

/* Into the same memory; the number of bytes. */
static size_t unhex(char *text)
{
	size_t len = strcspn(text, "\n") / 2;
	uint8_t *data = (uint8_t *)text;

	for (size_t i = 0; i < len; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], 0 };

		data[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

static char *numbers(char *text, uint32_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = (uint32_t)strtoll(text, &text, 0);
	return text + (*text == ' ');
}

static bool write_channel(char *text)
{
	uint32_t times;
	char *data = numbers(text, &times, 1);
	size_t len = unhex(data);
	ULONG written;

	while (times-- > 0)
		if (!WTSVirtualChannelWrite(host.channel, data, (ULONG)len, &written) ||
		    (times % 256 == 0 && !WTSVirtualChannelManagerCheckFileDescriptor(host.vcm)))
			return false;
	return true;
}

static bool draw_bitmap(char *text)
{
	rdpContext *context = host.peer->context;
	uint32_t n[8];
	char *data = numbers(text, n, 8);
	BITMAP_DATA bitmap = { .destLeft = n[0],
			       .destTop = n[1],
			       .destRight = n[2],
			       .destBottom = n[3],
			       .width = n[4],
			       .height = n[5],
			       .bitsPerPixel = n[6],
			       .compressed = n[7] != 0 };
	BITMAP_UPDATE update = { .number = 1, .rectangles = &bitmap };

	bitmap.bitmapLength = (UINT32)unhex(data);
	bitmap.cbCompMainBodySize = bitmap.bitmapLength;
	bitmap.bitmapDataStream = (BYTE *)data;
	return context->update->BitmapUpdate(context, &update);
}

static bool draw_surface(char *text)
{
	rdpContext *context = host.peer->context;
	uint32_t n[8];
	char *data = numbers(text, n, 8);
	SURFACE_BITS_COMMAND command = { .cmdType = CMDTYPE_STREAM_SURFACE_BITS,
					 .destLeft = n[2],
					 .destTop = n[3],
					 .destRight = n[4],
					 .destBottom = n[5] };

	command.bmp = (TS_BITMAP_DATA_EX){ .codecID = (UINT16)n[0],
					   .bpp = (BYTE)n[1],
					   .width = (UINT16)n[6],
					   .height = (UINT16)n[7],
					   .bitmapDataLength = (UINT32)unhex(data),
					   .bitmapData = (BYTE *)data };
	return context->update->SurfaceBits(context, &command);
}

static bool obey(char *line)
{
	char *rest = line + strcspn(line, " \n");
	SURFACE_FRAME_MARKER marker;
	uint32_t n[2];

	if (*rest)
		*rest++ = 0;
	if (util_streq(line, "write"))
		return write_channel(rest);
	if (util_streq(line, "bitmap"))
		return draw_bitmap(rest);
	if (util_streq(line, "surface"))
		return draw_surface(rest);
	if (util_streq(line, "quit")) {
		host.quit = true;
		return true;
	}
	if (!util_streq(line, "marker"))
		return false;
	(void)numbers(rest, n, 2);
	marker = (SURFACE_FRAME_MARKER){ n[0], n[1] };
	return host.peer->context->update->SurfaceFrameMarker(host.peer->context, &marker);
}

static bool read_script(void)
{
	char *end, *start;
	ssize_t got;

	if (host.script_size - host.script_len < HOST_MESSAGE) {
		host.script_size += 16 * HOST_MESSAGE;
		host.script = realloc(host.script, host.script_size);
		if (!host.script)
			return false;
	}
	got = read(STDIN_FILENO, host.script + host.script_len,
		   host.script_size - host.script_len - 1);
	if (got <= 0)
		return false;
	host.script_len += (size_t)got;
	host.script[host.script_len] = 0;
	for (start = host.script; (end = strchr(start, '\n')); start = end + 1) {
		*end = 0;
		if (!obey(start))
			return false;
	}
	host.script_len -= (size_t)(start - host.script);
	memmove(host.script, start, host.script_len);
	return true;
}

/* --- the connection --- */

static bool set_up(freerdp_peer *peer, char **argv)
{
	rdpSettings *settings;

	if (!freerdp_peer_context_new(peer))
		return false;
	settings = peer->context->settings;
	peer->PostConnect = on_post_connect;
	peer->Activate = on_activate;
	peer->context->update->SurfaceFrameAcknowledge = on_surface_ack;
	host.vcm = WTSOpenServerA((LPSTR)peer->context);
	return host.vcm && host.vcm != INVALID_HANDLE_VALUE &&
	       freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerCertificate,
						freerdp_certificate_new_from_file(argv[1]), 1) &&
	       freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerRsaKey,
						freerdp_key_new_from_file(argv[2]), 1) &&
	       freerdp_settings_set_bool(settings, FreeRDP_TlsSecurity, TRUE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_NlaSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_RdpSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_SupportGraphicsPipeline,
					 host.graphics) &&
	       freerdp_settings_set_bool(settings, FreeRDP_FrameMarkerCommandEnabled, TRUE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_SurfaceFrameMarkerEnabled, TRUE) &&
	       freerdp_settings_set_uint32(settings, FreeRDP_ColorDepth, 32) &&
	       peer->Initialize(peer);
}

static bool turn(void)
{
	freerdp_peer *peer = host.peer;
	HANDLE handles[HOST_HANDLES];
	DWORD count = peer->GetEventHandles(peer, handles, HOST_HANDLES - 3);
	bool may_draw = host.active && (!host.graphics || host.open);

	if (count == 0)
		return false;
	handles[count++] = WTSVirtualChannelManagerGetEventHandle(host.vcm);
	if (host.channel_event)
		handles[count++] = host.channel_event;
	if (may_draw)
		handles[count++] = host.input;
	if (WaitForMultipleObjects(count, handles, FALSE, INFINITE) == WAIT_FAILED ||
	    !peer->CheckFileDescriptor(peer))
		return false;
	/* Before, the client would not hear that there are dynamic channels. */
	if (!host.active)
		return true;
	if (!WTSVirtualChannelManagerCheckFileDescriptor(host.vcm))
		return false;
	if (host.graphics && !host.channel &&
	    WTSVirtualChannelManagerGetDrdynvcState(host.vcm) == DRDYNVC_STATE_READY &&
	    !open_channel())
		return false;
	if (host.channel_event && WaitForSingleObject(host.channel_event, 0) == WAIT_OBJECT_0)
		read_channel();
	return !may_draw || WaitForSingleObject(host.input, 0) != WAIT_OBJECT_0 || read_script();
}

static int accept_one(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	_cleanup_close_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &len))
		return -1;
	printf("port %u\n", ntohs(address.sin_port));
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 4)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)WLog_SetLogLevel(WLog_GetRoot(), WLOG_ERROR);
	(void)WTSRegisterWtsApiFunctionTable(FreeRDP_InitWtsApi());
	host.graphics = util_streq(argv[3], "graphics");
	host.input = CreateFileDescriptorEvent(NULL, TRUE, FALSE, STDIN_FILENO, WINPR_FD_READ);
	fd = accept_one();
	host.peer = fd < 0 ? NULL : freerdp_peer_new(fd);
	if (!host.input || !host.peer || !set_up(host.peer, argv))
		return 1;
	while (!host.quit && turn())
		;
	printf("left\n");
	if (host.channel)
		(void)WTSVirtualChannelClose(host.channel);
	WTSCloseServer(host.vcm);
	host.peer->Disconnect(host.peer);
	freerdp_peer_context_free(host.peer);
	freerdp_peer_free(host.peer);
	(void)CloseHandle(host.input);
	free(host.script);
	return 0;
}
