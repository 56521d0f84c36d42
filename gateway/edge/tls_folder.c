#include "edge/tls_folder.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "certs/identity.h"

enum {
	CHAIN_FILE_MAX = 65536,
	KEY_FILE_MAX = 16384,
	CHAIN_CERTIFICATES_MAX = 8,
	SECURITY_LEVEL = 2,
	WARN_BEFORE_S = 7 * 24 * 3600,
	TRY_AGAIN_S =
		60, /* what is wrong may be right without a change of the files: a clock, rights */
};

/* What may be wrong, and what to do. */
#define PROBLEMS(X)                                                                                                                     \
	X(NONE, "", "")                                                                                                                 \
	X(CHAIN_MISSING, "there is no fullchain.pem: let the ACME client write it here",                                                \
	  "fullchain.pem がありません。ACME "                                                                                    \
	  "クライアントの書き込み先をこのフォルダーにしてください")                                                                     \
	X(KEY_MISSING, "there is no privkey.pem: let the ACME client write it here",                                                    \
	  "privkey.pem がありません。ACME クライアントの書き込み先をこのフォルダーにしてください")                                      \
	X(CHAIN_DENIED,                                                                                                                 \
	  "fullchain.pem may not be read: give its folders and itself to the group of "                                                 \
	  "sekisho-edge; if it links to another folder since the start, restart the gateway",                                           \
	  "fullchain.pem を読めません。ファイルと親フォルダーを sekisho-edge "                                       \
	  "のグループが読めるようにしてください。起動後に別のフォルダーへのリンクにしたときは" \
	  "再起動してください")                                                                                                         \
	X(KEY_DENIED,                                                                                                                   \
	  "privkey.pem may not be read: give its folders and itself to the group of "                                                   \
	  "sekisho-edge; if it links to another folder since the start, restart the gateway",                                           \
	  "privkey.pem を読めません。ファイルと親フォルダーを sekisho-edge "                                         \
	  "のグループが読めるようにしてください。起動後に別のフォルダーへのリンクにしたときは" \
	  "再起動してください")                                                                                                         \
	X(KEY_OPEN, "privkey.pem may be read by everybody: chmod o= privkey.pem",                                                       \
	  "privkey.pem を誰でも読めます。chmod o= privkey.pem としてください")                                                          \
	X(CHAIN_BROKEN, "fullchain.pem is not whole, or no certificates in PEM: write it again",                                        \
	  "fullchain.pem が途中で切れているか、PEM の証明書ではありません。書き直してください")                                         \
	X(KEY_BROKEN,                                                                                                                   \
	  "privkey.pem is not whole, encrypted, or no private key in PEM: write it again, "                                             \
	  "without "                                                                                                                    \
	  "a passphrase",                                                                                                               \
	  "privkey.pem が途中で切れているか、暗号化されているか、PEM の秘密鍵ではありません。"         \
	  "パスフレーズなしで書き直してください")                                                                                       \
	X(MISMATCH,                                                                                                                     \
	  "privkey.pem is not the key of fullchain.pem: both must be of one certificate",                                               \
	  "privkey.pem と fullchain.pem が対になっていません。同じ証明書のものにしてください")                                          \
	X(ORDER,                                                                                                                        \
	  "fullchain.pem must have the gateway's certificate first, then each its issuer's",                                            \
	  "fullchain.pem はゲートウェイの証明書を先頭に、発行元を順に並べてください")                                                   \
	X(EXPIRED, "the certificate has expired: let the ACME client renew it",                                                         \
	  "証明書の期限が切れています。ACME クライアントで更新してください")                                                            \
	X(EARLY, "the certificate is not valid yet: check the clock",                                                                   \
	  "証明書の有効期間がまだ始まっていません。時計を確かめてください")                                                             \
	X(NAME, "the certificate is for another name: it must have gateway.name",                                                       \
	  "証明書の名前が違います。gateway.name の証明書にしてください")                                                                \
	X(PURPOSE, "the certificate is not for servers, or is a CA's",                                                                  \
	  "証明書がサーバー用ではないか、CA のものです")                                                                                \
	X(WEAK,                                                                                                                         \
	  "key or signature is too weak or of a kind that TLS 1.3 lacks: take P-256 or RSA "                                            \
	  "2048",                                                                                                                       \
	  "鍵か署名が弱いか、TLS 1.3 で使えない種類です。P-256 か RSA 2048 にしてください")

