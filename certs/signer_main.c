/*
 * sekisho-signer: the process that holds the office CA's keys. It speaks to the broker alone.
 */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "certs/audit_key.h"
#include "certs/ca_list.h"
#include "certs/ca_make.h"
#include "certs/ca_root.h"
#include "certs/issuer.h"
#include "certs/pkcs11.h"
#include "certs/signer_start.h"
#include "wire/child.h"
#include "wire/enums.h"

enum {
	CERTIFICATE_MAX = 8192,
	CHAIN_MAX = 16384,
	CRL_MAX = 65536,
	OCSP_MAX = 8192,
	NUMBERS_MAX = 256,
	CERTIFICATES_MAX = 24576,
	OPEN_FILES = 32,
	TOKEN_FILES = 256, /* SoftHSM keeps one open for each object */
};

struct signer {
	struct child child;
	struct loop *loop;
	struct channel *monitor;
	struct channel *broker; /* NULL while there is none */
	struct token *token;    /* NULL: keys are in files */
	char base_url[SIGNER_URL_BYTES];
	struct issuer issuer;
	struct audit_key audit;
};

static struct bytes bytes_of(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

static void send_to_broker(struct signer *signer, uint16_t id, const void *msg)
{
	enum err err = channel_send(signer->broker, id, msg, -1);

	if (err)
		log_warn("answer-lost", "error=%s", err_code(err));
}

static void issued_finish(struct issuer_signed *issued)
{
	buf_finish(&issued->certificate);
	buf_finish(&issued->chain);
}

static void answer_sign(struct signer *signer, const struct msg_sign *order)
{
	_cleanup_(issued_finish) struct issuer_signed issued = { 0 };
	struct msg_certified answer = { .request = order->request };

	buf_init(&issued.certificate, CERTIFICATE_MAX);
	buf_init(&issued.chain, CHAIN_MAX);
	enum err err =
		issuer_sign(&signer->issuer, order, clock_wall_ms(), clock_mono_ms(), &issued);
	if (err) {
		log_warn("sign-refused", "profile=%s error=%s", cert_profile_code(order->profile),
			 err_code(err));
		answer.error = (uint8_t)err;
	} else {
		log_info("signed", "ca=%u profile=%s name=%s owner=%s", issued.issuer,
			 cert_profile_code(order->profile), log_quote(order->name),
			 log_quote(order->owner));
		answer.issuer = issued.issuer;
		answer.certificate = bytes_of(&issued.certificate);
		answer.ca = bytes_of(&issued.chain);
	}
	send_to_broker(signer, MSG_certified, &answer);
}

static void answer_check_csr(struct signer *signer, const struct msg_check_csr *order)
{
	struct msg_checked_csr answer = { .request = order->request };
	char key_type[ISSUER_KEY_TYPE_MAX + 1] = "";
	enum err err = issuer_check(&signer->issuer, order, clock_mono_ms(), answer.key, key_type);

	if (err)
		log_info("csr-refused", "error=%s", err_code(err));
	answer.error = (uint8_t)err;
	answer.key_type = key_type;
	send_to_broker(signer, MSG_checked_csr, &answer);
}

static void answer_make_crl(struct signer *signer, const struct msg_make_crl *order)
{
	_cleanup_buf_ struct buf crl;
	struct msg_made_crl answer = { .request = order->request, .issuer = order->issuer };

	buf_init(&crl, CRL_MAX);
	enum err err =
		issuer_make_crl(&signer->issuer, order, clock_wall_ms(), clock_mono_ms(), &crl);
	if (err)
		log_warn("crl-refused", "ca=%u error=%s", order->issuer, err_code(err));
	else
		answer.crl = bytes_of(&crl);
	answer.error = (uint8_t)err;
	send_to_broker(signer, MSG_made_crl, &answer);
}

static void answer_ocsp(struct signer *signer, const struct msg_answer_ocsp *order)
{
	_cleanup_buf_ struct buf text;
	struct msg_ocsp_answer answer = { .request = order->request };

	buf_init(&text, OCSP_MAX);
	enum err err =
		issuer_answer(&signer->issuer, order, clock_wall_s(), clock_mono_ms(), &text);
	if (err)
		log_warn("ocsp-refused", "error=%s", err_code(err));
	else
		answer.answer = bytes_of(&text);
	answer.error = (uint8_t)err;
	send_to_broker(signer, MSG_ocsp_answer, &answer);
}

/* root may be NULL. */
static void send_state(struct signer *signer, uint32_t request, enum err err, struct secret *root)
{
	_cleanup_buf_ struct buf numbers, certificates;
	const struct ca_store *cas = &signer->issuer.cas;
	struct msg_ca_state answer = { .request = request, .locked = ca_store_is_locked(cas) };
	int64_t now_s = clock_wall_s();

	buf_init(&numbers, NUMBERS_MAX);
	buf_init(&certificates, CERTIFICATES_MAX);
	if (!err)
		err = ca_list_numbers(cas, now_s, &numbers);
	if (!err)
		err = ca_list_certificates(cas, now_s, &certificates);
	answer.error = (uint8_t)err;
	answer.root_here = ca_root_is_here(cas);
	if (!err) {
		answer.issuers = bytes_of(&numbers);
		answer.cas = bytes_of(&certificates);
	}
	if (!err && root)
		answer.root = (struct bytes){ secret_data(root), secret_len(root) };
	send_to_broker(signer, MSG_ca_state, &answer);
}

static void answer_sign_checkpoint(struct signer *signer, const struct msg_sign_checkpoint *order)
{
	struct audit_key *audit = &signer->audit;
	struct msg_checkpoint_signed answer = { .request = order->request, .key = "" };
	char key[NOTE_KEY_TEXT];
	enum err err = audit_key_sign(audit, order, clock_mono_ms());

	if (err && err != ERR_WRONG_STATE)
		log_warn("checkpoint-refused", "error=%s", err_code(err));
	answer.error = (uint8_t)err;
	if (audit->is_there && !note_key_format(&audit->key, key)) {
		answer.note = bytes_of(&audit->note);
		answer.key = key;
	}
	send_to_broker(signer, MSG_checkpoint_signed, &answer);
}

/* The key of the audit log is under the same passphrase as those of the CAs. */
static void audit_follow(struct signer *signer, const struct msg_change_ca *order)
{
	_cleanup_secret_ struct secret *passphrase = NULL;

	if (order->passphrase[0] &&
	    secret_new(order->passphrase, strlen(order->passphrase), &passphrase))
		return;
	if (order->order == CA_INIT || order->order == CA_UNLOCK || order->order == CA_ROTATE)
		audit_key_follow(&signer->audit, passphrase, order->order == CA_INIT);
}

static void answer_change_ca(struct signer *signer, const struct msg_change_ca *order)
{
	_cleanup_secret_ struct secret *root = NULL;
	enum err err =
		issuer_change(&signer->issuer, order, clock_wall_s(), clock_mono_ms(), &root);
	const struct ca *newest = ca_store_newest(&signer->issuer.cas);

	if (err)
		log_warn("ca-change-refused", "order=%s error=%s", ca_order_code(order->order),
			 err_code(err));
	else
		log_info("ca-changed", "order=%s ca=%u root_here=%d", ca_order_code(order->order),
			 newest ? ca_number(newest) : 0, ca_root_is_here(&signer->issuer.cas));
	if (!err)
		audit_follow(signer, order);
	send_state(signer, order->request, err, root);
}

static void on_broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			      const union wire_any *msg, int fd)
{
	struct signer *signer = ctx;

	(void)channel;
	util_closep(&fd);
	switch (type->id) {
	case MSG_sign:
		answer_sign(signer, &msg->sign);
		break;
	case MSG_check_csr:
		answer_check_csr(signer, &msg->check_csr);
		break;
	case MSG_make_crl:
		answer_make_crl(signer, &msg->make_crl);
		break;
	case MSG_answer_ocsp:
		answer_ocsp(signer, &msg->answer_ocsp);
		break;
	case MSG_show_ca:
		send_state(signer, msg->show_ca.request, OK, NULL);
		break;
	case MSG_change_ca:
		answer_change_ca(signer, &msg->change_ca);
		break;
	case MSG_sign_checkpoint:
		answer_sign_checkpoint(signer, &msg->sign_checkpoint);
		break;
	default:
		log_warn("unexpected-message", "type=%s", type->name);
	}
}

