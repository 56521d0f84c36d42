#include "worker/remote/vnc/vnc_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/remote/dial.h"
#include "worker/remote/vnc/vnc.h"

enum {
	VERSION_LEN = 12,
	VNC_PASSWORD_LEN = 8, /* RFC 6143 §7.2.2: the rest is never used */
	LOG_MAX = 200,
};

/* ---- callbacks of the library ----------------------------------------------------------- */

/* What the library says may quote the PC; it is for developers and holds no secret. */
__attribute__((format(printf, 1, 2))) static void library_log(const char *format, ...)
{
	char text[LOG_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libvncclient", "text=%s", log_quote(text));
}

/* The password for VNC authentication, and only where this connection's security allows it. */
static char *give_password(rfbClient *client)
{
	struct vnc *vnc = vnc_of(client);
	uint32_t inside = vnc->verified ? rfbVeNCryptX509VNC : rfbVeNCryptTLSVNC;
	bool wanted = client->authScheme == vnc->scheme;
	bool tls = client->tlsSession && client->subAuthScheme == inside;
	if (!wanted || (client->authScheme != rfbVncAuth && !tls)) {
		vnc->refused = true;
		return NULL;
	}
	vnc->password_given = true;
	return strndup(vnc->remote.config.password, VNC_PASSWORD_LEN);
}

static void close_ca_file(struct vnc *vnc)
{
	if (vnc->ca_fd >= 0)
		close(vnc->ca_fd);
	vnc->ca_fd = -1;
}

/* The CA's certificates as a file that exists in memory only: the library wants a name. */
static char *ca_file(struct vnc *vnc)
{
	const struct remote_config *config = &vnc->remote.config;
	char *name = NULL;
	close_ca_file(vnc);
	vnc->ca_fd = memfd_create("tls-ca", MFD_CLOEXEC);
	if (vnc->ca_fd < 0 ||
	    write(vnc->ca_fd, config->tls_ca, config->tls_ca_len) != (ssize_t)config->tls_ca_len ||
	    asprintf(&name, "/proc/self/fd/%d", vnc->ca_fd) < 0)
		return NULL;
	return name;
}

/* Freed by the library. */
static rfbCredential *give_credential(rfbClient *client, int type)
{
	struct vnc *vnc = vnc_of(client);
	const struct remote_config *config = &vnc->remote.config;
	bool x509 = type == rfbCredentialTypeX509 && vnc->verified;
	bool user = type == rfbCredentialTypeUser && vnc->verified && client->tlsSession &&
		    client->subAuthScheme == rfbVeNCryptX509Plain;
	rfbCredential *credential = x509 || user ? calloc(1, sizeof(*credential)) : NULL;
	if (!credential) {
		vnc->refused = true;
		return NULL;
	}
	if (x509) {
		vnc->certificate_wanted = true;
		credential->x509Credential.x509CACertFile = ca_file(vnc);
	} else {
		vnc->password_given = true;
		credential->userCredential.username = strdup(config->user);
		credential->userCredential.password = strdup(config->password);
	}
	return credential;
}

/* SASL is built into the library and chosen by the PC inside VeNCrypt: no mechanism of that name
 * exists. */
static char *give_no_mechanism(rfbClient *client, char *mechanisms)
{
	(void)mechanisms;
	vnc_of(client)->refused = true;
	return strdup("X-REFUSED");
}

static rfbClient *make_client(struct vnc *vnc, uint32_t scheme, int fd)
{
	rfbClient *client = rfbGetClient(8, 3, 4);
	if (!client) {
		close(fd);
		return NULL;
	}
	rfbClientLog = rfbClientErr = library_log;
	rfbClientSetClientData(client, (void *)(uintptr_t)&vnc_tag, vnc);
	client->sock = fd;
	free(client->serverHost);
	/* VeNCrypt compares it with the certificate. */
	client->serverHost = strdup(vnc->remote.config.address);
	client->serverPort = vnc->remote.config.port;
	client->readTimeout = vnc->remote.config.connect_s;
	client->appData.shareDesktop = TRUE;
	client->GetPassword = give_password;
	client->GetCredential = give_credential;
#ifdef LIBVNCSERVER_HAVE_SASL
	client->GetSASLMechanism = give_no_mechanism;
#endif
	client->GotXCutText = NULL;
	SetClientAuthSchemes(client, &scheme, 1);
	return client;
}

/* ---- the PC's first words --------------------------------------------------------------- */

/* Waits for the next byte; the watchdog ends the wait by shutting the socket down. */
static void wait_readable(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	poll(&poller, 1, -1);
}

static bool read_exact(int fd, uint8_t *data, size_t len)
{
	while (len > 0) {
		wait_readable(fd);
		ssize_t done = recv(fd, data, len, 0);
		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done <= 0)
			return false;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

/*
 * Before the library reads it. Up to RFB 3.6 the PC dictates the security type and the library
 * obeys, whatever it was told to allow: that leads into its ARD and MS-Logon code, where hostile
 * numbers end the process (0.9.14). It also takes 3.14 and 3.16 for such versions. So only versions
 * with a list of types: 3.7, 3.8, Apple's, RealVNC's.
 */
static bool version_good(const uint8_t version[VERSION_LEN])
{
	static const char *const good[] = { "003.007", "003.008", "003.889",
					    "004.000", "004.001", "005.000" };
	if (memcmp(version, "RFB ", 4) != 0 || version[VERSION_LEN - 1] != '\n')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (memcmp(version + 4, good[i], 7) == 0)
			return true;
	return false;
}

/* Looks at the version and leaves it there. END_NONE, or why this PC is refused. */
static enum end_reason peek_version(int fd)
{
	uint8_t version[VERSION_LEN];
	for (;;) {
		int lowest = VERSION_LEN;
		/* So that poll waits for all of it. */
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowest, sizeof(lowest));
		wait_readable(fd);
		lowest = 1;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowest, sizeof(lowest));
		ssize_t len = recv(fd, version, sizeof(version), MSG_PEEK);
		if (len < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (len != VERSION_LEN || memcmp(version, "RFB ", 4) != 0)
			return END_PC_PROTOCOL;
		return version_good(version) ? END_NONE : END_PC_SECURITY;
	}
}

/* ---- one connection --------------------------------------------------------------------- */

static void expired(void *ctx)
{
	(void)ctx;
}

static enum end_reason dial_reason(enum err err)
{
	return err == ERR_TIMEOUT ? END_PC_TIMEOUT : END_PC_UNREACHABLE;
}

/*
 * All of it together takes connect_s, whatever a PC does in how many connections: the thread blocks
 * meanwhile, and the broker gives up on a worker that is silent for too long.
 */
static unsigned time_left_ms(const struct vnc *vnc)
{
	uint64_t now = clock_mono_us();
	return now < vnc->connect_due_us ? (unsigned)((vnc->connect_due_us - now) / 1000) : 0;
}

/* A guarded, non-blocking connection. */
static enum err dial(struct vnc *vnc, struct remote_watchdog *dog, int *ret_fd,
		     enum end_reason *ret_reason)
{
	const struct remote_config *config = &vnc->remote.config;
	_cleanup_close_ int fd = -1;
	*ret_reason = END_PC_UNREACHABLE;
	enum err err = remote_dial(config->address, config->port, time_left_ms(vnc), &fd);
	if (err) {
		*ret_reason = dial_reason(err);
		return err;
	}
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return ERR_IO;
	err = remote_watchdog_start(dog, (uint64_t)time_left_ms(vnc) * 1000, expired, NULL);
	if (err)
		return err;
	err = remote_watchdog_guard(dog, fd);
	if (err) {
		remote_watchdog_stop(dog);
		return err;
	}
	*ret_fd = util_take_fd(&fd);
	return OK;
}

/* What was negotiated is what was meant. */
static bool security_as_wanted(const struct vnc *vnc)
{
	const rfbClient *client = vnc->client;
	if (client->authScheme != vnc->scheme)
		return false;
	if (vnc->scheme != rfbVeNCrypt)
		return true;
	bool x509 = client->subAuthScheme == rfbVeNCryptX509None ||
		    client->subAuthScheme == rfbVeNCryptX509VNC ||
		    client->subAuthScheme == rfbVeNCryptX509Plain;
	bool anonymous = client->subAuthScheme == rfbVeNCryptTLSNone ||
			 client->subAuthScheme == rfbVeNCryptTLSVNC;
	return client->tlsSession && (vnc->verified ? x509 : anonymous);
}

static enum end_reason failure_reason(const struct vnc *vnc)
{
	const rfbClient *client = vnc->client;
	if (vnc->refused)
		return END_PC_SECURITY;
	if (vnc->password_given)
		return client->si.nameLength ? END_PC_PROTOCOL : END_PC_LOGIN;
	if (vnc->certificate_wanted && !client->tlsSession)
		return END_PC_CERTIFICATE;
	return security_as_wanted(vnc) ? END_PC_PROTOCOL : END_PC_SECURITY;
}

static void drop_client(struct vnc *vnc)
{
	if (vnc->client)
		rfbClientCleanup(vnc->client);
	vnc->client = NULL;
}

static enum err connect_once(struct vnc *vnc, uint32_t scheme, enum end_reason *ret_reason)
{
	struct remote_watchdog dog = { .fd = -1 };
	int fd;
	vnc->scheme = scheme;
	vnc->refused = vnc->password_given = vnc->certificate_wanted = false;
	enum err err = dial(vnc, &dog, &fd, ret_reason);
	if (err)
		return err;
	vnc->client = make_client(vnc, scheme, fd);
	enum end_reason refused = vnc->client ? peek_version(fd) : END_GATEWAY;
	bool done = !refused && InitialiseRFBConnection(vnc->client);
	bool timed_out = remote_watchdog_stop(&dog);
	close_ca_file(vnc);
	if (done && !timed_out && security_as_wanted(vnc))
		return OK;
	*ret_reason = timed_out ? END_PC_TIMEOUT : refused ? refused : failure_reason(vnc);
	drop_client(vnc);
	return timed_out ? ERR_TIMEOUT : ERR_PROTOCOL;
}

/* ---- auto ------------------------------------------------------------------------------- */

struct offer {
	bool none, password, vencrypt;
};

static void add_offer(struct offer *offer, uint32_t type)
{
	offer->none |= type == rfbNoAuth;
	offer->password |= type == rfbVncAuth;
	offer->vencrypt |= type == rfbVeNCrypt;
}

/* RFC 6143 §7.1.1 and 7.1.2, up to the list of security types. END_NONE, or what is wrong. */
static enum end_reason read_offer(int fd, struct offer *ret)
{
	uint8_t version[VERSION_LEN], types[256];
	struct offer offer = { 0 };
	if (!read_exact(fd, version, sizeof(version)) || memcmp(version, "RFB ", 4) != 0)
		return END_PC_PROTOCOL;
	if (!version_good(version))
		return END_PC_SECURITY;
	const char *ours =
		memcmp(version + 4, "003.007", 7) == 0 ? "RFB 003.007\n" : "RFB 003.008\n";
	if (send(fd, ours, VERSION_LEN, MSG_NOSIGNAL) != VERSION_LEN || !read_exact(fd, types, 1) ||
	    !read_exact(fd, types + 1, types[0]))
		return END_PC_PROTOCOL;
	for (unsigned i = 1; i <= types[0]; i++)
		add_offer(&offer, types[i]);
	*ret = offer;
	return END_NONE;
}

/* A connection of its own: the library picks the first type in the PC's order, not the best. */
static enum err learn_offer(struct vnc *vnc, struct offer *ret, enum end_reason *ret_reason)
{
	struct remote_watchdog dog = { .fd = -1 };
	int fd;
	enum err err = dial(vnc, &dog, &fd, ret_reason);
	if (err)
		return err;
	enum end_reason wrong = read_offer(fd, ret);
	bool timed_out = remote_watchdog_stop(&dog);
	close(fd);
	if (!wrong)
		return OK;
	*ret_reason = timed_out ? END_PC_TIMEOUT : wrong;
	return timed_out ? ERR_TIMEOUT : ERR_PROTOCOL;
}

static enum err connect_best(struct vnc *vnc, enum end_reason *ret_reason)
{
	struct offer offer;
	enum err err = learn_offer(vnc, &offer, ret_reason);
	if (err)
		return err;
	log_info("vnc-offer", "none=%d password=%d vencrypt=%d", offer.none, offer.password,
		 offer.vencrypt);
	bool have_password = *vnc->remote.config.password;
	if (offer.vencrypt) {
		err = connect_once(vnc, rfbVeNCrypt, ret_reason);
		/* It may offer only certificates, which cannot be verified without a CA. */
		if (!err || !vnc->refused)
			return err;
	}
	if (offer.password && have_password)
		return connect_once(vnc, rfbVncAuth, ret_reason);
	if (offer.none && !offer.password && !offer.vencrypt)
		return connect_once(vnc, rfbNoAuth, ret_reason);
	*ret_reason = offer.password ? END_PC_LOGIN : END_PC_SECURITY;
	return ERR_DENIED;
}

enum err vnc_connect(struct vnc *vnc, enum end_reason *ret_reason)
{
	const struct remote_config *config = &vnc->remote.config;
	bool verified = config->security == SECURITY_TLS ||
			(config->security == SECURITY_AUTO && config->tls_ca);
	vnc->verified = verified;
	vnc->connect_due_us = clock_mono_us() + (uint64_t)config->connect_s * 1000000;
	switch (verified ? SECURITY_TLS : config->security) {
	case SECURITY_TLS:
		*ret_reason = END_PC_CERTIFICATE;
		return config->tls_ca ? connect_once(vnc, rfbVeNCrypt, ret_reason) : ERR_DENIED;
	case SECURITY_VNC_PASSWORD:
		*ret_reason = END_PC_LOGIN;
		return *config->password ? connect_once(vnc, rfbVncAuth, ret_reason) : ERR_DENIED;
	case SECURITY_NONE:
		return connect_once(vnc, rfbNoAuth, ret_reason);
	case SECURITY_AUTO:
		return connect_best(vnc, ret_reason);
	case SECURITY_NLA:
		break;
	}
	*ret_reason = END_PC_SECURITY;
	return ERR_DENIED;
}
