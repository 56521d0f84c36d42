#include "unit/unit.h"

#include <string.h>

#include <freerdp/settings.h>

#include "worker/remote/rdp/rdp_library.h"
#include "worker/remote/rdp/rdp_settings.h"

static const struct remote_config config = {
	.address = "192.0.2.7",
	.port = 3389,
	.security = SECURITY_AUTO,
	.user = "sato",
	.password = "secret-1",
	.domain = "",
	.width = 1281,
	.height = 801,
	.layout = 0x411,
	.connect_s = 10,
};

static rdpSettings *applied(const struct remote_config *from)
{
	rdpSettings *settings = freerdp_settings_new(0);

	assert_non_null(settings);
	assert_ok(rdp_settings_apply(settings, from));
	return settings;
}

/* Requirement A6: whatever FreeRDP's defaults become, none of these is on. */
static void test_nothing_is_redirected(void **state)
{
	static const FreeRDP_Settings_Keys_Bool off[] = {
		FreeRDP_RedirectClipboard,       FreeRDP_DeviceRedirection,
		FreeRDP_RedirectDrives,          FreeRDP_RedirectHomeDrive,
		FreeRDP_RedirectPrinters,        FreeRDP_RedirectSmartCards,
		FreeRDP_RedirectSerialPorts,     FreeRDP_RedirectParallelPorts,
		FreeRDP_AudioPlayback,           FreeRDP_AudioCapture,
		FreeRDP_RemoteConsoleAudio,      FreeRDP_SupportMultitransport,
		FreeRDP_RedirectWebAuthN,        FreeRDP_SupportVideoOptimized,
		FreeRDP_SupportGeometryTracking, FreeRDP_SupportEchoChannel,
		FreeRDP_EncomspVirtualChannel,   FreeRDP_RemdeskVirtualChannel,
		FreeRDP_RemoteApplicationMode,   FreeRDP_MultiTouchInput,
		FreeRDP_SupportSSHAgentChannel,  FreeRDP_RdpSecurity,
		FreeRDP_IgnoreCertificate,       FreeRDP_AutoAcceptCertificate,
		FreeRDP_UseRdpSecurityLayer,     FreeRDP_GatewayEnabled,
		FreeRDP_AutoReconnectionEnabled, FreeRDP_BitmapCachePersistEnabled,
		FreeRDP_BitmapCacheEnabled,
	};
	rdpSettings *settings = applied(&config);

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		assert_false(freerdp_settings_get_bool(settings, off[i]));
	assert_true(freerdp_settings_get_bool(settings, FreeRDP_ExternalCertificateManagement));
	assert_int_not_equal(freerdp_settings_get_uint32(settings, FreeRDP_AuthenticationLevel), 0);
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_ConfigPath),
			    "/nonexistent");
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_StaticChannelCount), 0);
	freerdp_settings_free(settings);
}

/* Playback where it is allowed, and nothing else with it. */
static void test_sound(void **state)
{
	struct remote_config changed = config;
	rdpSettings *settings;

	(void)state;
	changed.audio = true;
	settings = applied(&changed);
	assert_true(freerdp_settings_get_bool(settings, FreeRDP_AudioPlayback));
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_AudioCapture));
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_RemoteConsoleAudio));
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_DeviceRedirection));
	/* Sound stays in the worker's one thread. */
	assert_true(freerdp_settings_get_bool(settings, FreeRDP_SynchronousStaticChannels));
	assert_true(freerdp_settings_get_bool(settings, FreeRDP_SynchronousDynamicChannels));
	freerdp_settings_free(settings);
}

/* Text is exact unless policy says otherwise; and never AVC444, which browsers cannot decode. */
static void test_video(void **state)
{
	enum { FILTERED_FROM_10 = 0x7fc, FILTERED_10_7 = 0x400 };
	struct remote_config changed = config;
	rdpSettings *settings = applied(&config);

	(void)state;
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_GfxH264));
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_GfxCapsFilter),
			 FILTERED_10_7);
	freerdp_settings_free(settings);
	changed.video = true;
	settings = applied(&changed);
	assert_true(freerdp_settings_get_bool(settings, FreeRDP_GfxH264));
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_GfxAVC444));
	assert_false(freerdp_settings_get_bool(settings, FreeRDP_GfxAVC444v2));
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_GfxCapsFilter),
			 FILTERED_FROM_10);
	freerdp_settings_free(settings);
}

static void test_security(void **state)
{
	static const struct {
		enum security security;
		bool nla, tls;
	} cases[] = { { SECURITY_AUTO, true, true },
		      { SECURITY_NLA, true, false },
		      { SECURITY_TLS, false, true } };
	struct remote_config changed = config;
	rdpSettings *settings;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		changed.security = cases[i].security;
		settings = applied(&changed);
		assert_int_equal(freerdp_settings_get_bool(settings, FreeRDP_NlaSecurity),
				 cases[i].nla);
		assert_int_equal(freerdp_settings_get_bool(settings, FreeRDP_TlsSecurity),
				 cases[i].tls);
		freerdp_settings_free(settings);
	}
	settings = freerdp_settings_new(0);
	changed.security = SECURITY_NONE;
	assert_err(rdp_settings_apply(settings, &changed), ERR_INVALID);
	changed.security = SECURITY_VNC_PASSWORD;
	assert_err(rdp_settings_apply(settings, &changed), ERR_INVALID);
	freerdp_settings_free(settings);
}

static void test_size_and_keyboard(void **state)
{
	struct remote_config us = config;
	rdpSettings *settings = applied(&config);

	(void)state;
	/* FreeRDP begins with decoders for a whole desktop: a small one until it dials. */
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth), 200);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight), 200);
	assert_ok(rdp_settings_size(settings, &config));
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth), 1280);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight), 800);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_ColorDepth), 32);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardType), 7);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardSubType), 2);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardFunctionKey), 12);
	freerdp_settings_free(settings);
	us.layout = 0x409;
	settings = applied(&us);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardType), 4);
	assert_int_equal(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardLayout), 0x409);
	freerdp_settings_free(settings);
}

static void test_login(void **state)
{
	struct remote_config other = config;
	rdpSettings *settings;

	(void)state;
	other.user = "OFFICE\\sato";
	settings = applied(&other);
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_Username), "sato");
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_Domain), "OFFICE");
	freerdp_settings_free(settings);
	/* a domain given by itself leaves the name alone */
	other.domain = "HQ";
	settings = applied(&other);
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_Username),
			    "OFFICE\\sato");
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_Domain), "HQ");
	freerdp_settings_free(settings);
}

static void test_password_is_forgotten(void **state)
{
	rdpSettings *settings = applied(&config);
	static const char zero[8];

	(void)state;
	assert_string_equal(freerdp_settings_get_string(settings, FreeRDP_Password), "secret-1");
	rdp_settings_forget(settings);
	assert_memory_equal(freerdp_settings_get_string(settings, FreeRDP_Password), zero,
			    sizeof(zero));
	freerdp_settings_free(settings);
}

static void test_library(void **state)
{
	(void)state;
	assert_ok(rdp_library_init());
	assert_ok(rdp_library_init());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_library),  cmocka_unit_test(test_nothing_is_redirected),
		cmocka_unit_test(test_sound),    cmocka_unit_test(test_video),
		cmocka_unit_test(test_security), cmocka_unit_test(test_size_and_keyboard),
		cmocka_unit_test(test_login),    cmocka_unit_test(test_password_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
