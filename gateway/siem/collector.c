#include "siem/collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/util.h"

enum {
	SAID_MAX = 65536, /* bytes of a collector that talks where it should listen */
	END_POLL_MS = 5,
	TIMEOUTS = 6, /* that all of it may take: a little progress now and then is none */
};

struct delivery {
	const struct collector *to;
	uint64_t until_ms; /* monotonic */
};

static void free_ctxp(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

static void free_sslp(SSL **ssl)
{
	SSL_free(*ssl);
}

static struct collector_result good(void)
{
	return (struct collector_result){ 0 };
}

static struct collector_result trouble(enum siem_trouble kind, const char *text)
{
	struct collector_result result = { .trouble = kind };

	snprintf(result.text, sizeof(result.text), "%s", text);
	/* It is shown on a terminal. */
	for (char *at = result.text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return result;
}

/* ---- TLS -------------------------------------------------------------------------------- */

static const char *openssl_text(char room[COLLECTOR_TEXT])
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	snprintf(room, COLLECTOR_TEXT, "%s", reason ? reason : "");
	return room;
}

/* The collector's certificate is checked in the handshake; ours is its business. */
static struct collector_result why_tls(SSL *ssl)
{
	char room[COLLECTOR_TEXT];
	long verify = SSL_get_verify_result(ssl);
	unsigned long error = ERR_peek_last_error();

	if (verify == X509_V_ERR_CERT_HAS_EXPIRED || verify == X509_V_ERR_CERT_NOT_YET_VALID)
		return trouble(SIEM_EXPIRED, X509_verify_cert_error_string(verify));
	if (verify == X509_V_ERR_HOSTNAME_MISMATCH || verify == X509_V_ERR_IP_ADDRESS_MISMATCH)
		return trouble(SIEM_NAME, X509_verify_cert_error_string(verify));
	if (verify != X509_V_OK)
		return trouble(SIEM_UNTRUSTED, X509_verify_cert_error_string(verify));
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET)
		return trouble(SIEM_REFUSED, openssl_text(room));
	return trouble(SIEM_TLS, openssl_text(room));
}

static bool path_of(const struct collector *collector, const char *file, char path[SETTINGS_PATH])
{
	int len = snprintf(path, SETTINGS_PATH, "%s/%s", collector->folder, file);

	return len > 0 && len < SETTINGS_PATH;
}

/* Both or none. */
static bool use_our_certificate(const struct collector *collector, SSL_CTX *ctx)
{
	char certificate[SETTINGS_PATH], key[SETTINGS_PATH];

	if (!path_of(collector, "cert.pem", certificate) || !path_of(collector, "key.pem", key))
		return false;
	if (access(certificate, F_OK) != 0 && access(key, F_OK) != 0)
		return true;
	return SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
	       SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(ctx) == 1;
}

static struct collector_result make_context(const struct collector *collector, SSL_CTX **ret)
{
	_cleanup_(free_ctxp) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char path[SETTINGS_PATH], room[COLLECTOR_TEXT];

	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return trouble(SIEM_TLS, openssl_text(room));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	/* Tickets without end would keep one SSL_read busy, past every limit. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	/* Whether the end came by close_notify says no more than the socket's own: rsyslog with
	 * GnuTLS sends none. A false end by somebody in between ends in a reset; see end_of_tcp. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (!path_of(collector, "ca.pem", path) || SSL_CTX_load_verify_file(ctx, path) != 1)
		return trouble(SIEM_FILES, "ca.pem");
	if (!use_our_certificate(collector, ctx))
		return trouble(SIEM_FILES, "cert.pem, key.pem");
	*ret = util_take_ptr(ctx);
	return good();
}

static bool set_name(SSL *ssl, const char *name)
{
	struct in6_addr address;
	bool numeric =
		inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;

	/* RFC 9525 §6.3 and §6.4: what a CA has not written for a host is no host's name. */
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (numeric)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* ---- the connection --------------------------------------------------------------------- */

static uint64_t limit(const struct delivery *delivery)
{
	return MIN(clock_mono_ms() + (uint64_t)delivery->to->timeout_ms, delivery->until_ms);
}

static bool wait_for(const struct delivery *delivery, int fd, short events)
{
	const uint64_t until = limit(delivery);
	struct pollfd poll_fd = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = clock_mono_ms();
		int ready = now < until ? poll(&poll_fd, 1, (int)(until - now)) : 0;
		if (ready > 0)
			return true;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static int connect_to(const struct delivery *delivery, const struct addrinfo *at, int *ret_errno)
{
	_cleanup_close_ int fd =
		socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*ret_errno = fd < 0 ? errno : 0;
	if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0)
		*ret_errno = errno;
	if (*ret_errno == EINPROGRESS)
		*ret_errno = wait_for(delivery, fd, POLLOUT) ? error_of(fd) : ETIMEDOUT;
	return *ret_errno ? -1 : util_take_fd(&fd);
}

static struct collector_result open_socket(const struct delivery *delivery, int *ret_fd)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int error = 0, fd = -1;
	char port[8];

