/**
 * Lets the browser save something as a file.
 * @param {string} name
 * @param {Blob} content
 */
export function saveFile(name, content) {
	const url = URL.createObjectURL(content);
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	/* The download has its own hold on the content once the click is over. */
	setTimeout(() => URL.revokeObjectURL(url), 0);
}