#define X(name, en, ja) PROBLEM_##name,
enum problem { PROBLEMS(X) };
#undef X

static const struct {
	const char *en, *ja;
} problem_texts[] = {
#define X(name, en, ja) [PROBLEM_##name] = { en, ja },
	PROBLEMS(X)
#undef X
};

/* As much of a file's state as tells two apart: certbot puts another symbolic link in place. */
struct stamp {
	int error;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct stamps {
	struct stamp chain, key;
};

struct tls_folder {
	const char *path, *name;
	char chain_path[PATH_MAX], key_path[PATH_MAX];
	char places[TLS_FOLDER_PLACES][PATH_MAX];
	struct tls_pair pair;      /* leaf NULL: none */
	struct stamps seen, tried; /* at the last look; when last read */
	enum problem problem;      /* of what was tried */
	int64_t tried_s;
	int64_t until_s; /* end of pair */
	enum { FRESH, ENDING, ENDED } said;
};

/* ---- reading ---------------------------------------------------------------------------- */

static void pair_finish(struct tls_pair *pair)
{
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	*pair = (struct tls_pair){ 0 };
}

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

/* Without it OpenSSL asks for a passphrase on the terminal. */
static int no_passphrase(char *text, int room, int writing, void *unused)
{
	(void)text, (void)room, (void)writing, (void)unused;
	return -1;
}

static enum problem of_reading(enum err err, enum problem missing)
{
	if (err == ERR_NOT_FOUND)
		return missing;
	if (err == ERR_DENIED)
		return missing == PROBLEM_CHAIN_MISSING ? PROBLEM_CHAIN_DENIED : PROBLEM_KEY_DENIED;
	return missing == PROBLEM_CHAIN_MISSING ? PROBLEM_CHAIN_BROKEN : PROBLEM_KEY_BROKEN;
}

/* All certificates of a text that has nothing else in it that PEM would know. */
static enum problem parse_chain(const char *text, size_t len, struct tls_pair *pair)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text, (int)len);
	X509 *at;

	pair->chain = sk_X509_new_null();
	if (!bio || !pair->chain)
		return PROBLEM_CHAIN_BROKEN;
	pair->leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	while (pair->leaf && (at = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		if (sk_X509_num(pair->chain) >= CHAIN_CERTIFICATES_MAX ||
		    sk_X509_push(pair->chain, at) <= 0) {
			X509_free(at);
			return PROBLEM_CHAIN_BROKEN;
		}
	/* Only the end of the text may have stopped it, not half a certificate. */
	if (!pair->leaf || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return PROBLEM_CHAIN_BROKEN;
	return PROBLEM_NONE;
}

static enum problem read_chain(const struct tls_folder *folder, struct tls_pair *pair)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	enum err err = util_read_file(folder->chain_path, CHAIN_FILE_MAX, &text, &len);
	enum problem problem =
		err ? of_reading(err, PROBLEM_CHAIN_MISSING) : parse_chain(text, len, pair);

	ERR_clear_error();
	return problem;
}

static enum problem read_key(const struct tls_folder *folder, struct tls_pair *pair)
{
	_cleanup_secret_ struct secret *pem = NULL;
	_cleanup_(bio_freep) BIO *bio = NULL;
	struct stat status;
	enum err err = secret_read_file(folder->key_path, KEY_FILE_MAX, &pem);

	if (err)
		return of_reading(err, PROBLEM_KEY_MISSING);
	if (stat(folder->key_path, &status) < 0 || (status.st_mode & S_IROTH))
		return PROBLEM_KEY_OPEN;
	bio = BIO_new_mem_buf(secret_data(pem), (int)secret_len(pem));
	pair->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	ERR_clear_error();
	return pair->key ? PROBLEM_NONE : PROBLEM_KEY_BROKEN;
}

/* ---- judging ---------------------------------------------------------------------------- */

static enum problem judge_time(X509 *certificate, int64_t now_s)
{
	time_t now = (time_t)now_s;

	if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
		return PROBLEM_EARLY;
	if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0)
		return PROBLEM_EXPIRED;
	return PROBLEM_NONE;
}

/* Each is signed by the next one; a root at the end is left out, the peer has it or does not. */
static enum problem judge_chain(struct tls_pair *pair, int64_t now_s)
{
	X509 *below = pair->leaf;
	int last = sk_X509_num(pair->chain) - 1;
	enum problem problem = judge_time(below, now_s);