	snprintf(port, sizeof(port), "%u", delivery->to->port);
	int failure = getaddrinfo(delivery->to->address, port, &hints, &list);
	if (failure)
		return trouble(SIEM_RESOLVE, gai_strerror(failure));
	for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
		fd = connect_to(delivery, at, &error);
	freeaddrinfo(list);
	if (fd < 0)
		return trouble(SIEM_CONNECT, strerror(error));
	*ret_fd = fd;
	return good();
}

/* Whether to try the call again that returned result, and if not, why. */
static bool go_on(const struct delivery *delivery, SSL *ssl, int result,
		  struct collector_result *ret)
{
	int wanted = SSL_get_error(ssl, result), saved_errno = errno;

	if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) {
		if (wait_for(delivery, SSL_get_fd(ssl),
			     wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
			return true;
		*ret = trouble(SIEM_SLOW, "");
	} else if (wanted == SSL_ERROR_SSL) {
		*ret = why_tls(ssl);
	} else {
		*ret = trouble(SIEM_CLOSED, wanted == SSL_ERROR_SYSCALL && saved_errno
						    ? strerror(saved_errno)
						    : "");
	}
	return false;
}

static struct collector_result shake_hands(const struct delivery *delivery, SSL *ssl)
{
	struct collector_result result = good();
	int done;

	do {
		ERR_clear_error();
		done = SSL_connect(ssl);
	} while (done != 1 && go_on(delivery, ssl, done, &result));
	/* A collector that ends it here has said no in the shortest way. */
	if (result.trouble == SIEM_CLOSED)
		result.trouble = SIEM_TLS;
	return result;
}

static struct collector_result send_all(const struct delivery *delivery, SSL *ssl,
					const struct buf *messages)
{
	struct collector_result result = good();
	size_t sent = 0;

	while (sent < messages->len) {
		size_t now = 0;
		ERR_clear_error();
		int done = SSL_write_ex(ssl, messages->data + sent, messages->len - sent, &now);
		if (done == 1)
			sent += now;
		else if (!go_on(delivery, ssl, done, &result))
			return result;
	}
	return result;
}

/* Whether the connection lives: an end before ours says that the rest was not read. Also takes what
 * TLS 1.3 sends after the handshake, a refusal of our certificate among it. */
static struct collector_result check_open(SSL *ssl)
{
	struct collector_result result = good();
	char byte;

	ERR_clear_error();
	int done = SSL_peek(ssl, &byte, 1);
	int wanted = done > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, done);
	if (wanted == SSL_ERROR_SSL)
		result = why_tls(ssl);
	else if (wanted == SSL_ERROR_ZERO_RETURN || wanted == SSL_ERROR_SYSCALL)
		result = trouble(SIEM_CLOSED, "");
	return result;
}

/* ---- the end ---------------------------------------------------------------------------- */

/* Until the collector's end; what it says meanwhile is of no interest. */
static struct collector_result read_to_end(const struct delivery *delivery, SSL *ssl)
{
	struct collector_result result = good();
	size_t said = 0;
	char data[4096];

