/*
 * tool_sound_peer - an RDP server on FreeRDP's server library whose sound channel ([MS-RDPEA])
 * obeys lines on stdin, so that a test can be a PC that plays something, or one that lies about it.
 *
 *   tool-sound-peer certificate.pem key.pem
 *
 * open static|dynamic       the sound channel: opened | not-joined, or later ready | refused
 * raw HEX                   one PDU, as it is
 * tone MS HZ RATE CHANNELS FORMAT wave|wave2
 *                           a sine in 20 ms pieces, each when it is due, then: played
 *
 * port N | activated | got HEX (a PDU of the client's) | left
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <freerdp/channels/channels.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/rdpsnd.h>
#include <freerdp/channels/wtsvc.h>
#include <freerdp/codec/audio.h>
#include <freerdp/crypto/certificate.h>
#include <freerdp/crypto/privatekey.h>
#include <freerdp/freerdp.h>
#include <freerdp/peer.h>
#include <freerdp/update.h>
#include <winpr/wlog.h>
#include <winpr/wtsapi.h>

#include "base/clock.h"
#include "base/util.h"

enum {
	SIDE = 64,
	HANDLES_MAX = 32,
	LINE_BYTES = 200000,
	PDU_BYTES = 65536 + 16,
	PIECES_A_SECOND = 50,
	TICK_MS = 5,
};

struct sound_peer {
	freerdp_peer *peer;
	HANDLE vcm, channel, input;
	bool activated, dynamic, ready, joined;
	char line[LINE_BYTES];
	size_t len;
	/* the tone that is being played */
	unsigned pieces, piece, hertz, rate, channels, format;
	bool wave2;
	uint8_t block;
	uint64_t begun_us;
};

static struct sound_peer self;

static BOOL draw(rdpContext *context)
{
	static BYTE pixels[SIDE * SIDE * 4];
	BITMAP_DATA square = {
		.destRight = SIDE - 1,
		.destBottom = SIDE - 1,
		.width = SIDE,
		.height = SIDE,
		.bitsPerPixel = 32,
		.bitmapLength = sizeof(pixels),
		.bitmapDataStream = pixels,
	};
	BITMAP_UPDATE update = { .number = 1, .rectangles = &square };

	memset(pixels, 0x80, sizeof(pixels));
	return context->update->BitmapUpdate(context, &update);
}

static BOOL on_post_connect(freerdp_peer *peer)
{
	(void)peer;
	return TRUE;
}

static BOOL on_activate(freerdp_peer *peer)
{
	if (!self.activated)
		printf("activated\n");
	self.activated = true;
	return draw(peer->context);
}

/* ---- the channel ------------------------------------------------------------------------ */

static void send_pdu(const uint8_t *pdu, size_t len)
{
	ULONG written = 0;

	/* The type is not const; nothing is written there. */
	if (!self.channel ||
	    !WTSVirtualChannelWrite(self.channel, (PCHAR)(uintptr_t)pdu, (ULONG)len, &written))
		printf("not-sent\n");
}

static void open_channel(bool dynamic)
{
	DWORD *session = NULL, bytes = 0;
	char *found = NULL;

	self.dynamic = dynamic;
	if (!dynamic) {
		self.channel = WTSVirtualChannelManagerIsChannelJoined(self.vcm, "rdpsnd")
				       ? WTSVirtualChannelOpen(self.vcm, WTS_CURRENT_SESSION,
							       (LPSTR)(uintptr_t) "rdpsnd")
				       : NULL;
		self.ready = self.channel != NULL;
		printf(self.channel ? "opened\n" : "not-joined\n");
		return;
	}
	if (!WTSQuerySessionInformationA(self.vcm, WTS_CURRENT_SESSION, WTSSessionId, &found,
					 &bytes))
		return;
	session = (DWORD *)(void *)found;
	self.channel = WTSVirtualChannelOpenEx(*session, (LPSTR)(uintptr_t)RDPSND_DVC_CHANNEL_NAME,
					       WTS_CHANNEL_OPTION_DYNAMIC);
	WTSFreeMemory(found);
	printf(self.channel ? "opened\n" : "not-joined\n");
}

