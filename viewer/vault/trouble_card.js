/*
 * What stands in the place of a page while the vault cannot be used, or the login is locked: what it is, and who can do what.
 */
import { ApiError } from "../core/api.js";
import { t } from "../portal/i18n.js";
import { button, icon, make } from "./build.js";
import { Field } from "./fields.js";
import { Notice } from "./notice.js";

/** @typedef {import("./build.js").Key} Key */
/** @typedef {"sealed" | "empty" | "rolled-back" | "damaged" | "down" | "network"} Trouble */

/** @type {Readonly<Record<Trouble, {icon: string, title: Key, text: Key, who: Key}>>} */
const CARDS = Object.freeze({
	"sealed": { icon: "lock", title: "trouble.sealed", text: "trouble.sealed-text", who: "trouble.sealed-who" },
	"empty": { icon: "lock", title: "trouble.empty", text: "trouble.empty-text", who: "trouble.empty-who" },
	"rolled-back": { icon: "alert", title: "trouble.rolled-back", text: "trouble.rolled-back-text", who: "trouble.rolled-back-who" },
	"damaged": { icon: "alert", title: "trouble.damaged", text: "trouble.damaged-text", who: "trouble.damaged-who" },
	"down": { icon: "alert", title: "trouble.down", text: "trouble.down-text", who: "trouble.down-who" },
	"network": { icon: "unplug", title: "trouble.network", text: "trouble.network-text", who: "trouble.network-who" },
});

/**
 * @param {Trouble} trouble
 * @param {() => void} again
 */
export function troubleCard(trouble, again) {
	const { icon: symbol, title, text, who } = CARDS[trouble];
	return make("div", { class: "empty vault-trouble", with: { role: "alert", "data-trouble": trouble } }, icon(symbol, "trouble-icon"),
		make("h1", { t: title, with: { tabindex: -1 } }), make("p", { t: text }), make("p", { t: who }), button("trouble.again", again, { kind: "primary" }));
}

/**
 * @param {import("../core/api.js").Api} api
 * @param {{done: () => void, loggedOut: (error: unknown) => void}} actions
 */
export function unlockCard(api, { done, loggedOut }) {
	const password = new Field("login.password", make("input", { with: { type: "password", autocomplete: "current-password" } }));
	const notice = new Notice();
	const submit = button("locked.submit", () => {}, { kind: "primary", type: "submit" });
	const form = make("form", { class: "unlock-form vault-unlock", with: { novalidate: true } }, notice.element, password.element, submit);
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const given = password.input.value;
		password.input.value = "";
		if (!given) {
			password.wrong(() => t("login.need-password"));
			password.input.focus();
			return;
		}
		submit.disabled = true;
		try {
			await api.unlockLogin(given);
			done();
		} catch (error) {
			const code = error instanceof ApiError ? error.code : "";
			/* Unlocked already, in another window. */
			if (code === "state")
				done();
			else if (code === "auth")
				loggedOut(error);
			else if (code === "login")
				notice.warn(() => t("locked.wrong"));
			else
				notice.fail(error);
			password.input.focus();
		} finally {
			submit.disabled = false;
		}
	});
	return make("div", { class: "empty vault-trouble", with: { "data-trouble": "locked" } }, icon("lock", "trouble-icon"),
		make("h1", { t: "locked.title" }), make("p", { t: "trouble.locked-text" }), form);
}
