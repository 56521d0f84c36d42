#include "unit/certs/forge.h"
#include "unit/unit.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/refused.h"

enum { HERE, THERE };

static int set_up(void **state)
{
	static struct refused refused;

	refused_init(&refused);
	*state = &refused;
	return 0;
}

static int tear_down(void **state)
{
	refused_finish(*state);
	return 0;
}

/* Refuses a connection, which the caller of refused_keep closes; what its peer has. */
static int refuse(struct refused *refused, uint64_t now_ms)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	refused_keep(refused, pair[HERE], now_ms);
	close(pair[HERE]);
	return pair[THERE];
}

static bool is_open(int peer)
{
	char byte;

	return recv(peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void a_connection_has_its_time(void **state)
{
	int first = refuse(*state, 1000), second = refuse(*state, 1500);

	refused_tick(*state, 1000 + REFUSED_MS - 1);
	assert_true(is_open(first));
	refused_tick(*state, 1000 + REFUSED_MS);
	assert_false(is_open(first));
	assert_true(is_open(second));
	refused_finish(*state);
	assert_false(is_open(second));
	close(first);
	close(second);
}

static void the_oldest_makes_room(void **state)
{
	int peers[REFUSED_MAX + 1];

	for (int i = 0; i <= REFUSED_MAX; i++)
		peers[i] = refuse(*state, 1000);
	assert_false(is_open(peers[0]));
	for (int i = 1; i <= REFUSED_MAX; i++)
		assert_true(is_open(peers[i]));
	for (int i = 0; i <= REFUSED_MAX; i++)
		close(peers[i]);
}

/* ---- handshakes ------------------------------------------------------------------------- */

/* A server that demands a certificate, and a client that may have one. */
struct meeting {
	struct forged ca, server, device;
	SSL_CTX *contexts[2];
	SSL *ends[2];
	int fds[2];
};

static SSL *end_of(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);

	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	return ssl;
}

static void meeting_init(struct meeting *meeting, struct refused *refused, bool has_device)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	meeting->ca = forge_ca(NULL, "office root");
	meeting->server = forge(&(struct forge){ .issuer = &meeting->ca, .purpose = "serverAuth" });
	meeting->device = forge(&(struct forge){ .issuer = &meeting->ca, .purpose = "clientAuth" });
	assert_int_equal(SSL_CTX_use_certificate(server, meeting->server.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server, meeting->server.key), 1);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(server), meeting->ca.certificate);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	refused_watch(refused, server);
	if (has_device) {
		assert_int_equal(SSL_CTX_use_certificate(client, meeting->device.certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(client, meeting->device.key), 1);
	}
	assert_int_equal(socketpair(AF_UNIX, type, 0, meeting->fds), 0);
	meeting->contexts[HERE] = server;
	meeting->contexts[THERE] = client;
	for (int i = 0; i < 2; i++)
		meeting->ends[i] = end_of(meeting->contexts[i], meeting->fds[i]);
}

/* The server's end, as libwebsockets closes it. */
static void hang_up(struct meeting *meeting)
{
	close(meeting->fds[HERE]);
	SSL_free(meeting->ends[HERE]);
}

static void meeting_finish(struct meeting *meeting)
{
	close(meeting->fds[THERE]);
	SSL_free(meeting->ends[THERE]);
	for (int i = 0; i < 2; i++)
		SSL_CTX_free(meeting->contexts[i]);
	forged_free(&meeting->ca);
	forged_free(&meeting->server);
	forged_free(&meeting->device);
}

/* As far as the client thinks it came; what the server's accept said at last. */
static int shake_hands(struct meeting *meeting)
{
	int said = -1;

	for (int i = 0; i < 4 && !SSL_is_init_finished(meeting->ends[THERE]); i++) {
		(void)SSL_connect(meeting->ends[THERE]);
		if (!SSL_is_init_finished(meeting->ends[THERE]))
			said = SSL_accept(meeting->ends[HERE]);
	}
	assert_true(SSL_is_init_finished(meeting->ends[THERE]));
	return said;
}

static void the_peer_reads_why(void **state)
{
	struct meeting meeting;
	char byte;

	meeting_init(&meeting, *state, false);
	(void)shake_hands(&meeting);
	/* In TLS 1.3 the client is done before it hears that it lacks something. */
	assert_int_equal(SSL_write(meeting.ends[THERE], "GET /", 5), 5);
	assert_true(SSL_accept(meeting.ends[HERE]) <= 0);
	hang_up(&meeting);
	ERR_clear_error();
	assert_true(SSL_read(meeting.ends[THERE], &byte, 1) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
	assert_true(is_open(meeting.fds[THERE]));
	refused_tick(*state, clock_mono_ms() + REFUSED_MS);
	assert_false(is_open(meeting.fds[THERE]));
	meeting_finish(&meeting);
}

static void who_was_let_in_is_not_kept(void **state)
{
	struct meeting meeting;

	meeting_init(&meeting, *state, true);
	(void)shake_hands(&meeting);
	assert_int_equal(SSL_accept(meeting.ends[HERE]), 1);
	assert_int_equal(SSL_shutdown(meeting.ends[HERE]), 0);
	hang_up(&meeting);
	for (int i = 0; i < REFUSED_MAX; i++)
		assert_int_equal(((struct refused *)*state)->kept[i].fd, -1);
	meeting_finish(&meeting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_connection_has_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_peer_reads_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_was_let_in_is_not_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