/* Whether the client took the dynamic channel is known some turns later. */
static void look_whether_ready(void)
{
	BOOL *ready = NULL;
	char *found = NULL;
	ULONG bytes = 0;

	if (!self.channel || self.ready)
		return;
	if (!WTSVirtualChannelQuery(self.channel, WTSVirtualChannelReady, (PVOID *)&found,
				    &bytes)) {
		printf("refused\n");
		WTSVirtualChannelClose(self.channel);
		self.channel = NULL;
		return;
	}
	ready = (BOOL *)(void *)found;
	self.ready = *ready;
	WTSFreeMemory(found);
	if (self.ready)
		printf("ready\n");
}

static void read_channel(void)
{
	static uint8_t pdu[PDU_BYTES];
	ULONG got = 0;

	while (self.channel && self.ready &&
	       WTSVirtualChannelRead(self.channel, 0, (PCHAR)pdu, sizeof(pdu), &got) && got > 0) {
		printf("got ");
		for (ULONG i = 0; i < got; i++)
			printf("%02x", pdu[i]);
		printf("\n");
	}
}

/* ---- the tone --------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *at, unsigned value)
{
	*at++ = (uint8_t)value;
	*at++ = (uint8_t)(value >> 8);
	return at;
}

static size_t make_piece(uint8_t *at)
{
	unsigned frames = self.rate / PIECES_A_SECOND;
	size_t len = 0;

	for (unsigned i = 0; i < frames; i++) {
		double when = (double)(self.piece * frames + i) / self.rate;
		int16_t value = (int16_t)lrint(12000 * sin(2 * M_PI * self.hertz * when));

		for (unsigned c = 0; c < self.channels; c++, len += 2)
			put16(at + len, (uint16_t)value);
	}
	return len;
}

/* [MS-RDPEA] 2.2.3.10: everything in one PDU. */
static void send_wave2(unsigned stamp)
{
	static uint8_t pdu[PDU_BYTES];
	size_t len = make_piece(pdu + 16);
	uint8_t *at = put16(pdu, SNDC_WAVE2);

	at = put16(at, (unsigned)len + 12);
	at = put16(put16(at, stamp), self.format);
	*at = self.block++;
	send_pdu(pdu, len + 16);
}

/* [MS-RDPEA] 2.2.3.3 and 2.2.3.4: the first four bytes of the sound go ahead with the header. */
static void send_wave(unsigned stamp)
{
	static uint8_t wave[PDU_BYTES];
	uint8_t info[16] = { 0 };
	size_t len = make_piece(wave);
	uint8_t *at = put16(info, SNDC_WAVE);

	at = put16(at, (unsigned)len + 8);
	at = put16(put16(at, stamp), self.format);
	*at = self.block++;
	memcpy(info + 12, wave, 4);
	memset(wave, 0, 4);
	send_pdu(info, sizeof(info));
	send_pdu(wave, len);
}

static void play(void)
{
	while (self.piece < self.pieces &&
	       clock_mono_us() >=
		       self.begun_us + (uint64_t)self.piece * 1000000 / PIECES_A_SECOND) {
		unsigned stamp = self.piece * 1000 / PIECES_A_SECOND;

		if (self.wave2)
			send_wave2(stamp);
		else
			send_wave(stamp);
		if (++self.piece == self.pieces)
			printf("played\n");
	}
}

/* ---- orders ----------------------------------------------------------------------------- */

static void order_raw(const char *hex)
{
	static uint8_t pdu[PDU_BYTES * 2];
	size_t len = strlen(hex) / 2;

	if (len > sizeof(pdu) || util_unhex(hex, pdu, len))
		printf("bad-order\n");
	else
		send_pdu(pdu, len);
}

static void order_tone(const char *text)
{
	unsigned long numbers[5];
	char *end;

	for (size_t i = 0; i < 5; i++, text = end)
		numbers[i] = strtoul(text, &end, 10);
	self.pieces = (unsigned)numbers[0] * PIECES_A_SECOND / 1000;
	self.hertz = (unsigned)numbers[1];
	self.rate = (unsigned)numbers[2];
	self.channels = (unsigned)numbers[3];
	self.format = (unsigned)numbers[4];
	self.wave2 = util_streq(text, " wave2");
	self.piece = 0;
	self.begun_us = clock_mono_us();
}

