/*
 * Errors of the gateway's interface as sentences.
 */
import { ApiError } from "../core/api.js";
import { language, t, textOf } from "./i18n.js";

/**
 * @param {unknown} error
 * @param {number} [secondsLeft] of a throttled try, when they are counted down
 */
export function errorText(error, secondsLeft) {
	if (!(error instanceof ApiError))
		return t("error.unknown", { code: "page" });
	const seconds = secondsLeft ?? error.retryS;
	if (error.code === "throttled" && seconds <= 0)
		return t("error.throttled-now");
	const words = error.words[language()];
	if (words)
		return sentence(words);
	return textOf("error.", error.code, "error.unknown", { code: error.code, seconds });
}

/**
 * The gateway's own words about what is wrong, which are no whole sentences.
 * @param {string} words
 */
function sentence(words) {
	const text = words[0].toUpperCase() + words.slice(1);
	return /[.。]$/.test(text) ? text : text + t("app.full-stop");
}

/** @param {unknown} error */
export function isLoggedOut(error) {
	return error instanceof ApiError && error.code === "auth";
}
