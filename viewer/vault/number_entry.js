/*
 * A number typed twice from the paper: what is wrong with it is told while it is typed. The first one is covered while
 * the second is typed, and nothing can be pasted there, so that it is read from the paper again.
 */
import { t } from "../portal/i18n.js";
import { make, says } from "./build.js";
import { Field } from "./fields.js";
import { plainNumber, verdictOf } from "./numbers.js";

/** @typedef {import("./build.js").Key} Key */

/** @type {Readonly<Record<Exclude<import("./numbers.js").Verdict, "right">, Key>>} */
const WRONG = Object.freeze({ empty: "number.empty", short: "number.short", long: "number.long", letters: "number.letters", check: "number.check" });
/* What may be meant: a Personal Number, a Corporate Number, either. */
/** @typedef {"personal" | "corporate" | "either"} Meant */
/** @type {Readonly<Record<Meant, [Key, Key]>>} what it is called, and a hint */
const LABELS = Object.freeze({ personal: ["number.personal", "number.personal-hint"], corporate: ["number.corporate", "number.corporate-hint"],
	either: ["number.any", "number.any-hint"] });
const PERSONAL = 12;

function input() {
	return make("input", { class: "number-input mono", with: { type: "text", inputmode: "numeric", autocomplete: "off", autocapitalize: "none",
		spellcheck: "false", maxlength: 24 } });
}

export class NumberEntry {
	#meant;
	#corporate;
	#first;
	#second;
	#good = [make("p", { class: "number-good", with: { role: "status", hidden: true } }), make("p", { class: "number-good", with: { role: "status", hidden: true } })];
	element;

	/** @param {Meant} meant */
	constructor(meant) {
		const [label, hint] = LABELS[meant];
		this.#meant = meant;
		this.#corporate = meant !== "personal";
		this.#first = new Field(label, input(), { hint });
		this.#second = new Field("number.again", input(), { hint: "number.again-hint" });
		this.#first.element.append(this.#good[0]);
		this.#second.element.append(this.#good[1]);
		this.element = make("div", { class: "number-entry" }, this.#first.element, this.#second.element);
		const [first, second] = [this.#first.input, this.#second.input];
		first.addEventListener("input", () => this.#judge(false));
		first.addEventListener("blur", () => {
			this.#judge(true);
			first.classList.toggle("number-covered", first.value !== "");
		});
		first.addEventListener("focus", () => first.classList.remove("number-covered"));
		second.addEventListener("input", () => this.#compare(false));
		second.addEventListener("blur", () => this.#compare(second.value !== ""));
		for (const event of ["paste", "drop"])
			second.addEventListener(event, (happened) => {
				happened.preventDefault();
				this.#second.wrong(() => t("number.no-paste"));
			});
	}

	get first() {
		return this.#first.input;
	}

	/** Where the vault's answer about it is said. */
	get fields() {
		return { number: this.#first, again: this.#second };
	}

	get empty() {
		return this.#first.input.value === "" && this.#second.input.value === "";
	}

	/** @returns {{number: string, again: string} | null} null: something is wrong with it, and said so */
	value() {
		if (!this.#judge(true)) {
			this.#first.input.focus();
			return null;
		}
		if (!this.#compare(true)) {
			this.#second.input.focus();
			return null;
		}
		return { number: plainNumber(this.#first.input.value), again: plainNumber(this.#second.input.value) };
	}

	clear() {
		for (const [at, { input: field }] of [this.#first, this.#second].entries()) {
			field.value = "";
			this.#good[at].hidden = true;
		}
		this.#first.wrong(null);
		this.#second.wrong(null);
	}

	/** @param {boolean} whole what is not whole yet is wrong too */
	#judge(whole) {
		const verdict = verdictOf(this.#first.input.value, this.#corporate);
		const soon = !whole && (verdict === "empty" || verdict === "short" || (this.#corporate && verdict === "check" &&
			plainNumber(this.#first.input.value).length === 12));
		if (verdict === "right" && this.#meant === "corporate" && plainNumber(this.#first.input.value).length === PERSONAL) {
			this.#good[0].hidden = true;
			this.#first.wrong(whole ? () => t("number.corporate-only") : null);
			return false;
		}
		this.#good[0].hidden = verdict !== "right";
		if (verdict === "right") {
			says(this.#good[0], () => t(plainNumber(this.#first.input.value).length === 13 ? "number.right-corporate" : "number.right-personal"));
			this.#first.wrong(null);
		} else {
			this.#first.wrong(soon || (verdict === "empty" && this.empty && !whole) ? null : () => t(WRONG[verdict]));
		}
		if (this.#second.input.value !== "")
			this.#compare(false);
		return verdict === "right";
	}

	/** @param {boolean} whole */
	#compare(whole) {
		const [first, second] = [this.#first, this.#second].map(({ input: field }) => plainNumber(field.value));
		const same = second !== "" && first === second;
		this.#good[1].hidden = !same;
		says(this.#good[1], () => t("number.same"));
		this.#second.wrong(same || (!whole && first.startsWith(second)) ? null : () => t(second === "" ? "number.again-empty" : "number.different"));
		return same;
	}
}
