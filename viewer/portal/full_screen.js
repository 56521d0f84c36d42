/*
 * Full screen, with the keys the browser would keep locked to the page where it can do that.
 */

/** @typedef {{lock?: () => Promise<void>, unlock?: () => void}} KeyboardLock */

function keyboard() {
	return /** @type {{keyboard?: KeyboardLock}} */ (/** @type {unknown} */ (navigator)).keyboard;
}

export class FullScreen {
	/** @param {(on: boolean) => void} changed */
	constructor(changed) {
		document.addEventListener("fullscreenchange", () => {
			if (!this.on)
				keyboard()?.unlock?.();
			changed(this.on);
		});
	}

	get on() {
		return document.fullscreenElement !== null;
	}

	async toggle() {
		if (this.on) {
			await this.leave();
			return;
		}
		try {
			await document.documentElement.requestFullscreen({ navigationUI: "hide" });
			await keyboard()?.lock?.();
		} catch {
			/* Refused by the browser: the window stays as it is, which the person sees. */
		}
	}

	async leave() {
		if (this.on)
			await document.exitFullscreen();
	}
}
