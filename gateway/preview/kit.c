#include "preview/kit.h"

#include <stdbool.h> /* which the next one wants */

#include <LibreOfficeKit/LibreOfficeKitInit.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "preview/libreoffice.h"
#include "preview/room.h"

#define PROFILE  ROOM "/profile"
#define SETTINGS PROFILE "/user/registrymodifications.xcu"
#define MODULE   PROFILE "/user/basic/Standard/Module1.xba"

enum { LONG_S = 15 /* of processor time */, ASKS_WITHIN_S = 20 };

/* Of LibreOfficeKitEnums.h, which is C++. */
enum {
	FEATURE_PASSWORD = 1 << 0, /* it asks for one */
	FEATURE_PASSWORD_TO_MODIFY = 1 << 1,
	CALLBACK_PASSWORD = 20,
	CALLBACK_PASSWORD_TO_MODIFY = 21,
};

/* clang-format off */

/* Nothing is fetched that a document names (2: never), and what it leaves open is as in Japan. */
#define SETTING(path, name, value) \
	"<item oor:path=\"/org.openoffice." path "\"><prop oor:name=\"" name "\" oor:op=\"fuse\"><value>" value "</value></prop></item>\n"
static const char settings[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<oor:items xmlns:oor=\"http://openoffice.org/2001/registry\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n"
	SETTING("Office.Common/Security/Scripting", "MacroSecurityLevel", "3")
	SETTING("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true")
	SETTING("Office.Calc/Content/Update", "Link", "2")
	SETTING("Office.Writer/Content/Update", "Link", "2")
	SETTING("Setup/L10N", "ooSetupSystemLocale", "ja-JP")
	SETTING("Office.Linguistic/General", "DefaultLocale_CJK", "ja-JP")
	"</oor:items>\n";

/*
 * LibreOfficeKit opens a document with a window, for which Debian's packages without windows lack parts. So a macro, ours, opens
 * it hidden; that the document's own do not run and no link is followed is said once more (0: never).
 */
static const char module[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<!DOCTYPE script:module PUBLIC \"-//OpenOffice.org//DTD OfficeDocument 1.0//EN\" \"module.dtd\">\n"
	"<script:module xmlns:script=\"http://openoffice.org/2000/script\" script:name=\"Module1\" script:language=\"StarBasic\">"
	"Sub Main\n"
	"Dim how(3) As New com.sun.star.beans.PropertyValue\n"
	"how(0).Name = &quot;Hidden&quot; : how(0).Value = True\n"
	"how(1).Name = &quot;ReadOnly&quot; : how(1).Value = True\n"
	"how(2).Name = &quot;MacroExecutionMode&quot; : how(2).Value = 0\n"
	"how(3).Name = &quot;UpdateDocMode&quot; : how(3).Value = 0\n"
	"document = StarDesktop.loadComponentFromURL(&quot;file://" ROOM "/document&quot;, &quot;_blank&quot;, 0, how())\n"
	"If IsNull(document) Then Exit Sub\n"
	"kind = &quot;&quot;\n"
	"If document.supportsService(&quot;com.sun.star.text.GenericTextDocument&quot;) Then kind = &quot;writer&quot;\n"
	"If document.supportsService(&quot;com.sun.star.sheet.SpreadsheetDocument&quot;) Then kind = &quot;calc&quot;\n"
	"If document.supportsService(&quot;com.sun.star.presentation.PresentationDocument&quot;) Then kind = &quot;impress&quot;\n"
	"If kind = &quot;&quot; Then Exit Sub\n"
	"Dim where(0) As New com.sun.star.beans.PropertyValue\n"
	"where(0).Name = &quot;FilterName&quot; : where(0).Value = kind &amp; &quot;_pdf_Export&quot;\n"
	"document.storeToURL(&quot;file://" ROOM "/document.pdf&quot;, where())\n"
	"End Sub\n"
	"</script:module>\n";

/* clang-format on */

/* ---- its folder ------------------------------------------------------------------------------ */

static bool write_whole(const char *path, const void *data, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const uint8_t *bytes = data;

	while (fd >= 0 && len) {
		ssize_t written = write(fd, bytes, len);
		if (written <= 0)
			return false;
		bytes += written;
		len -= (size_t)written;
	}
	return fd >= 0;
}

static bool prepare(const struct buf *document)
{
	return !setenv("HOME", ROOM, 1) && !setenv("TMPDIR", ROOM, 1) && !setenv("PATH", ROOM, 1) &&
	       !setenv("SAL_USE_VCLPLUGIN", "svp", 1) && !mkdir(PROFILE, 0700) &&
	       !mkdir(PROFILE "/user", 0700) &&
	       write_whole(SETTINGS, settings, sizeof(settings) - 1) &&
	       write_whole(ROOM "/document", document->data, document->len);
}

static enum document_end read_pdf(struct buf *ret)
{
	_cleanup_close_ int fd = open(ROOM "/document.pdf", O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *at;

	if (fd < 0 || fstat(fd, &status) < 0 || status.st_size <= 0)
		return DOCUMENT_END_FORMAT;
	if (buf_reserve(ret, (size_t)status.st_size, &at))
		return DOCUMENT_END_LIMITS;
	for (ssize_t got; (got = read(fd, at, (size_t)status.st_size - ret->len)) > 0; at += got)
		ret->len += (size_t)got;
	return DOCUMENT_END_NONE;
}

/* ---- the document ---------------------------------------------------------------------------- */

struct asked {
	LibreOfficeKit *kit;
	bool password;
};

/* It waits for the word: there is none. */
static void heard(int what, const char *url, void *ctx)
{
	struct asked *asked = ctx;

	if (what != CALLBACK_PASSWORD && what != CALLBACK_PASSWORD_TO_MODIFY)
		return;
	asked->password = true;
	asked->kit->pClass->setDocumentPassword(asked->kit, url, NULL);
}

/* A zip does so as an OpenDocument alone, whose first file has this name; Word's and the like are
 * then no zips. */
static bool may_have_password(const struct buf *document)
{
	static const char zip[] = "PK\3\4", first[] = "mimetype";
	enum { NAME_AT = 30 };

	if (document->len < NAME_AT + strlen(first) ||
	    memcmp(document->data, zip, strlen(zip)) != 0)
		return true;
	return !memcmp(document->data + NAME_AT, first, strlen(first));
}

/* LibreOffice 25 waits for ever over some that are broken. */
static void *give_up(void *unused)
{
	(void)unused;
	sleep(ASKS_WITHIN_S);
	_exit(EXIT_FAILURE);
}

/* Opened in the way in which it asks, which tells one with a password from others. */
static enum document_end why_not(struct asked *asked)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, give_up, NULL))
		return DOCUMENT_END_FORMAT;
	asked->kit->pClass->setOptionalFeatures(asked->kit,
						FEATURE_PASSWORD | FEATURE_PASSWORD_TO_MODIFY);
	asked->kit->pClass->registerCallback(asked->kit, heard, asked);
	asked->kit->pClass->documentLoad(asked->kit, "file://" ROOM "/document");
	return asked->password ? DOCUMENT_END_PASSWORD : DOCUMENT_END_FORMAT;
}

enum document_end kit_to_pdf(const struct buf *document, struct buf *ret_pdf)
{
	static struct asked asked;

	if (!prepare(document))
		return DOCUMENT_END_LIMITS;
	asked.kit = lok_init_2(LIBREOFFICE, "file://" PROFILE);
	/* Its first start has put an empty module there. */
	if (!asked.kit || !write_whole(MODULE, module, sizeof(module) - 1)) {
		log_error("office-start", "text=\"LibreOffice did not start\"");
		return DOCUMENT_END_PROGRAM;
	}
	asked.kit->pClass->runMacro(asked.kit, "macro:///Standard.Module1.Main");
	enum document_end end = read_pdf(ret_pdf);
	if (end != DOCUMENT_END_FORMAT)
		return end;
	/* What asks for a password does so at once. */
	if (clock() > LONG_S * CLOCKS_PER_SEC)
		return DOCUMENT_END_LIMITS;
	return may_have_password(document) ? why_not(&asked) : end;
}
