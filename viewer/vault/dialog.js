/*
 * A dialog of the vault's pages: made when it is opened, taken away with all that was typed when it closes.
 */
import { button, freshId, make } from "./build.js";
import { sayAtField } from "./errors.js";
import { Notice } from "./notice.js";

/** @typedef {import("./build.js").Key} Key */
/** @typedef {import("./build.js").Child} Child */
/**
 * @typedef {object} DialogProps
 * @property {Key} title
 * @property {() => string} [about] whom or what it concerns
 * @property {Key} submit
 * @property {boolean} [bad] what it does is hard to undo
 * @property {boolean} [wide]
 * @property {() => Promise<boolean>} run does it; true: it is done
 * @property {import("./errors.js").Fields} [fields] where is said what is wrong with what was sent
 * @property {(error: unknown) => boolean} general whether an error concerns all pages, and is shown
 */

/** @type {Set<{close: () => void}>} dialogs that are open and show or hold something */
export const openDialogs = new Set();

/** Closes all that are open. */
export function closeDialogs() {
	for (const dialog of openDialogs)
		dialog.close();
}

export class FormDialog {
	#props;
	#notice = new Notice();
	#submit;
	#cancel = button("app.cancel", () => this.close());
	#busy = false;
	#form;
	element;

	/**
	 * @param {DialogProps} props
	 * @param {...Child} children
	 */
	constructor(props, ...children) {
		const title = freshId();
		this.#props = props;
		this.#submit = button(props.submit, () => {}, { kind: props.bad ? "bad" : "primary", type: "submit" });
		this.#form = make("form", { with: { method: "dialog", novalidate: true, autocomplete: "off" } },
			make("h1", { t: props.title, with: { id: title } }), props.about && make("p", { says: props.about }), this.#notice.element, ...children,
			make("div", { class: "dialog-actions" }, props.submit !== "app.close" && this.#cancel, this.#submit));
		this.element = make("dialog", { class: props.wide ? "dialog dialog-wide vault-dialog" : "dialog vault-dialog", with: { "aria-labelledby": title } }, this.#form);
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#run();
		});
		this.element.addEventListener("cancel", (event) => {
			if (this.#busy)
				event.preventDefault();
		});
		this.element.addEventListener("close", () => this.close());
	}

	get notice() {
		return this.#notice;
	}

	/** @param {HTMLElement} [first] gets the focus */
	open(first) {
		openDialogs.add(this);
		document.body.append(this.element);
		this.element.showModal();
		first?.focus();
	}

	close() {
		if (!openDialogs.delete(this))
			return;
		this.#form.reset();
		this.element.close();
		this.element.remove();
		this.#form.replaceChildren();
	}

	async #run() {
		if (this.#busy)
			return;
		this.#setBusy(true);
		this.#notice.clear();
		try {
			if (await this.#props.run())
				this.close();
		} catch (error) {
			if (this.#props.general(error))
				this.close();
			else if (!sayAtField(error, this.#props.fields))
				this.#notice.fail(error);
		} finally {
			this.#setBusy(false);
		}
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#submit.disabled = busy;
		this.#cancel.disabled = busy;
		this.element.setAttribute("aria-busy", String(busy));
	}
}
