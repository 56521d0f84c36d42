/*
 * admin_host.c - sekisho host …
 */
#include <arpa/inet.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/credential.h"
#include "broker/host.h"
#include "broker/session.h"
#include "store/retention.h"
#include "wire/enums.h"

enum { HOST_NAME_CHARACTERS = 64, PORT_RDP = 3389, PORT_VNC = 5900 };

static enum err find_host(struct admin_call *call, struct host_row *ret)
{
	enum err err = host_by_name(call->broker->db, admin_text(call, "name"), ret);

	return err == ERR_NOT_FOUND ? admin_wrong(call, err, "name", "there is no such PC") : err;
}

/* ---- add -------------------------------------------------------------------------------- */

/* Six hex bytes, all separated by ":" or all by "-". */
static enum err parse_mac(const char *text, uint8_t ret[HOST_MAC])
{
	char digits[2 * HOST_MAC + 1];

	if (strlen(text) != 3 * HOST_MAC - 1 || (text[2] != ':' && text[2] != '-'))
		return ERR_INVALID;
	for (size_t i = 0; i < HOST_MAC; i++) {
		if (i && text[3 * i - 1] != text[2])
			return ERR_INVALID;
		memcpy(digits + 2 * i, text + 3 * i, 2);
	}
	digits[2 * HOST_MAC] = '\0';
	return util_unhex(digits, ret, HOST_MAC);
}

static bool address_valid(const char *address)
{
	size_t len = strlen(address);

	return len >= 1 && len <= HOST_ADDRESS_MAX && address[0] != '-' &&
	       strspn(address,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-") == len;
}

/* Every leg is encrypted where the PC can do it; RDP always can. */
static bool security_fits(enum protocol protocol, enum security security)
{
	switch (security) {
	case SECURITY_AUTO:
	case SECURITY_TLS:
		return true;
	case SECURITY_NLA:
		return protocol == PROTOCOL_RDP;
	case SECURITY_VNC_PASSWORD:
	case SECURITY_NONE:
		return protocol == PROTOCOL_VNC;
	}
	return false;
}

static enum err add_parse_protocol(struct admin_call *call, struct host_row *host)
{
	const char *security_text = admin_text(call, "security");
	enum security security = SECURITY_AUTO;
	enum protocol protocol;
	int64_t port;

	if (protocol_parse(admin_text(call, "protocol"), &protocol))
		return admin_wrong(call, ERR_INVALID, "protocol", "rdp or vnc");
	if ((security_text && security_parse(security_text, &security)) ||
	    !security_fits(protocol, security))
		return admin_wrong(call, ERR_INVALID, "security",
				   "rdp: auto, nla, tls; vnc: auto, tls, vnc-password, none");
	port = admin_number(call, "port", protocol == PROTOCOL_RDP ? PORT_RDP : PORT_VNC);
	if (port < 1 || port > UINT16_MAX)
		return admin_wrong(call, ERR_INVALID, "port", "1 to 65535");
	host->protocol = protocol;
	host->security = security;
	host->port = port;
	return OK;
}

/* "address" or "address:port", as the probe process takes it. */
static bool broadcast_valid(const char *text)
{
	char address[INET_ADDRSTRLEN];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	struct in_addr parsed;
	int64_t port;

	if (len >= sizeof(address) || (colon && util_parse_i64(colon + 1, 1, UINT16_MAX, &port)))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET, address, &parsed) == 1;
}

static enum err add_parse_wake(struct admin_call *call, struct host_row *host)
{
	const char *mac = admin_text(call, "mac"), *broadcast = admin_text(call, "broadcast");

	if (mac && parse_mac(mac, host->mac))
		return admin_wrong(call, ERR_INVALID, "mac",
				   "six hexadecimal bytes, as in 00:11:22:aa:bb:cc");
	host->has_mac = mac != NULL;
	if (!broadcast)
		broadcast = "255.255.255.255";
	if (!broadcast_valid(broadcast))
		return admin_wrong(call, ERR_INVALID, "broadcast",
				   "an IPv4 address, with a port where it is not 9");
	snprintf(host->broadcast, sizeof(host->broadcast), "%s", broadcast);
	return OK;
}

/* A "yes" or "no" that only RDP can have as "yes"; *ret stays when it was not given. */
static enum err parse_rdp_only(struct admin_call *call, const char *name, enum protocol protocol,
			       bool *ret)
{
	const char *text = admin_text(call, name);
	bool yes = text && util_streq(text, "yes");

	if (!text)
		return OK;
	if (!yes && !util_streq(text, "no"))
		return admin_wrong(call, ERR_INVALID, name, "yes or no");
	if (yes && protocol != PROTOCOL_RDP)
		return admin_wrong(call, ERR_INVALID, name, "only for RDP");
	*ret = yes;
	return OK;
}

