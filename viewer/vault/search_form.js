/*
 * What is looked for: a name or its reading, or a whole number, of a kind and in a state.
 */
import { freshId, button, icon, make, says } from "./build.js";
import { isNumber, plainNumber, verdictOf } from "./numbers.js";
import { KINDS, STATES } from "./words.js";
import { t } from "../portal/i18n.js";

/** @typedef {import("../core/vault.js").Wish} Wish */

const BIN = "bin";

/**
 * @param {readonly import("./build.js").Key[]} keys by number; the first stands for anything
 * @param {import("./build.js").Key} label
 * @param {import("./build.js").Key} any
 * @param {number} [without]
 */
function choice(keys, label, any, without) {
	const select = make("select", { label });
	keys.forEach((key, value) => {
		if (value === 0 || value !== without)
			select.append(make("option", { t: value === 0 ? any : key, with: { value } }));
	});
	return select;
}

export class SearchForm {
	#text = make("input", { label: "records.search", placeholder: "records.search-hint",
		with: { type: "search", autocomplete: "off", spellcheck: "false", maxlength: 128 } });
	#number = make("input", { label: "records.search-number", placeholder: "records.search-number",
		with: { type: "text", inputmode: "numeric", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 24 } });
	#kind;
	#state = choice(STATES, "records.state", "records.any-state");
	#wrong = make("p", { class: "field-hint field-wrong", with: { role: "alert", id: freshId() } });
	#search;
	#numbers;
	element;

	/**
	 * @param {(wish: Wish) => void} search
	 * @param {{numbers: boolean, without?: number}} looks numbers: whether the person may find records by them; without: a kind that is not there
	 */
	constructor(search, { numbers, without }) {
		this.#search = search;
		this.#numbers = numbers;
		this.#kind = choice(KINDS, "records.kind", "records.any-kind", without);
		this.#state.append(make("option", { t: "records.removed", with: { value: BIN } }));
		this.#wrong.hidden = true;
		this.#number.setAttribute("aria-describedby", this.#wrong.id);
		this.element = make("form", { class: "vault-search", label: "records.search-form", with: { role: "search", novalidate: true } },
			make("div", { class: "search" }, icon("search"), this.#text),
			numbers && make("div", { class: "search search-number" }, icon("lock"), this.#number),
			this.#kind, this.#state, button("records.search-do", () => {}, { kind: "primary", type: "submit" }), this.#wrong);
		this.element.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#submit();
		});
		for (const select of [this.#kind, this.#state])
			select.addEventListener("change", () => this.#submit());
	}

	focus() {
		this.#text.focus();
	}

	/** Looks for nothing any more. */
	reset() {
		this.element.reset();
		this.#say("");
	}

	#submit() {
		/* A number is not left where it can be read, and one among names is meant as a number. */
		if (isNumber(this.#text.value)) {
			this.#number.value = this.#numbers ? this.#text.value : "";
			this.#text.value = "";
			if (!this.#numbers) {
				this.#say("records.search-no-number");
				return;
			}
		}
		const number = this.#number.value;
		this.#number.value = "";
		const verdict = verdictOf(number, true);
		if (verdict !== "empty" && verdict !== "right") {
			this.#say(verdict === "check" ? "records.search-check" : "records.search-digits");
			this.#number.focus();
			return;
		}
		this.#say("");
		this.#search({ text: this.#text.value.normalize("NFKC").trim(), number: plainNumber(number), kind: Number(this.#kind.value),
			...(this.#state.value === BIN ? { removed: true } : { state: Number(this.#state.value) }) });
	}

	/** @param {"" | "records.search-check" | "records.search-digits" | "records.search-no-number"} key */
	#say(key) {
		says(this.#wrong, () => (key ? t(key) : ""));
		this.#wrong.hidden = key === "";
		this.#number.setAttribute("aria-invalid", String(key !== ""));
	}
}
