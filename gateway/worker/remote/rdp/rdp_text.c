#include "worker/remote/rdp/rdp_text.h"

#include <string.h>

#include <freerdp/input.h>
#include <freerdp/scancode.h>
#include <winpr/string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

/* The loop sees a broken connection at its next turn, so results of sending do not matter here. */
static void send_unit(rdpInput *input, uint16_t unit)
{
	uint32_t key = unit == '\n' ? RDP_SCANCODE_RETURN : unit == '\t' ? RDP_SCANCODE_TAB : 0;

	if (key) {
		(void)freerdp_input_send_keyboard_event_ex(input, TRUE, FALSE, key);
		(void)freerdp_input_send_keyboard_event_ex(input, FALSE, FALSE, key);
	} else if (unit >= 0x20 && unit != 0x7f) {
		(void)freerdp_input_send_unicode_keyboard_event(input, 0, unit);
		(void)freerdp_input_send_unicode_keyboard_event(input, KBD_FLAGS_RELEASE, unit);
	}
}

/* The next character: one unit, or a surrogate pair. Returns whether the PC needs time for it. */
static bool send_next(struct rdp_remote *rdp)
{
	rdpInput *input = rdp->instance->context->input;
	struct rdp_text *text = &rdp->text;
	uint16_t unit = text->units[text->next++];

	send_unit(input, unit);
	if (unit >= 0xd800 && unit < 0xdc00 && text->next < text->count)
		send_unit(input, text->units[text->next++]);
	return unit >= 0x80;
}

static void send_some(struct rdp_remote *rdp)
{
	struct rdp_text *text = &rdp->text;

	while (text->next < text->count) {
		if (send_next(rdp)) {
			loop_timer_set(&text->timer, RDP_TEXT_GAP_US);
			return;
		}
	}
}

static void on_gap_over(struct loop_timer *timer)
{
	send_some(container_of(timer, struct rdp_remote, text.timer));
}

void rdp_text_init(struct rdp_remote *rdp)
{
	loop_timer_init(rdp->remote.loop, &rdp->text.timer, on_gap_over);
}

void rdp_text_finish(struct rdp_remote *rdp)
{
	loop_timer_cancel(&rdp->text.timer);
}

void rdp_text_flush(struct rdp_remote *rdp)
{
	struct rdp_text *text = &rdp->text;

	while (text->next < text->count)
		(void)send_next(rdp);
	text->next = text->count = 0;
}

void rdp_text_send(struct rdp_remote *rdp, const char *utf8)
{
	struct rdp_text *text = &rdp->text;
	size_t len = 0;
	WCHAR *wide = ConvertUtf8ToWCharAlloc(utf8, &len);

	if (text->next == text->count)
		text->next = text->count = 0;
	for (size_t i = 0; wide && i < len; i++) {
		if (text->count == RDP_TEXT_MAX)
			rdp_text_flush(rdp);
		text->units[text->count++] = wide[i];
	}
	free(wide);
	if (!loop_timer_running(&text->timer))
		send_some(rdp);
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