static enum err parse_streams(struct admin_call *call, struct host_row *host)
{
	enum protocol protocol = (enum protocol)host->protocol;
	enum err err = parse_rdp_only(call, "audio", protocol, &host->audio);

	return err ? err : parse_rdp_only(call, "video", protocol, &host->video);
}

static enum err add_parse(struct admin_call *call, struct host_row *host)
{
	const char *name = admin_text(call, "name"), *address = admin_text(call, "address");
	const char *tls_ca = admin_text(call, "tls-ca");
	enum err err;

	if (!admin_name_valid(name, HOST_NAME_CHARACTERS, HOST_NAME_MAX_BYTES))
		return admin_wrong(
			call, ERR_INVALID, "name",
			"1 to 64 characters and at most 128 bytes, no control characters");
	if (!address_valid(address))
		return admin_wrong(call, ERR_INVALID, "address",
				   "a host name or an address, without a port");
	if (tls_ca &&
	    (!strstr(tls_ca, "-----BEGIN CERTIFICATE-----") || strlen(tls_ca) > HOST_TLS_CA_MAX))
		return admin_wrong(call, ERR_INVALID, "tls-ca",
				   "a certificate in PEM, at most 16384 bytes");
	snprintf(host->name, sizeof(host->name), "%s", name);
	snprintf(host->address, sizeof(host->address), "%s", address);
	err = add_parse_protocol(call, host);
	if (!err)
		err = parse_streams(call, host);
	return err ? err : add_parse_wake(call, host);
}

enum err admin_host_add(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	const char *tls_ca = admin_text(call, "tls-ca");
	struct host_row host = { 0 };
	int64_t id;
	enum err err = add_parse(call, &host);

	if (!err)
		err = db_tx_begin(&tx, db);
	if (!err)
		err = host_add(db, &host, tls_ca, tls_ca ? strlen(tls_ca) : 0, &id);
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "name", "there is a PC of this name");
	if (err)
		return err;
	return admin_commit(call, &tx, "host-add",
			    json_pack("{s:s, s:I, s:s, s:s, s:I, s:s, s:b, s:b}", "host", host.name,
				      "id", (json_int_t)id, "protocol",
				      protocol_code((unsigned)host.protocol), "address",
				      host.address, "port", (json_int_t)host.port, "security",
				      security_code((unsigned)host.security), "audio", host.audio,
				      "video", host.video));
}

/* ---- list, remove ----------------------------------------------------------------------- */

enum err admin_host_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct host_row host;
	char mac[2 * HOST_MAC + 1], pin[2 * HOST_PIN + 1];
	bool more;
	enum err err = admin_columns(
		call, "id,name,protocol,address,port,security,audio,video,retention,mac,pin");

	if (err)
		return err;
	host_list(&query, call->broker->db);
	while (!(err = host_next(&query, &host, &more)) && more) {
		util_hex(host.mac, host.has_mac ? HOST_MAC : 0, mac);
		util_hex(host.pin, host.has_pin ? HOST_PIN : 0, pin);
		err = admin_row(call,
				json_pack("[I, s, s, s, I, s, s, s, s, s, s]", (json_int_t)host.id,
					  host.name, protocol_code((unsigned)host.protocol),
					  host.address, (json_int_t)host.port,
					  security_code((unsigned)host.security),
					  host.audio ? "yes" : "no", host.video ? "yes" : "no",
					  host.retention, mac, pin));
		if (err)
			return err;
	}
	return err;
}

/* The host that "name" names, in a transaction. */
static enum err change_begin(struct admin_call *call, struct db_tx *tx, struct host_row *ret)
{
	enum err err = find_host(call, ret);

	return err ? err : db_tx_begin(tx, call->broker->db);
}

static enum err set_retention(struct admin_call *call, struct host_row *host)
{
	const char *name = admin_text(call, "retention");
	bool exists = false;
	enum err err = name ? retention_exists(call->broker->db, name, &exists) : OK;

	if (!name || err)
		return err;
	if (!exists)
		return admin_wrong(call, ERR_NOT_FOUND, "retention",
				   "there is no such class: see sekisho retention list");
	snprintf(host->retention, sizeof(host->retention), "%s", name);
	return host_set_retention(call->broker->db, host->id, name);
}

enum err admin_host_set(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct host_row host;
	enum err err = change_begin(call, &tx, &host);
	bool audible = !err && host.audio, filmed = !err && host.video;

	if (!err && !admin_text(call, "audio") && !admin_text(call, "video") &&
	    !admin_text(call, "retention"))
		err = admin_wrong(call, ERR_INVALID, "audio", "give audio, video or retention");
	if (!err)
		err = parse_streams(call, &host);
	if (!err)
		err = host_set_streams(call->broker->db, host.id, host.audio, host.video);
	if (!err)
		err = set_retention(call, &host);
	if (!err)
		err = admin_commit(call, &tx, "host-set",
				   json_pack("{s:s, s:b, s:b, s:s}", "host", host.name, "audio",
					     host.audio, "video", host.video, "retention",
					     host.retention));
	/* A session keeps the rights it began with, so one that has too many must end. */
	if (!err && ((audible && !host.audio) || (filmed && !host.video)))
		session_cut(call->broker, 0, 0, host.id);
	return err;
}

