#include "worker/remote/rdp/rdp_text.h"

#include <stdlib.h>

#include <freerdp/scancode.h>
#include <winpr/string.h>

static void send_key_stroke(rdpInput *input, uint32_t code)
{
	(void)freerdp_input_send_keyboard_event_ex(input, TRUE, FALSE, code);
	(void)freerdp_input_send_keyboard_event_ex(input, FALSE, FALSE, code);
}

void rdp_text_send(rdpInput *input, const char *text)
{
	size_t len = 0;
	WCHAR *wide = ConvertUtf8ToWCharAlloc(text, &len);

	/* The loop sees a broken connection at its next turn, so results do not matter here. */
	for (size_t i = 0; wide && i < len; i++) {
		if (wide[i] == '\n') {
			send_key_stroke(input, RDP_SCANCODE_RETURN);
		} else if (wide[i] == '\t') {
			send_key_stroke(input, RDP_SCANCODE_TAB);
		} else if (wide[i] >= 0x20 && wide[i] != 0x7f) {
			(void)freerdp_input_send_unicode_keyboard_event(input, 0, wide[i]);
			(void)freerdp_input_send_unicode_keyboard_event(input, KBD_FLAGS_RELEASE,
									wide[i]);
		}
	}
	free(wide);
}

/*
 * FreeRDP_UnicodeInput should say so, but FreeRDP 3.10 never takes it over from the PC. What the PC
 * said is kept raw, without its header: TS_INPUT_CAPABILITYSET, [MS-RDPBCGR] 2.2.7.1.6.
 */
static bool takes_unicode(const rdpSettings *settings)
{
	enum { CAPSTYPE_INPUT = 13, INPUT_FLAG_UNICODE = 0x0010, FLAGS_SIZE = 2 };
	uint8_t *const *sets =
		freerdp_settings_get_pointer(settings, FreeRDP_ReceivedCapabilityData);
	const uint32_t *sizes =
		freerdp_settings_get_pointer(settings, FreeRDP_ReceivedCapabilityDataSizes);
	uint32_t count = freerdp_settings_get_uint32(settings, FreeRDP_ReceivedCapabilitiesSize);

	return sets && sizes && count > CAPSTYPE_INPUT && sets[CAPSTYPE_INPUT] &&
	       sizes[CAPSTYPE_INPUT] >= FLAGS_SIZE &&
	       (sets[CAPSTYPE_INPUT][0] & INPUT_FLAG_UNICODE);
}

enum remote_text rdp_text_support(const rdpSettings *settings)
{
	if (!takes_unicode(settings))
		return REMOTE_TEXT_NONE;
	/*
	 * xrdp announces Unicode events, then takes only those that its keyboard layout has. It
	 * says that it is RDP 5 to 8.1; so did Windows until 8.1 and Server 2012 R2.
	 */
	if (freerdp_settings_get_uint32(settings, FreeRDP_RdpVersion) <= RDP_VERSION_5_PLUS)
		return REMOTE_TEXT_KEYS;
	return REMOTE_TEXT_ANY;
}
