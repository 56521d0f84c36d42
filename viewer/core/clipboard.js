/*
 * Tries to bring text or files of this device to the PC: none gets there. What is copied and pasted on the PC itself
 * goes by its keys and is nobody's business here.
 */

/** How it was tried: a code of enum clipboard_way. @typedef {"paste" | "drop" | "keys"} Way */

/** @param {KeyboardEvent} event */
function pastes({ key, code, ctrlKey, metaKey, shiftKey, altKey }) {
	if (altKey)
		return false;
	return ((ctrlKey || metaKey) && (key.toLowerCase() === "v" || code === "KeyV")) || (shiftKey && code === "Insert");
}

export class ClipboardWatch {
	#abort = new AbortController();
	/* The person was in another window since the last key of this one: what is pasted may come from there. */
	#away = true;

	/**
	 * @param {HTMLElement} stage of the desktop; what has the keyboard lies in it
	 * @param {(way: Way) => void} tried
	 */
	constructor(stage, tried) {
		const { signal } = this.#abort;
		addEventListener("blur", () => (this.#away = true), { signal });
		/* Before those who take the keys. */
		stage.addEventListener("keydown", (event) => {
			if (event.repeat || ["Control", "Meta", "Shift"].includes(event.key))
				return;
			if (this.#away && pastes(event))
				tried("keys");
			this.#away = false;
		}, { signal, capture: true });
		stage.addEventListener("paste", (event) => {
			event.preventDefault();
			tried("paste");
		}, { signal });
		/* Without this the browser would leave the desktop for a file that is dropped. */
		stage.addEventListener("dragover", (event) => event.preventDefault(), { signal });
		stage.addEventListener("drop", (event) => {
			event.preventDefault();
			tried("drop");
		}, { signal });
	}

	close() {
		this.#abort.abort();
	}
}