enum err admin_host_remove(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct host_row host;
	enum err err = change_begin(call, &tx, &host);

	if (!err)
		err = host_remove(call->broker->db, host.id);
	if (!err)
		err = admin_commit(
			call, &tx, "host-remove",
			json_pack("{s:s, s:I}", "host", host.name, "id", (json_int_t)host.id));
	if (err)
		return err;
	session_cut(call->broker, 0, 0, host.id);
	host_forget(call->broker->hosts, host.id);
	return OK;
}

enum err admin_host_forget_pin(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct host_row host;
	enum err err = change_begin(call, &tx, &host);

	if (!err)
		err = host_forget_pin(call->broker->db, host.id);
	return err ? err
		   : admin_commit(call, &tx, "host-forget-pin",
				  json_pack("{s:s}", "host", host.name));
}

/* ---- rights ----------------------------------------------------------------------------- */

static enum err find_both(struct admin_call *call, struct account *ret_account,
			  struct host_row *ret_host)
{
	struct host_row named;
	enum err err = find_host(call, &named);

	if (!err)
		err = admin_find_account(call, "user", ret_account);
	if (!err)
		err = host_by_id(call->broker->db, named.id, ret_account->id, ret_host);
	return err;
}

/* Both, in a transaction. */
static enum err right_begin(struct admin_call *call, struct db_tx *tx, struct account *ret_account,
			    struct host_row *ret_host)
{
	enum err err = find_both(call, ret_account, ret_host);

	return err ? err : db_tx_begin(tx, call->broker->db);
}

static enum err right_end(struct admin_call *call, struct db_tx *tx, const char *event,
			  const struct account *account, const struct host_row *host)
{
	return admin_commit(call, tx, event,
			    json_pack("{s:s, s:s}", "account", account->name, "host", host->name));
}

enum err admin_host_grant(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	bool view_only = admin_flag(call, "view-only");
	struct account account;
	struct host_row host;
	enum err err = right_begin(call, &tx, &account, &host);

	if (!err && account.role == ACCOUNT_AUDITOR)
		return admin_wrong(call, ERR_INVALID, "user", "an auditor uses no PC");
	if (!err)
		err = host_grant(call->broker->db, account.id, host.id, view_only);
	if (!err)
		err = right_end(call, &tx, view_only ? "host-grant-view" : "host-grant", &account,
				&host);
	/* A session keeps the rights it began with, so one that has too many must end. */
	if (!err && host.granted && !host.view_only && view_only)
		session_cut(call->broker, account.id, 0, host.id);
	return err;
}

enum err admin_host_deny(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct account account;
	struct host_row host;
	enum err err = right_begin(call, &tx, &account, &host);

	if (!err)
		err = host_deny(call->broker->db, account.id, host.id);
	if (err == ERR_NOT_FOUND && tx.db)
		return admin_wrong(call, err, "user", "the account has no right to this PC");
	if (!err)
		err = right_end(call, &tx, "host-deny", &account, &host);
	if (!err)
		session_cut(call->broker, account.id, 0, host.id);
	return err;
}

/* ---- logins for PCs --------------------------------------------------------------------- */

static enum err credentials_parse(struct admin_call *call, struct pc_login *ret)
{
	const char *user = admin_text(call, "pc-user"), *domain = admin_text(call, "pc-domain");
	const char *password = admin_text(call, "password");
	enum err err;

	if (user && strlen(user) > 256)
		return admin_wrong(call, ERR_INVALID, "pc-user", "at most 256 bytes");
	if (domain && strlen(domain) > 256)
		return admin_wrong(call, ERR_INVALID, "pc-domain", "at most 256 bytes");
	err = secret_new(user, user ? strlen(user) : 0, &ret->user);
	if (!err)
		err = secret_new(domain, domain ? strlen(domain) : 0, &ret->domain);
	if (!err)
		err = secret_new(password, strlen(password), &ret->password);
	return err;
}

enum err admin_host_credentials(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct pc_login login = { 0 };
	struct account account;
	struct host_row host;
	enum err err = right_begin(call, &tx, &account, &host);

	if (!err && !host.granted)
		return admin_wrong(call, ERR_WRONG_STATE, "user",
				   "grant the PC to the account first");
	if (!err)
		err = credentials_parse(call, &login);
	if (!err)
		err = credential_keep(call->broker, account.id, host.id, &login);
	if (!err)
		err = right_end(call, &tx, "host-credentials", &account, &host);
	pc_login_finish(&login);
	return err;
}