static void obey(char *line)
{
	char *rest = strchr(line, ' ');

	if (rest)
		*rest++ = '\0';
	if (rest && util_streq(line, "open"))
		open_channel(util_streq(rest, "dynamic"));
	else if (rest && util_streq(line, "raw"))
		order_raw(rest);
	else if (rest && util_streq(line, "tone"))
		order_tone(rest);
	else
		printf("bad-order\n");
}

/* False: stdin is closed, the test is over. */
static bool read_orders(void)
{
	ssize_t got = read(STDIN_FILENO, self.line + self.len, sizeof(self.line) - self.len);
	char *end;

	if (got <= 0)
		return false;
	self.len += (size_t)got;
	while ((end = memchr(self.line, '\n', self.len))) {
		size_t used = (size_t)(end - self.line) + 1;

		*end = '\0';
		obey(self.line);
		memmove(self.line, self.line + used, self.len - used);
		self.len -= used;
	}
	return true;
}

/* ---- the server ------------------------------------------------------------------------- */

static bool set_up(freerdp_peer *peer, const char *certificate, const char *key)
{
	rdpSettings *settings;

	if (!freerdp_peer_context_new(peer))
		return false;
	self.vcm = WTSOpenServerA((LPSTR)peer->context);
	if (!self.vcm || self.vcm == INVALID_HANDLE_VALUE)
		return false;
	settings = peer->context->settings;
	peer->PostConnect = on_post_connect;
	peer->Activate = on_activate;
	return freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerCertificate,
						freerdp_certificate_new_from_file(certificate),
						1) &&
	       freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerRsaKey,
						freerdp_key_new_from_file(key), 1) &&
	       freerdp_settings_set_bool(settings, FreeRDP_TlsSecurity, TRUE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_NlaSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_RdpSecurity, FALSE) &&
	       freerdp_settings_set_bool(settings, FreeRDP_SupportGraphicsPipeline, FALSE) &&
	       peer->Initialize(peer);
}

static bool turn(freerdp_peer *peer)
{
	HANDLE handles[HANDLES_MAX];
	DWORD count = peer->GetEventHandles(peer, handles, HANDLES_MAX - 2);

	if (count == 0)
		return false;
	handles[count++] = WTSVirtualChannelManagerGetEventHandle(self.vcm);
	handles[count++] = self.input;
	if (WaitForMultipleObjects(count, handles, FALSE, TICK_MS) == WAIT_FAILED ||
	    !peer->CheckFileDescriptor(peer))
		return false;
	if (!self.activated)
		return true;
	if (!WTSVirtualChannelManagerCheckFileDescriptor(self.vcm))
		return false;
	/* A dynamic channel can be asked for when the channel below it is there. */
	if (!self.joined &&
	    WTSVirtualChannelManagerGetDrdynvcState(self.vcm) == DRDYNVC_STATE_READY) {
		self.joined = true;
		printf("drdynvc\n");
	}
	look_whether_ready();
	read_channel();
	play();
	return WaitForSingleObject(self.input, 0) != WAIT_OBJECT_0 || read_orders();
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
	int fd, code = 1;

	if (argc != 3)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)WLog_SetLogLevel(WLog_GetRoot(), WLOG_ERROR);
	WTSRegisterWtsApiFunctionTable(FreeRDP_InitWtsApi());
	fd = accept_one();
	if (fd < 0)
		return 1;
	self.peer = freerdp_peer_new(fd);
	self.input = CreateFileDescriptorEvent(NULL, FALSE, FALSE, STDIN_FILENO, WINPR_FD_READ);
	if (!self.peer || !self.input)
		return 1;
	if (set_up(self.peer, argv[1], argv[2])) {
		while (turn(self.peer))
			;
		printf("left\n");
		code = 0;
	}
	if (self.channel)
		WTSVirtualChannelClose(self.channel);
	WTSCloseServer(self.vcm);
	CloseHandle(self.input);
	freerdp_peer_context_free(self.peer);
	freerdp_peer_free(self.peer);
	return code;
}
