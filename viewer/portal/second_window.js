/*
 * Opens the window for a PC's second monitor, on another screen where the browser tells of it (Window Management API,
 * https://www.w3.org/TR/window-management/), else as an ordinary window that the person moves there.
 */

/** @typedef {{availLeft: number, availTop: number, availWidth: number, availHeight: number}} ScreenArea */
/** @typedef {{screens: ScreenArea[], currentScreen: ScreenArea}} ScreenDetails */
/**
 * As much of a window as this needs.
 * @typedef {object} Opener
 * @property {(url: string, target: string, features: string) => Window | null} open
 * @property {{isExtended?: boolean}} screen
 * @property {() => Promise<ScreenDetails>} [getScreenDetails]
 */

/**
 * Features for window.open: all of another screen, or a usual window when there is none.
 * @param {ScreenDetails | null} details
 */
export function featuresFor(details) {
	const other = details?.screens.find((one) => one !== details.currentScreen);
	if (!other)
		return "popup,width=1280,height=800";
	return `popup,left=${other.availLeft},top=${other.availTop},width=${other.availWidth},height=${other.availHeight}`;
}

/**
 * To be called from a click: the browser asks for permission then, and opens no window otherwise.
 * @param {string} id of the session
 * @param {Opener} [opener]
 * @returns {Promise<"placed" | "opened" | "blocked">}
 */
export async function openSecondWindow(id, opener = /** @type {Opener} */ (/** @type {unknown} */ (window))) {
	/** @type {ScreenDetails | null} */
	let details = null;
	if (opener.screen.isExtended && opener.getScreenDetails) {
		try {
			details = await opener.getScreenDetails();
		} catch {
			/* Not permitted: an ordinary window. */
		}
	}
	const features = featuresFor(details);
	const opened = opener.open(`/#screen=${id}`, `sekisho-screen-${id}`, features);
	if (!opened)
		return "blocked";
	return features.includes("left=") ? "placed" : "opened";
}
