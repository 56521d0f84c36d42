#include "worker/remote/rdp/rdp_settings.h"

#include <string.h>

#include <freerdp/settings.h>

#include "base/secret.h"
#include "base/util.h"

enum {
	LEAST_SIZE = 200, /* that FreeRDP begins with */
	/*
	 * Versions not to offer, as FreeRDP counts them. Bit 10 stands for 10.7: in all others a
	 * surface is shown in its own size. From bit 2, version 10, on H.264 means AVC444, two
	 * streams that no browser can put together.
	 */
	GFX_WITHOUT_SCALING = 1 << 10,
	GFX_WITH_AVC420 = 0x7fc,
};

static const struct {
	FreeRDP_Settings_Keys_Bool key;
	bool value;
} switches[] = {
	/* Nothing but pixels, keys and the mouse (requirement A6); sound: set_sound. */
	{ FreeRDP_RedirectClipboard, false },
	{ FreeRDP_DeviceRedirection, false },
	{ FreeRDP_RedirectDrives, false },
	{ FreeRDP_RedirectHomeDrive, false },
	{ FreeRDP_RedirectSmartCards, false },
	{ FreeRDP_RedirectWebAuthN, false },
	{ FreeRDP_RedirectPrinters, false },
	{ FreeRDP_RedirectSerialPorts, false },
	{ FreeRDP_RedirectParallelPorts, false },
	{ FreeRDP_AudioCapture, false },
	{ FreeRDP_RemoteConsoleAudio, false },
	{ FreeRDP_SupportEchoChannel, false },
	{ FreeRDP_SupportGeometryTracking, false },
	{ FreeRDP_SupportSSHAgentChannel, false },
	{ FreeRDP_SupportVideoOptimized, false },
	{ FreeRDP_MultiTouchInput, false },
	{ FreeRDP_MultiTouchGestures, false },
	{ FreeRDP_EncomspVirtualChannel, false },
	{ FreeRDP_RemdeskVirtualChannel, false },
	{ FreeRDP_RemoteAssistanceMode, false },
	{ FreeRDP_RemoteApplicationMode, false },
	{ FreeRDP_LyncRdpMode, false },
	{ FreeRDP_SupportMultitransport, false },

	/* TLS or NLA to this PC only, with the certificate checked by rdp_trust. */
	{ FreeRDP_RdpSecurity, false },
	{ FreeRDP_UseRdpSecurityLayer, false },
	{ FreeRDP_ExtSecurity, false },
	{ FreeRDP_RdstlsSecurity, false },
	{ FreeRDP_AadSecurity, false },
	{ FreeRDP_VmConnectMode, false },
	{ FreeRDP_NegotiateSecurityLayer, true },
	{ FreeRDP_IgnoreCertificate, false },
	{ FreeRDP_AutoAcceptCertificate, false },
	{ FreeRDP_ExternalCertificateManagement, true },
	{ FreeRDP_SmartcardLogon, false },
	{ FreeRDP_SmartcardEmulation, false },
	{ FreeRDP_RestrictedAdminModeRequired, false },
	{ FreeRDP_RemoteCredentialGuard, false },
	{ FreeRDP_PromptForCredentials, false },
	{ FreeRDP_GatewayEnabled, false },
	{ FreeRDP_AutoReconnectionEnabled, false },
	{ FreeRDP_PrintReconnectCookie, false },
	{ FreeRDP_ConsoleSession, false },

	/* One thread, no files. */
	{ FreeRDP_AsyncUpdate, false },
	{ FreeRDP_AsyncChannels, false },
	{ FreeRDP_SynchronousStaticChannels, true },
	{ FreeRDP_SynchronousDynamicChannels, true },
	{ FreeRDP_BitmapCachePersistEnabled, false },
	{ FreeRDP_TransportDump, false },
	{ FreeRDP_TransportDumpReplay, false },
	{ FreeRDP_DumpRemoteFx, false },
	{ FreeRDP_PlayRemoteFx, false },
	{ FreeRDP_OldLicenseBehaviour, false },

	{ FreeRDP_SupportDynamicChannels, true },
	{ FreeRDP_SupportGraphicsPipeline, true },
	{ FreeRDP_SupportDisplayControl, true },
	{ FreeRDP_DynamicResolutionUpdate, true },
	{ FreeRDP_DesktopResize, true },
	{ FreeRDP_SupportErrorInfoPdu, true },
	{ FreeRDP_UseMultimon, false },
	{ FreeRDP_SpanMonitors, false },

	/*
	 * Text must be exact. RemoteFX, NSCodec and JPEG blur it; without them hosts fall back to
	 * lossless bitmaps, which cost less to decode too. H.264: set_video.
	 */
	{ FreeRDP_SoftwareGdi, true },
	{ FreeRDP_RemoteFxCodec, false },
	{ FreeRDP_RemoteFxImageCodec, false },
	{ FreeRDP_RemoteFxOnly, false },
	{ FreeRDP_NSCodec, false },
	{ FreeRDP_JpegCodec, false },
	{ FreeRDP_GfxAVC444, false },
	{ FreeRDP_GfxAVC444v2, false },
	{ FreeRDP_GfxPlanar, true },
	{ FreeRDP_GfxProgressive, true },
	{ FreeRDP_GfxProgressiveV2, false },
	{ FreeRDP_GfxSmallCache, true }, /* 16 MB of bitmaps instead of 100 */
	{ FreeRDP_BitmapCacheEnabled, false },
	{ FreeRDP_GfxSendQoeAck, false },
	{ FreeRDP_DrawAllowDynamicColorFidelity, false },
	{ FreeRDP_DrawAllowColorSubsampling, false },
	{ FreeRDP_DrawAllowSkipAlpha, true },
	{ FreeRDP_DrawNineGridEnabled, false },
	{ FreeRDP_DrawGdiPlusEnabled, false },
	{ FreeRDP_AllowFontSmoothing, true },
	{ FreeRDP_DisableMenuAnims, true },
	{ FreeRDP_DisableCursorShadow, true },
	{ FreeRDP_CompressionEnabled,
	  false }, /* a LAN does not need it, and it is one decoder less */

	{ FreeRDP_UnicodeInput, true },
	{ FreeRDP_HasHorizontalWheel, true },
	{ FreeRDP_HasExtendedMouseEvent, true },
	{ FreeRDP_HasRelativeMouseEvent, false },
	{ FreeRDP_MouseHasWheel, true },
	{ FreeRDP_GrabKeyboard, false },
};