/* The monitor starts another broker and sends a link to it. */
static void on_broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct signer *signer = ctx;

	(void)channel;
	signer->broker = NULL;
	log_info("broker-gone", "error=%s", err_code(why));
}

static const struct channel_ops broker_ops = { on_broker_message, on_broker_closed };

static void on_monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			       const union wire_any *msg, int fd)
{
	struct signer *signer = ctx;

	(void)channel;
	if (type->id != MSG_link || msg->link.peer != WIRE_BROKER) {
		util_closep(&fd);
		log_warn("unexpected-message", "type=%s", type->name);
		return;
	}
	channel_free(util_take_ptr(signer->broker));
	enum err err = channel_new(signer->loop, fd, WIRE_SIGNER, WIRE_BROKER, &broker_ops, signer,
				   &signer->broker);
	if (err)
		log_error("broker-link", "error=%s", err_code(err));
}

static void on_monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct signer *signer = ctx;

	(void)channel;
	signer->monitor = NULL;
	loop_stop(signer->loop, why == ERR_CLOSED ? 0 : 1);
}

static const struct channel_ops monitor_ops = { on_monitor_message, on_monitor_closed };

static void on_signal(void *ctx, int signal)
{
	struct signer *signer = ctx;

	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM)
		loop_stop(signer->loop, 0);
}

