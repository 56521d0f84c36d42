/*
 * tool_rdp_peer - an RDP server on FreeRDP's server library that prints the keyboard events it
 * gets, one line an event, until its one client has left.
 *
 *   tool-rdp-peer certificate.pem key.pem unicode|no-unicode
 *
 * port N | activated | scancode FLAGS CODE | unicode FLAGS UNIT | sync FLAGS | left
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <freerdp/crypto/certificate.h>
#include <freerdp/crypto/privatekey.h>
#include <freerdp/freerdp.h>
#include <freerdp/input.h>
#include <freerdp/peer.h>
#include <freerdp/update.h>
#include <winpr/winsock.h>
#include <winpr/wlog.h>

#include "base/util.h"

enum { PEER_MAX_HANDLES = 32, PEER_SIDE = 64 };

static BOOL on_scancode(rdpInput *input, UINT16 flags, UINT8 code)
{
	(void)input;
	printf("scancode %04x %02x\n", flags, code);
	return TRUE;
}

static BOOL on_unicode(rdpInput *input, UINT16 flags, UINT16 unit)
{
	(void)input;
	printf("unicode %04x %04x\n", flags, unit);
	return TRUE;
}

static BOOL on_sync(rdpInput *input, UINT32 flags)
{
	(void)input;
	printf("sync %x\n", flags);
	return TRUE;
}

static BOOL on_mouse(rdpInput *input, UINT16 flags, UINT16 x, UINT16 y)
{
	(void)input;
	(void)x;
	(void)y;
	printf("mouse %04x\n", flags);
	return TRUE;
}

/* One grey square: a client counts as connected once it has a picture. */
static BOOL draw(rdpContext *context)
{
	static BYTE pixels[PEER_SIDE * PEER_SIDE * 4];
	BITMAP_DATA square = {
		.destRight = PEER_SIDE - 1,
		.destBottom = PEER_SIDE - 1,
		.width = PEER_SIDE,
		.height = PEER_SIDE,
		.bitsPerPixel = 32,
		.bitmapLength = sizeof(pixels),
		.bitmapDataStream = pixels,
	};
	BITMAP_UPDATE update = { .number = 1, .rectangles = &square };

	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = 0x80;
	return context->update->BitmapUpdate(context, &update);
}

static BOOL on_post_connect(freerdp_peer *peer)
{
	(void)peer;
	return TRUE;
}

static BOOL on_activate(freerdp_peer *peer)
{
	printf("activated\n");
	return draw(peer->context);
}

static bool set_up(freerdp_peer *peer, const char *certificate, const char *key, bool unicode)
{
	rdpSettings *settings;

	if (!freerdp_peer_context_new(peer))
		return false;
	settings = peer->context->settings;
	peer->PostConnect = on_post_connect;
	peer->Activate = on_activate;
	peer->context->input->KeyboardEvent = on_scancode;
	peer->context->input->UnicodeKeyboardEvent = on_unicode;
	peer->context->input->SynchronizeEvent = on_sync;
	peer->context->input->MouseEvent = on_mouse;
	return freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerCertificate,
						freerdp_certificate_new_from_file(certificate),
						1) &&
	       freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerRsaKey,
						freerdp_key_new_from_file(key), 1) &&
	       freerdp_settings_set_bool(settings, FreeRDP_TlsSecurity, TRUE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_NlaSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_RdpSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_SupportGraphicsPipeline, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_UnicodeInput, unicode) &&
	       peer->Initialize(peer);
}

static void serve(freerdp_peer *peer)
{
	HANDLE handles[PEER_MAX_HANDLES];

	for (;;) {
		DWORD count = peer->GetEventHandles(peer, handles, PEER_MAX_HANDLES);

		if (count == 0 ||
		    WaitForMultipleObjects(count, handles, FALSE, INFINITE) == WAIT_FAILED ||
		    !peer->CheckFileDescriptor(peer))
			break;
	}
	printf("left\n");
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
	freerdp_peer *peer;
	int fd, code = 1;

	if (argc != 4)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)WLog_SetLogLevel(WLog_GetRoot(), WLOG_ERROR);
	fd = accept_one();
	if (fd < 0)
		return 1;
	peer = freerdp_peer_new(fd);
	if (!peer)
		return 1;
	if (set_up(peer, argv[1], argv[2], util_streq(argv[3], "unicode"))) {
		serve(peer);
		code = 0;
	}
	freerdp_peer_context_free(peer);
	freerdp_peer_free(peer);
	return code;
}