static bool set_switches(rdpSettings *settings)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (!freerdp_settings_set_bool(settings, switches[i].key, switches[i].value))
			return false;
	return true;
}

static bool set_security(rdpSettings *settings, enum security security)
{
	bool nla = security == SECURITY_AUTO || security == SECURITY_NLA;
	bool tls = security == SECURITY_AUTO || security == SECURITY_TLS;

	return freerdp_settings_set_bool(settings, FreeRDP_NlaSecurity, nla) &&
	       freerdp_settings_set_bool(settings, FreeRDP_TlsSecurity, tls) &&
	       freerdp_settings_set_uint16(settings, FreeRDP_TLSMinVersion, 0x0303 /* TLS 1.2 */) &&
	       /* 0 would accept every certificate */
	       freerdp_settings_set_uint32(settings, FreeRDP_AuthenticationLevel, 2) &&
	       /* Kerberos would look for a KDC in DNS and for files in HOME. */
	       freerdp_settings_set_string(settings, FreeRDP_AuthenticationPackageList,
					   "ntlm,!kerberos");
}

static bool set_login(rdpSettings *settings, const struct remote_config *config)
{
	const char *user = config->user, *domain = config->domain;
	const char *slash = strchr(user, '\\');
	char prefix[256];

	/* DOMAIN\user as people type it */
	if (slash && !*domain && (size_t)(slash - user) < sizeof(prefix)) {
		memcpy(prefix, user, (size_t)(slash - user));
		prefix[slash - user] = 0;
		domain = prefix;
		user = slash + 1;
	}
	return freerdp_settings_set_string(settings, FreeRDP_Username, user) &&
	       freerdp_settings_set_string(settings, FreeRDP_Password, config->password) &&
	       freerdp_settings_set_string(settings, FreeRDP_Domain, domain) &&
	       freerdp_settings_set_bool(settings, FreeRDP_AutoLogonEnabled,
					 *user && *config->password);
}

