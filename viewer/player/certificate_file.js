/*
 * A certificate that a person has as a file: PEM or DER. Only the certificate leaves the page, whatever else is in it.
 */

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const DER_SEQUENCE = 0x30;
const BYTES_MAX = 64 * 1024;
const LINE = /.{1,64}/g;

/**
 * @param {Blob} file
 * @returns {Promise<string>} PEM of its one certificate; "" when there is none, or several
 */
export async function readCertificate(file) {
	if (file.size === 0 || file.size > BYTES_MAX)
		return "";
	const bytes = new Uint8Array(await file.arrayBuffer());
	if (bytes[0] === DER_SEQUENCE) {
		const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
		return `-----BEGIN CERTIFICATE-----\n${(base64.match(LINE) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
	}
	const found = new TextDecoder().decode(bytes).match(BLOCK) ?? [];
	return found.length === 1 ? `${found[0]}\n` : "";
}