	for (int i = 0; !problem && i <= last; i++) {
		X509 *above = sk_X509_value(pair->chain, i);
		EVP_PKEY *key = X509_get0_pubkey(above);

		if (!key || X509_check_issued(above, below) != X509_V_OK ||
		    X509_verify(below, key) != 1)
			return PROBLEM_ORDER;
		problem = judge_time(above, now_s);
		below = above;
	}
	if (!problem && last >= 0 && X509_self_signed(below, 0) == 1)
		X509_free(sk_X509_pop(pair->chain));
	return problem;
}

static bool has_name(X509 *leaf, const char *name)
{
	return X509_check_host(leaf, name, 0, 0, NULL) == 1 ||
	       X509_check_ip_asc(leaf, name, 0) == 1;
}

/* Kinds that every browser has a signature algorithm of TLS 1.3 for (RFC 8446 §4.2.3). */
static bool is_usable(EVP_PKEY *key)
{
	char group[32];

	if (EVP_PKEY_is_a(key, "RSA"))
		return true;
	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       (util_streq(group, "prime256v1") || util_streq(group, "secp384r1"));
}

/* What OpenSSL itself says in a context like the ones in use. */
static bool is_strong(const struct tls_pair *pair)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool strong;

	if (!ctx)
		return false;
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	strong = SSL_CTX_use_cert_and_key(ctx, pair->leaf, pair->key, pair->chain, 1) == 1;
	SSL_CTX_free(ctx);
	return strong;
}

static enum problem judge(const struct tls_folder *folder, struct tls_pair *pair, int64_t now_s)
{
	enum problem problem = PROBLEM_NONE;

	if (X509_check_private_key(pair->leaf, pair->key) != 1)
		problem = PROBLEM_MISMATCH;
	else if (X509_check_ca(pair->leaf) ||
		 X509_check_purpose(pair->leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
		problem = PROBLEM_PURPOSE;
	else if (!has_name(pair->leaf, folder->name))
		problem = PROBLEM_NAME;
	if (!problem)
		problem = judge_chain(pair, now_s);
	if (!problem && (!is_usable(pair->key) || !is_strong(pair)))
		problem = PROBLEM_WEAK;
	ERR_clear_error();
	return problem;
}

/* ---- looking ---------------------------------------------------------------------------- */

static int64_t end_of(X509 *certificate)
{
	struct tm until = { 0 };

	return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) == 1 ? timegm(&until) : 0;
}

static int64_t end_of_pair(const struct tls_pair *pair)
{
	int64_t end = end_of(pair->leaf);

	for (int i = 0; i < sk_X509_num(pair->chain); i++)
		end = MIN(end, end_of(sk_X509_value(pair->chain, i)));
	return end;
}

static void print_name(const X509_NAME *name, char *text, size_t room)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
	int len = -1;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_read(bio, text, (int)room - 1);
	text[MAX(len, 0)] = 0;
}

static void take(struct tls_folder *folder, const struct tls_pair *pair)
{
	char subject[256], issuer[256];

	pair_finish(&folder->pair);
	folder->pair = *pair;
	folder->until_s = end_of_pair(pair);
	folder->said = FRESH;
	print_name(X509_get_subject_name(pair->leaf), subject, sizeof(subject));
	print_name(X509_get_issuer_name(pair->leaf), issuer, sizeof(issuer));
	log_info("certificate-dir-used", "path=%s subject=%s issuer=%s until=%lld",
		 log_quote(folder->path), log_quote(subject), log_quote(issuer),
		 (long long)folder->until_s);
}

static void complain(const struct tls_folder *folder)
{
	bool missing =
		folder->problem == PROBLEM_CHAIN_MISSING || folder->problem == PROBLEM_KEY_MISSING;

	log_error(missing ? "certificate-dir-missing" : "certificate-dir-refused",
		  "setting=gateway.certificate_dir path=%s error=\"%s / %s\" used=%s",
		  log_quote(folder->path), problem_texts[folder->problem].en,
		  problem_texts[folder->problem].ja,
		  folder->pair.leaf ? "\"the one before\"" : "\"the office CA's\"");
}

