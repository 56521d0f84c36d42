/*
 * What the vault's pages are for in short, and their keys.
 */
import { button, freshId, make } from "./build.js";
import { HELP } from "./shortcuts.js";

export function showHelp() {
	const title = freshId();
	const close = () => {
		dialog.close();
		dialog.remove();
	};
	const dialog = make("dialog", { class: "dialog dialog-wide vault-dialog", on: { close }, with: { "aria-labelledby": title } },
		make("h1", { t: "vault-help.title", with: { id: title, tabindex: -1, autofocus: true } }),
		make("ul", { class: "help-list" }, ...(/** @type {const} */ (["vault-help.look", "vault-help.number", "vault-help.left", "vault-help.logged"]))
			.map((key) => make("li", { t: key }))),
		make("dl", { class: "keys-help" }, ...HELP.map(([key, text]) => make("div", {}, make("dt", {}, make("kbd", {}, key)), make("dd", { t: text })))),
		make("div", { class: "dialog-actions" }, button("app.close", close, { kind: "primary" })));
	document.body.append(dialog);
	dialog.showModal();
}
