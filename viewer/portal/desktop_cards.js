/*
 * What the card over a desktop says in each situation, and what can be done there.
 */
import { isolated } from "./dom.js";
import { errorText } from "./errors.js";
import { t, textOf } from "./i18n.js";

/** @typedef {import("../core/session.js").Status} Status */
/**
 * As a session's, and alone: a second window whose first was closed.
 * @typedef {import("../core/session.js").Connection | "alone"} Connection
 */
/** @typedef {Omit<Status, "connection"> & {connection: Connection}} Shown */
/** @typedef {import("./overlay.js").Card} Card */
/** @typedef {import("./overlay.js").Action} Action */
/**
 * @typedef {object} Situation
 * @property {string} name of the PC
 * @property {Connection} connection
 * @property {Shown | null} status
 * @property {unknown} error why the session could not even be opened, or undefined
 * @property {{by: string, words: string} | null} words of somebody who ended it
 * @property {number} since Date.now() of its beginning
 * @property {boolean} opened a session is there
 * @property {boolean} again the PC can be opened once more
 * @property {number} monitor
 */
/**
 * @typedef {object} CardActions
 * @property {() => void} back
 * @property {() => void} menu
 * @property {() => void} retry
 * @property {() => void} resume
 * @property {() => void} login
 * @property {() => void} otherLogin
 * @property {() => void} again
 * @property {() => void} first this window takes the first one's part
 */

/* After so long without a picture the page says that it takes longer than usual. */
const SLOW_MS = 8000;

/** @type {Action} */
const RELOAD = { id: "overlay-reload", text: "", primary: true, run: () => location.reload() };

/**
 * @param {Situation} situation
 * @param {CardActions} actions
 * @returns {Card}
 */
export function cardOf(situation, actions) {
	const { name, connection, status, monitor } = situation;
	/** @type {Action} */
	const back = { id: "overlay-back", text: t(monitor > 0 ? "second.close" : "over.back"), run: actions.back };
	switch (connection) {
	case "connecting":
	case "online":
		return { name: "connecting", icon: "wait", title: t("connecting.title", { name }),
			text: textOf("connecting.", status?.state ?? "starting", "connecting.active"),
			detail: Date.now() - situation.since > SLOW_MS ? t("connecting.slow") : "",
			actions: [{ ...back, text: t("app.cancel") }] };
	case "reconnecting":
		return { name: "reconnecting", icon: "wait", title: t("reconnecting.title"),
			text: t("reconnecting.text", { name }), detail: countdown(status),
			actions: [{ id: "overlay-retry", text: t("reconnecting.retry"), primary: true, run: actions.retry }, back] };
	case "locked":
		return { name: "locked", icon: "lock", title: t("locked.title"),
			text: situation.opened ? t("locked.text", { name }) : t("locked.login"),
			unlock: true, actions: [back] };
	case "replaced":
		return { name: "replaced", icon: "alert", title: t("reason.replaced"), text: t("reason.replaced.help"),
			actions: [{ id: "overlay-take-back", text: t("over.take-back"), primary: true, run: actions.resume }, back] };
	case "login":
		return { name: "login", icon: "lock", title: t("login-lost.title"), text: t("login-lost.text"),
			actions: [{ id: "overlay-login", text: t("over.login"), primary: true, run: actions.login }] };
	case "broken":
	case "failed":
		return { name: connection, icon: "alert", title: t(`${connection}.title`), text: t(`${connection}.text`),
			actions: [{ ...RELOAD, text: t("over.reload") }, back] };
	case "alone":
		return { name: "alone", icon: "alert", title: t("second.alone"), text: t("second.alone-text", { name }),
			actions: [{ id: "overlay-first", text: t("over.take-back"), primary: true, run: actions.first }, back] };
	case "ended":
		return endedCard(situation, actions, back);
	}
}

/** @param {Shown | null} status */
function countdown(status) {
	const seconds = Math.ceil(((status?.retryAt ?? 0) - Date.now()) / 1000);
	return seconds > 0 ? t("reconnecting.wait", { seconds }) : t("reconnecting.now");
}

/**
 * @param {Situation} situation
 * @param {CardActions} can
 * @param {Action} back
 * @returns {Card}
 */
function endedCard({ name, status, error, words, again, monitor }, can, back) {
	const reason = status?.reason ?? "none";
	/** @type {Action[]} */
	const actions = [];
	if (reason === "version")
		actions.push({ ...RELOAD, text: t("over.reload") });
	else if (monitor > 0)
		actions.length = 0;
	else if (reason === "pc-login" && error === undefined)
		actions.push({ id: "overlay-other-login", text: t("over.other-login"), primary: true, run: can.otherLogin });
	else if (again && !reason.startsWith("revoked-") && reason !== "pc-certificate")
		actions.push({ id: "overlay-again", text: t("over.again"), primary: true, run: can.again });
	actions.push({ ...back, run: can.menu });
	if (error !== undefined)
		return { name: "error", icon: "alert", title: t("connecting.failed", { name }), text: errorText(error), actions };
	return { name: `ended-${reason}`, icon: reason === "logout" ? "check" : "alert",
		title: textOf("reason.", reason, "reason.unknown"),
		text: textOf("reason.", `${reason}.help`, "reason.unknown.help"),
		detail: words?.words ? t("over.words", { name: isolated(words.by), words: isolated(words.words) }) : "", actions };
}