	for (;;) {
		ERR_clear_error();
		int len = SSL_read(ssl, data, sizeof(data));
		if (len > 0) {
			said += (size_t)len;
			if (said > SAID_MAX)
				return trouble(SIEM_TLS, "it talks");
		} else if (SSL_get_error(ssl, len) == SSL_ERROR_ZERO_RETURN) {
			return good();
		} else if (!go_on(delivery, ssl, len, &result)) {
			return result;
		}
	}
}

/* close_notify is not the end of TCP: a reset may follow. */
static struct collector_result read_to_fin(const struct delivery *delivery, int fd)
{
	char data[4096];
	size_t said = 0;

	for (;;) {
		ssize_t len = recv(fd, data, sizeof(data), 0);
		if (len == 0)
			return good();
		if (len > 0)
			said += (size_t)len;
		else if (errno != EAGAIN && errno != EINTR)
			return trouble(SIEM_CLOSED, strerror(errno));
		else if (!wait_for(delivery, fd, POLLIN))
			return trouble(SIEM_UNCONFIRMED, "");
		if (said > SAID_MAX)
			return trouble(SIEM_TLS, "it talks");
	}
}

/*
 * Until the kernel is done with the connection: everything of ours, FIN included, has been
 * acknowledged by the other side's (RFC 9293 §3.3.2), or something came in between. An end that the
 * collector made while our last bytes were on their way shows here as a reset.
 */
static struct collector_result end_of_tcp(const struct delivery *delivery, int fd)
{
	const uint64_t until = limit(delivery);
	struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };

	while (clock_mono_ms() < until) {
		socklen_t len = sizeof(info);
		int error = error_of(fd);
		if (!error && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
			error = errno;
		if (error)
			return trouble(SIEM_CLOSED, strerror(error));
		if (info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_TIME_WAIT)
			return good();
		poll(NULL, 0, END_POLL_MS);
	}
	return trouble(SIEM_UNCONFIRMED, "");
}

static struct collector_result say_done(const struct delivery *delivery, SSL *ssl)
{
	struct collector_result result = good();
	int done;

	do {
		ERR_clear_error();
		done = SSL_shutdown(ssl);
	} while (done < 0 && go_on(delivery, ssl, done, &result));
	if (!result.trouble && shutdown(SSL_get_fd(ssl), SHUT_WR) < 0)
		result = trouble(SIEM_CLOSED, strerror(errno));
	return result;
}

static struct collector_result end(const struct delivery *delivery, SSL *ssl)
{
	struct collector_result result = say_done(delivery, ssl);

	if (!result.trouble)
		result = read_to_end(delivery, ssl);
	if (!result.trouble)
		result = read_to_fin(delivery, SSL_get_fd(ssl));
	/* It took everything, as far as its kernel goes, but never ended. */
	if (result.trouble == SIEM_SLOW)
		result.trouble = SIEM_UNCONFIRMED;
	return result.trouble ? result : end_of_tcp(delivery, SSL_get_fd(ssl));
}

/* ---- all of it -------------------------------------------------------------------------- */

static struct collector_result converse(const struct delivery *delivery, SSL *ssl,
					const struct buf *messages)
{
	struct collector_result result = shake_hands(delivery, ssl);

	if (!result.trouble)
		result = send_all(delivery, ssl, messages);
	if (!result.trouble)
		result = check_open(ssl);
	return result.trouble ? result : end(delivery, ssl);
}

struct collector_result collector_deliver(const struct collector *collector,
					  const struct buf *messages)
{
	_cleanup_(free_ctxp) SSL_CTX *ctx = NULL;
	_cleanup_(free_sslp) SSL *ssl = NULL;
	_cleanup_close_ int fd = -1;
	const struct delivery delivery = {
		collector, clock_mono_ms() + TIMEOUTS * (uint64_t)collector->timeout_ms
	};
	struct collector_result result = make_context(collector, &ctx);

	if (!result.trouble)
		result = open_socket(&delivery, &fd);
	if (result.trouble)
		return result;
	ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 ||
	    !set_name(ssl, collector->name[0] ? collector->name : collector->address))
		return trouble(SIEM_TLS, "");
	return converse(&delivery, ssl, messages);
}
