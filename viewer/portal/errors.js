/*
 * Errors of the gateway's interface as sentences.
 */
import { ApiError } from "../core/api.js";
import { t, textOf } from "./i18n.js";

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
	return textOf("error.", error.code, "error.unknown", { code: error.code, seconds });
}

/** @param {unknown} error */
export function isLoggedOut(error) {
	return error instanceof ApiError && error.code === "auth";
}
