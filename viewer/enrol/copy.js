/*
 * Buttons that copy what stands beside them.
 */
import { announce, byId } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";

const SHOWN_MS = 2000;

/**
 * The pages' permissions policy forbids the asynchronous clipboard; this one needs a click and nothing else.
 * @param {HTMLElement} element
 */
function copy(element) {
	const selection = getSelection();
	if (!selection)
		return false;
	selection.selectAllChildren(element);
	const done = document.execCommand("copy");
	/* What could not be copied stays selected, for Ctrl+C. */
	if (done)
		selection.removeAllRanges();
	return done;
}

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
			const done = copy(byId(/** @type {string} */ (button.dataset.copy)));
			clearTimeout(timer);
			button.textContent = t(done ? "enrol.copied" : "enrol.copy-failed");
			announce(button.textContent);
			timer = setTimeout(reset, SHOWN_MS);
		});
		onLanguage(reset);
	}
}
