/*
 * Giving a right, changing it, taking it away.
 */
import { ApiError } from "../core/api.js";
import { t } from "../portal/i18n.js";
import { make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Choices, Field } from "./fields.js";
import { PRESETS, presetOf, rightsText, ROLES, sideBody, whatText, whomText } from "./grant_words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./grant_words.js").Side} Side */
/** @typedef {import("./grant_words.js").Rights} Rights */
/** @typedef {{value: string, says: () => string, side: Side}} Choice */

const NONE = "none";
/* Of more than these none is chosen beforehand. */
const PICKED = 2;
/** @type {Rights} */
const FIRST = { level: 1, number: false, document: 0 };

/**
 * What the vault says of one's own rights is not what it says of one's own requests.
 * @param {Desk} desk
 * @param {string} words
 * @param {object} body
 * @param {FormDialog} dialog
 * @returns {Promise<boolean>} whether it is done; if not it is said why
 */
export async function change(desk, words, body, dialog) {
	try {
		await desk.vault.ask(words, body);
		return true;
	} catch (error) {
		if (!(error instanceof ApiError) || error.code !== "denied" || error.field !== "self")
			throw error;
		dialog.notice.warn(() => t("rights.error-self"));
		return false;
	}
}

/** @param {import("./build.js").Key} label @param {Choice[]} choices */
function select(label, choices) {
	const input = make("select", {}, choices.length > PICKED && make("option", { t: "rights.choose", with: { value: "" } }), ...choices.map(({ value, says }) => make("option", { says, with: { value } })));
	const field = new Field(label, input);
	/** @returns {Side | null} null: nothing is chosen, and said so */
	const side = () => {
		const chosen = choices.find(({ value }) => value === input.value)?.side;
		if (!chosen)
			field.wrong(() => t("rights.choose"));
		return chosen ?? null;
	};
	return { field, side, hidden: choices.length === 1 };
}

/** What somebody may do, as one of the levels and what stands beside them. */
class RightsFields {
	#levels;
	#number = make("input", { with: { type: "checkbox" } });
	#role = make("select", {}, ...ROLES.map((key, value) => make("option", { t: key, with: { value } })));
	#beside;
	element;

	/** @param {Rights} before */
	constructor(before) {
		const preset = presetOf(before);
		const now = before.level === 0 ? NONE : preset || Math.max(...PRESETS.map(({ level }, at) => (level === before.level ? at + 1 : 0)));
		this.#levels = new Choices("rights.level", "radio", [{ value: NONE, says: () => t("rights.preset-none"), hint: () => t("rights.preset-none-hint"), checked: now === NONE },
			...PRESETS.map(({ key }, at) => ({ value: at + 1, says: () => `Lv${at + 1}　${t(key)}`, checked: now === at + 1 }))]);
		this.#number.checked = before.number;
		this.#role.value = String(before.document);
		const role = new Field("rights.documents", this.#role, { hint: "rights.role-hint" });
		this.#beside = make("div", {}, make("label", { class: "check rights-check" }, this.#number, make("span", {}, make("span", { t: "rights.number-give" }),
			make("span", { class: "small", t: "rights.number-hint" }))), role.element);
		this.element = make("div", {}, this.#levels.element, this.#beside);
		this.#levels.element.addEventListener("change", () => this.#chosen());
		this.#beside.hidden = now === NONE;
	}

	get first() {
		return this.#levels.first;
	}

	get #at() {
		const [value] = this.#levels.values;
		return value === NONE ? 0 : Number(value);
	}

	/** A level brings its role for documents along. */
	#chosen() {
		const preset = PRESETS[this.#at - 1];
		this.#beside.hidden = !preset;
		if (preset)
			this.#role.value = String(preset.document);
	}

	/** @returns {Rights} */
	get value() {
		const preset = PRESETS[this.#at - 1];
		return preset ? { level: preset.level, number: this.#number.checked, document: Number(this.#role.value) } : { level: 0, number: false, document: 0 };
	}
}

/**
 * @param {Desk} desk
 * @param {{whom: Choice[], what: Choice[], before?: Rights, about?: () => string}} given what there is to choose from; of one nothing is asked
 */
export function askGrant(desk, { whom, what: of, before, about }) {
	const person = select("rights.whom", whom);
	const object = select("rights.what", of);
	const rights = new RightsFields(before ?? FIRST);
	/** @type {FormDialog} */
	const dialog = new FormDialog({ title: before ? "rights.change-title" : "rights.give-title", about, submit: before ? "rights.change-submit" : "rights.give-submit",
		wide: true, general: (error) => desk.general(error), run: async () => {
			const [who, what] = [person.side(), object.side()];
			if (!who || !what || !await change(desk, "grant set", { ...sideBody(who), ...sideBody(what), ...rights.value }, dialog))
				return false;
			desk.tell(() => t("rights.given"));
			desk.again();
			return true;
		} }, make("div", { class: person.hidden || object.hidden ? "" : "form-grid" }, !person.hidden && person.field.element, !object.hidden && object.field.element), rights.element);
	dialog.open(person.hidden ? object.hidden ? rights.first : object.field.input : person.field.input);
}

/**
 * @param {Desk} desk
 * @param {import("./grant_words.js").Grant} grant
 * @param {import("./people.js").People} people
 */
export function askTake(desk, grant, people) {
	/** @type {FormDialog} */
	const dialog = new FormDialog({ title: "rights.take-title", about: () => t("rights.of-about", { whom: whomText(grant, people), what: whatText(grant) }),
		submit: "rights.take", bad: true, general: (error) => desk.general(error), run: async () => {
			if (!await change(desk, "grant set", { ...sideBody(grant), take: true }, dialog))
				return false;
			desk.tell(() => t("rights.taken"));
			desk.again();
			return true;
		} }, make("p", { class: "message message-warn", says: () => t("rights.take-text", { rights: rightsText(grant) }) }));
	dialog.open();
}
