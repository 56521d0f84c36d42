/*
 * Contents made on the page that links save as files; nothing of them stays once the page is left.
 */

/** @type {Map<HTMLAnchorElement, string>} */
const addresses = new Map();

/**
 * @param {HTMLAnchorElement} link
 * @param {BlobPart} content
 * @param {string} type
 */
export function offer(link, content, type) {
	withdraw(link);
	const address = URL.createObjectURL(new Blob([content], { type }));
	addresses.set(link, address);
	link.href = address;
}

/** @param {HTMLAnchorElement} link */
export function withdraw(link) {
	const address = addresses.get(link);
	if (address === undefined)
		return;
	addresses.delete(link);
	link.removeAttribute("href");
	URL.revokeObjectURL(address);
}

/**
 * A name that every system's files may have.
 * @param {string} name
 */
export function fileName(name) {
	const plain = name.replace(/[\u0000-\u001f\u007f\\/:*?"<>|]/g, "-").replace(/^[.\s]+|[.\s]+$/g, "");
	return plain || "sekisho";
}
