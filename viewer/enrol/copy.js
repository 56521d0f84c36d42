/*
 * Buttons that copy what stands beside them.
 */
import { announce, byId, copyText } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";

const SHOWN_MS = 2000;

export function startCopyButtons() {
	for (const element of document.querySelectorAll("[data-copy]")) {
		const button = /** @type {HTMLButtonElement} */ (element);
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		const reset = () => {
			clearTimeout(timer);
			button.textContent = t("enrol.copy");
		};
		button.addEventListener("click", () => {
			const done = copyText(byId(/** @type {string} */ (button.dataset.copy)));
			clearTimeout(timer);
			button.textContent = t(done ? "enrol.copied" : "enrol.copy-failed");
			announce(button.textContent);
			timer = setTimeout(reset, SHOWN_MS);
		});
		onLanguage(reset);
	}
}