static void read_pair(struct tls_folder *folder, int64_t now_s)
{
	enum problem before = folder->problem;
	struct tls_pair pair = { 0 };
	bool again = !memcmp(&folder->tried, &folder->seen, sizeof(folder->seen));

	folder->tried = folder->seen;
	folder->tried_s = now_s;
	folder->problem = read_chain(folder, &pair);
	if (!folder->problem)
		folder->problem = read_key(folder, &pair);
	if (!folder->problem)
		folder->problem = judge(folder, &pair, now_s);
	if (!folder->problem) {
		take(folder, &pair);
		return;
	}
	pair_finish(&pair);
	if (!again || folder->problem != before)
		complain(folder);
}

static void stamp(const char *path, struct stamp *ret)
{
	struct stat status;

	/* Compared as memory: no byte in between may be left over. */
	memset(ret, 0, sizeof(*ret));
	if (stat(path, &status) < 0) {
		ret->error = errno;
		return;
	}
	ret->device = status.st_dev;
	ret->inode = status.st_ino;
	ret->size = status.st_size;
	ret->modified = status.st_mtim;
	ret->changed = status.st_ctim;
}

static void see(struct tls_folder *folder, struct stamps *ret)
{
	memset(ret, 0, sizeof(*ret));
	stamp(folder->chain_path, &ret->chain);
	stamp(folder->key_path, &ret->key);
}

static void warn_of_end(struct tls_folder *folder, int64_t now_s)
{
	if (!folder->pair.leaf)
		return;
	if (folder->said < ENDED && now_s > folder->until_s) {
		folder->said = ENDED;
		log_error("certificate-dir-expired", "path=%s error=\"%s / %s\"",
			  log_quote(folder->path), problem_texts[PROBLEM_EXPIRED].en,
			  problem_texts[PROBLEM_EXPIRED].ja);
	} else if (folder->said < ENDING && now_s > folder->until_s - WARN_BEFORE_S) {
		folder->said = ENDING;
		log_warn("certificate-dir-ends",
			 "path=%s until=%lld error=\"it was not renewed: look at the ACME client / "
			 "更新されていません。ACME クライアントを確かめてください\"",
			 log_quote(folder->path), (long long)folder->until_s);
	}
}

void tls_folder_look(struct tls_folder *folder, int64_t now_s)
{
	struct stamps now;
	bool settled, new;

	warn_of_end(folder, now_s);
	see(folder, &now);
	settled = !memcmp(&now, &folder->seen, sizeof(now));
	folder->seen = now;
	new = memcmp(&now, &folder->tried, sizeof(now)) != 0;
	if (settled && (new || (folder->problem && now_s >= folder->tried_s + TRY_AGAIN_S)))
		read_pair(folder, now_s);
}

/* ---- making ----------------------------------------------------------------------------- */

/* The folder that a file really is in. */
static void place_of(const char *file, char ret[PATH_MAX])
{
	char *slash;

	if (!realpath(file, ret)) {
		*ret = 0;
		return;
	}
	slash = strrchr(ret, '/');
	slash[slash == ret] = 0;
}

enum err tls_folder_new(const char *path, const char *name, int64_t now_s, struct tls_folder **ret)
{
	struct tls_folder *folder;

	if (strlen(path) > PATH_MAX - sizeof("/fullchain.pem"))
		return ERR_INVALID;
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return ERR_NOMEM;
	folder->path = path;
	folder->name = name;
	snprintf(folder->chain_path, sizeof(folder->chain_path), "%s/fullchain.pem", path);
	snprintf(folder->key_path, sizeof(folder->key_path), "%s/privkey.pem", path);
	snprintf(folder->places[0], sizeof(folder->places[0]), "%s", path);
	place_of(folder->chain_path, folder->places[1]);
	place_of(folder->key_path, folder->places[2]);
	see(folder, &folder->seen);
	read_pair(folder, now_s);
	*ret = folder;
	return OK;
}

void tls_folder_free(struct tls_folder *folder)
{
	if (!folder)
		return;
	pair_finish(&folder->pair);
	free(folder);
}

const struct tls_pair *tls_folder_pair(const struct tls_folder *folder)
{
	return folder->pair.leaf ? &folder->pair : NULL;
}

size_t tls_folder_places(struct tls_folder *folder, struct sandbox_path ret[TLS_FOLDER_PLACES])
{
	size_t count = 0;

	for (size_t i = 0; i < TLS_FOLDER_PLACES; i++)
		if (*folder->places[i])
			ret[count++] = (struct sandbox_path){ folder->places[i], SANDBOX_READ };
	return count;
}
