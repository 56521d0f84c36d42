/*
 * The platform questions that noVNC's input modules ask; the build puts this file where they look for
 * noVNC's own util/browser.js, which would probe codecs and touch the document when it is loaded.
 */

const platform = navigator.platform;

export function isMac() {
	return /mac/i.test(platform);
}

export function isWindows() {
	return /win/i.test(platform);
}

export function isIOS() {
	return /ipad|iphone|ipod/i.test(platform);
}
