/*
 * Small helpers for the page's elements.
 */

/**
 * The element with this id, which index.html has.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
	const element = document.getElementById(id);
	if (!element)
		throw new Error(`no element #${id}`);
	return /** @type {T} */ (element);
}

/**
 * The first element below root that matches.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {T}
 */
export function find(root, selector) {
	const element = root.querySelector(selector);
	if (!element)
		throw new Error(`no element ${selector}`);
	return /** @type {T} */ (element);
}

/**
 * Shows a message, or hides its place when the text is empty.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function showMessage(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
	element.hidden = text === "";
}

/**
 * Sets a text only when it differs: screen readers need not say it again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

/**
 * What somebody else has written, for a sentence: it cannot turn the text around it (Unicode TR9 §2.4).
 * @param {string} text
 */
export function isolated(text) {
	return `\u2068${text}\u2069`;
}

/**
 * "佐藤 花子 (sato)": whatever somebody is called, the account says who it is.
 * @param {string} account
 * @param {string} name "" for none
 */
export function isolatedPerson(account, name) {
	return name ? `${isolated(name)} (${isolated(account)})` : isolated(account);
}

/**
 * Says something to people who do not see the page.
 * @param {string} text
 */
export function announce(text) {
	setText(byId("announce"), text);
}

/** Lets the eye buttons show and hide the passwords beside them. */
export function startReveals() {
	for (const button of document.querySelectorAll("[data-reveal]")) {
		const input = /** @type {HTMLInputElement} */ (byId(/** @type {string} */ (button.getAttribute("data-reveal"))));
		button.addEventListener("click", () => {
			input.type = input.type === "password" ? "text" : "password";
			button.setAttribute("aria-pressed", String(input.type === "text"));
			input.focus();
		});
		input.form?.addEventListener("submit", () => {
			input.type = "password";
			button.setAttribute("aria-pressed", "false");
		});
	}
}

/**
 * Copies what an element says. The pages' permissions policy forbids the asynchronous clipboard; this one needs a click and nothing else.
 * @param {HTMLElement} element
 */
export function copyText(element) {
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
