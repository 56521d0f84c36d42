/*
 * Bytes as the bodies of requests have them, and their sum.
 */

/* What String.fromCharCode takes at a time. */
const AT_ONCE = 0x8000;

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
	let text = "";
	for (let at = 0; at < bytes.length; at += AT_ONCE)
		text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
	return btoa(text);
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | null} null: it is no base64
 */
export function fromBase64(text) {
	try {
		return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
	} catch {
		return null;
	}
}

/** @param {BufferSource} bytes @returns {Promise<string>} SHA-256 in hex */
export async function sha256Of(bytes) {
	const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
	return [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
