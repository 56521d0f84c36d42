/*
 * The commands by which a device makes its own key, asks for its certificate and accepts it. Their files have fixed
 * names, and nothing of the device's name goes into them: the gateway writes the subject itself.
 */

/** @param {string} [agent] */
export function ownSystem(agent = navigator.userAgent) {
	/* An iPhone is "like Mac OS X", and Android is Linux. */
	if (/iPhone|iPad/.test(agent))
		return "ios";
	if (/Android/.test(agent))
		return "android";
	return /Windows/.test(agent) ? "windows" : /Mac OS X/.test(agent) ? "mac" : "linux";
}

/**
 * Whether the browser has a store of its own; on Android Firefox uses the system's.
 * @param {string} [agent]
 */
export function isFirefox(agent = navigator.userAgent) {
	return /Firefox\//.test(agent) && !/Android/.test(agent);
}

const PROVIDER = {
	tpm: "Microsoft Platform Crypto Provider",
	store: "Microsoft Software Key Storage Provider",
};

/**
 * For certreq -new.
 * @param {"tpm" | "store"} place
 */
export function windowsInf(place) {
	return [
		"[Version]",
		'Signature = "$Windows NT$"',
		"",
		"[NewRequest]",
		'Subject = "CN=device"',
		`ProviderName = "${PROVIDER[place]}"`,
		"KeyAlgorithm = ECDSA_P256",
		"KeyLength = 256",
		"HashAlgorithm = SHA256",
		"KeyUsage = 0x80",
		"Exportable = FALSE",
		"MachineKeySet = FALSE",
		"RequestType = PKCS10",
		"",
	].join("\r\n");
}

export const WINDOWS_NEW = 'cd "$HOME\\Downloads"\ncertreq -user -new sekisho.inf sekisho.csr\nnotepad sekisho.csr';

/* certreq accepts only what leads to a trusted root. */
export const WINDOWS_ACCEPT = [
	'cd "$HOME\\Downloads"',
	"certutil -user -addstore Root ca.crt",
	"certutil -user -addstore CA sekisho-ca.crt",
	"certreq -user -accept sekisho.crt",
].join("\n");

/* prime256v1 and named_curve: names that LibreSSL of macOS knows too. */
export const UNIX_NEW = [
	"umask 077",
	"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \\",
	"  -pkeyopt ec_param_enc:named_curve -nodes -subj /CN=device \\",
	"  -keyout sekisho.key -out sekisho.csr",
	"cat sekisho.csr",
].join("\n");

/**
 * Before EST: the CA, whose fingerprint is compared with the sheet before anything trusts it.
 * @param {string} origin of the enrolment port
 */
export function unixCa(origin) {
	return [
		`curl --insecure --output ca.crt ${origin}/ca.crt`,
		"openssl x509 -in ca.crt -noout -fingerprint -sha256",
	].join("\n");
}

/**
 * RFC 7030: the same as the page does, for a terminal; base64 -A, as the answer is one line.
 * @param {string} origin of the enrolment port
 * @param {string} code
 */
export function unixEst(origin, code) {
	return [
		`curl --fail --cacert ca.crt --user file:${code} \\`,
		"  --header 'Content-Type: application/pkcs10' --data-binary @sekisho.csr \\",
		"  --output sekisho.p7 --write-out '%{http_code}\\n' \\",
		`  ${origin}/.well-known/est/simpleenroll`,
		"openssl base64 -d -A -in sekisho.p7 |",
		"  openssl pkcs7 -inform DER -print_certs -out sekisho.crt",
		"openssl pkcs12 -export -inkey sekisho.key -in sekisho.crt \\",
		"  -name sekisho -out sekisho.p12",
	].join("\n");
}

export const UNIX_ACCEPT = [
	"openssl pkcs12 -export -inkey sekisho.key -in sekisho.crt \\",
	"  -certfile sekisho-ca.crt -name sekisho -out sekisho.p12",
	"rm sekisho.key",
].join("\n");