static bool set_keyboard(rdpSettings *settings, uint32_t layout)
{
	bool japanese = (layout & 0xffff) == 0x411;

	return freerdp_settings_set_uint32(settings, FreeRDP_KeyboardLayout, layout) &&
	       freerdp_settings_set_uint32(settings, FreeRDP_KeyboardType, japanese ? 7 : 4) &&
	       freerdp_settings_set_uint32(settings, FreeRDP_KeyboardSubType, japanese ? 2 : 0) &&
	       freerdp_settings_set_uint32(settings, FreeRDP_KeyboardFunctionKey, 12);
}

/* The channel itself: rdp_channels.c. Never the microphone, and never played at the PC instead. */
static bool set_sound(rdpSettings *settings, bool audio)
{
	return freerdp_settings_set_bool(settings, FreeRDP_AudioPlayback, audio);
}

/* Only asked for where policy says so: the PC then sends text as H.264, too. */
static bool set_video(rdpSettings *settings, bool video)
{
	return freerdp_settings_set_bool(settings, FreeRDP_GfxH264, video) &&
	       freerdp_settings_set_uint32(settings, FreeRDP_GfxCapsFilter,
					   video ? GFX_WITH_AVC420 : GFX_WITHOUT_SCALING);
}

static bool set_numbers(rdpSettings *settings, const struct remote_config *config)
{
	const struct {
		FreeRDP_Settings_Keys_UInt32 key;
		uint32_t value;
	} numbers[] = {
		{ FreeRDP_ServerPort, config->port },
		{ FreeRDP_DesktopWidth, LEAST_SIZE },
		{ FreeRDP_DesktopHeight, LEAST_SIZE },
		{ FreeRDP_ColorDepth, 32 },
		{ FreeRDP_ConnectionType, CONNECTION_TYPE_LAN },
		{ FreeRDP_ThreadingFlags, THREADING_FLAGS_DISABLE_THREADS },
		{ FreeRDP_TcpConnectTimeout, config->connect_s * 1000 },
		{ FreeRDP_AutoReconnectMaxRetries, 0 },
		/* The PC could ask for gigabytes in off-screen bitmaps. */
		{ FreeRDP_OffscreenSupportLevel, 0 },
		{ FreeRDP_GlyphSupportLevel, 0 },
		{ FreeRDP_BitmapCacheV2NumCells, 0 },
		{ FreeRDP_FrameAcknowledge, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!freerdp_settings_set_uint32(settings, numbers[i].key, numbers[i].value))
			return false;
	return true;
}

enum err rdp_settings_size(rdpSettings *settings, const struct remote_config *config)
{
	return freerdp_settings_set_uint32(settings, FreeRDP_DesktopWidth, config->width & ~1u) &&
			       freerdp_settings_set_uint32(settings, FreeRDP_DesktopHeight,
							   config->height & ~1u)
		       ? OK
		       : ERR_NOMEM;
}

enum err rdp_settings_apply(rdpSettings *settings, const struct remote_config *config)
{
	if (config->security != SECURITY_AUTO && config->security != SECURITY_NLA &&
	    config->security != SECURITY_TLS)
		return ERR_INVALID;
	if (!set_switches(settings) || !set_security(settings, config->security) ||
	    !set_login(settings, config) || !set_keyboard(settings, config->layout) ||
	    !set_numbers(settings, config) || !set_sound(settings, config->audio) ||
	    !set_video(settings, config->video))
		return ERR_NOMEM;
	/* FreeRDP keeps licences and host keys under its configuration path: there is none. */
	if (!freerdp_settings_set_string(settings, FreeRDP_ConfigPath, "/nonexistent") ||
	    !freerdp_settings_set_string(settings, FreeRDP_ServerHostname, config->address) ||
	    !freerdp_settings_set_string(settings, FreeRDP_ClientHostname, "SEKISHO"))
		return ERR_NOMEM;
	freerdp_performance_flags_make(settings);
	return OK;
}

void rdp_settings_forget(rdpSettings *settings)
{
	char *password = freerdp_settings_get_string_writable(settings, FreeRDP_Password);

	if (password)
		secret_wipe(password, strlen(password));
}