static enum err confine(const struct signer *signer)
{
	/* fsync, ftruncate: the journal. The rest: CAs that come and go while it runs. */
	static const char *const calls[] = {
		"fsync",
		"ftruncate",
		"getdents64",
		"mkdir",
		"mkdirat",
		"openat",
		"rename",
		"renameat",
		"renameat2",
		"rmdir",
		"unlink",
		"unlinkat",
		/* From here on for a token alone: its files are locked, and SoftHSM tells syslog
		   when a PIN is wrong. */
		"fcntl-lock",
		"socket-refused",
	};
	enum { TOKEN_CALLS = 2, TOKEN_PATHS = 1 };
	const struct sandbox_path paths[] = {
		{ signer->child.state_dir, SANDBOX_WRITE },
		{ signer->child.settings.ca_pkcs11_dir, SANDBOX_WRITE },
	};
	bool token = signer->token != NULL;
	bool files = token && signer->child.settings.ca_pkcs11_dir[0];
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls) - (token ? 0 : TOKEN_CALLS),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths) - (files ? 0 : TOKEN_PATHS),
		.open_files = token ? TOKEN_FILES : OPEN_FILES,
		.may_lack_landlock = !signer->child.settings.gateway_require_landlock,
	};

	return sandbox_enter(&sandbox);
}

static void say_state(const struct signer *signer, bool made)
{
	const struct ca *newest = ca_store_newest(&signer->issuer.cas);

	if (made)
		log_info("ca-made", "folder=\"%s/ca\"", signer->child.state_dir);
	if (!newest)
		log_warn("ca-absent", "hint=\"sekisho ca init\"");
	else if (ca_store_is_locked(&signer->issuer.cas))
		log_warn("ca-locked", "ca=%u hint=\"sekisho ca unlock\"", ca_number(newest));
	else if (ca_is_over(ca_certificate(newest), clock_wall_s() + SIGNER_WARN_S))
		log_warn("ca-ends-soon", "ca=%u hint=\"sekisho ca rotate\"", ca_number(newest));
}

static enum err open_issuer(struct signer *signer)
{
	const struct settings *settings = &signer->child.settings;
	_cleanup_secret_ struct secret *passphrase = NULL;
	bool made = false;
	enum err err = OK;

	if (settings->ca_pkcs11_module[0])
		err = token_environment(settings->ca_pkcs11_environment);
	if (!err && settings->ca_pkcs11_module[0])
		err = token_open(settings->ca_pkcs11_module, settings->ca_pkcs11_key,
				 &signer->token);
	if (!err && settings->ca_passphrase_file[0])
		err = signer_passphrase(signer->token != NULL, &passphrase);
	if (err)
		return err;
	const struct ca_place place = {
		.folder = signer->child.state_dir,
		.office = settings->gateway_office,
		.token = signer->token,
		.token_uri = settings->ca_pkcs11_key,
	};
	err = issuer_init(&signer->issuer, &place, passphrase, clock_wall_s(), &made);
	signer->issuer.gateway_name = settings->gateway_name;
	if (!err && !signer_base_url(settings, signer->base_url))
		signer->issuer.base_url = signer->base_url;
	if (!err)
		err = audit_key_open(&signer->audit, signer->child.state_dir,
				     settings->gateway_name, passphrase,
				     !ca_store_is_locked(&signer->issuer.cas));
	if (!err)
		say_state(signer, made);
	return err;
}

static enum err start(struct signer *signer)
{
	enum err err = open_issuer(signer);

	if (!err)
		err = loop_new(&signer->loop);
	if (!err)
		err = loop_signal(signer->loop, SIGTERM, on_signal, signer);
	if (!err)
		err = loop_signal(signer->loop, SIGINT, on_signal, signer);
	if (!err)
		err = confine(signer);
	if (!err)
		err = child_channel(&signer->child, signer->loop, &monitor_ops, signer,
				    &signer->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct signer signer = { .issuer.journal.fd = -1 };
	int code = 1;

	child_start(&signer.child, WIRE_SIGNER, "signer", argc, argv);
	enum err err = start(&signer);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"",
			  signer.child.state_dir, err_code(err), err_text_en(err));
	else
		code = loop_run(signer.loop);
	channel_free(signer.broker);
	channel_free(signer.monitor);
	loop_free(signer.loop);
	issuer_finish(&signer.issuer);
	audit_key_finish(&signer.audit);
	token_close(signer.token);
	return code;
}
