/*
 * The fields by which the audit console's lists are narrowed down, and what was chosen in them as one line that can be saved.
 */
import { LIST_EVENTS, SESSION_EVENTS } from "./audit_names.js";
import { byId, find, setText } from "./dom.js";
import { t } from "./i18n.js";
import { dayIn } from "./zone.js";
import { eventText } from "./audit_words.js";

/** @typedef {import("../core/audit.js").Choices} Choices */
/** @typedef {import("../core/audit.js").EntryList | "sessions"} List */
/** @typedef {Record<"person" | "pc" | "device" | "client" | "event" | "from" | "to" | "shortest" | "longest", string>} Chosen */

const NAMES = /** @type {const} */ (["person", "pc", "device", "client", "event", "from", "to", "shortest", "longest"]);
const LISTS = /** @type {const} */ (["sessions", "logins", "acts", "watching", "alarms"]);
/* What there is to choose of for entries of the log. */
const FOR_ENTRIES = new Set(["person", "event", "from", "to"]);

/**
 * "list=sessions&person=sato": only what was chosen.
 * @param {List} list
 * @param {Chosen} chosen
 */
export function queryOf(list, chosen) {
	const query = new URLSearchParams({ list });
	for (const name of NAMES)
		if (chosen[name] && (list === "sessions" || FOR_ENTRIES.has(name)))
			query.set(name, chosen[name]);
	return query.toString();
}

/**
 * @param {string} text as queryOf makes it; anything else is left out
 * @returns {{list: List, chosen: Chosen}}
 */
export function chosenIn(text) {
	const query = new URLSearchParams(text);
	const list = LISTS.find((one) => one === query.get("list")) ?? "sessions";
	const chosen = /** @type {Chosen} */ (Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])));
	return { list, chosen };
}

/**
 * As the gateway is asked.
 * @param {Chosen} chosen
 * @param {string} zone
 * @returns {import("../core/audit.js").Filter}
 */
export function filterOf(chosen, zone) {
	const minutes = (/** @type {string} */ text) => Math.max(0, Math.min(1e6, Math.floor(Number(text) || 0))) * 60;
	return { person: chosen.person, pc: chosen.pc, device: Number(chosen.device) || 0,
		client: chosen.client.normalize("NFKC").trim(), event: chosen.event, from: dayIn(chosen.from, zone),
		to: dayIn(chosen.to, zone, 1), shortest: minutes(chosen.shortest), longest: minutes(chosen.longest) };
}

/**
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options value and text
 */
export function setOptions(select, options) {
	const value = select.value;
	select.replaceChildren(...options.map(([name, text]) => new Option(text, name)));
	select.value = value;
	if (select.selectedIndex < 0)
		select.selectedIndex = 0;
}

export class AuditForm {
	#form = /** @type {HTMLFormElement} */ (byId("audit-form"));

	/** @param {string} name */
	#field(name) {
		return /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(`audit-${name}`));
	}

	/** @param {() => void} changed what is to be shown differs */
	constructor(changed) {
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			changed();
		});
		/* A choice is made at once; a text is finished by Enter or by leaving it. */
		this.#form.addEventListener("change", () => changed());
		/* In a narrow window the list comes first. */
		byId("audit-fold").addEventListener("click", () => {
			this.#form.dataset.folded = String(this.#form.dataset.folded === "false");
			byId("audit-fold").setAttribute("aria-expanded", String(this.#form.dataset.folded === "false"));
		});
		byId("audit-reset").addEventListener("click", () => {
			this.clear();
			changed();
			this.#field("person").focus();
		});
	}

	/**
	 * In the language of now.
	 * @param {Choices} choices
	 * @param {List} list
	 */
	show(choices, list) {
		const anyone = /** @type {[string, string]} */ (["", t("audit.any")]);
		const people = choices.people.map(({ name, full_name }) =>
			/** @type {[string, string]} */ ([name, full_name ? `${full_name} (${name})` : name]));
		setOptions(/** @type {HTMLSelectElement} */ (this.#field("person")), [anyone, ...people]);
		setOptions(/** @type {HTMLSelectElement} */ (this.#field("pc")),
			[anyone, ...choices.pcs.map(({ name }) => /** @type {[string, string]} */ ([name, name]))]);
		setOptions(/** @type {HTMLSelectElement} */ (this.#field("device")), [anyone, ...choices.devices.map(({ number, name, owner }) =>
			/** @type {[string, string]} */ ([String(number), `${name} (${owner})`]))]);
		setOptions(/** @type {HTMLSelectElement} */ (this.#field("event")),
			[anyone, ...(list === "sessions" ? SESSION_EVENTS : LIST_EVENTS[list]).map((code) =>
				/** @type {[string, string]} */ ([code, eventText(code)]))]);
		for (const name of NAMES)
			find(this.#form, `[data-field="${name}"]`).hidden = list !== "sessions" && !FOR_ENTRIES.has(name);
		byId("audit-cut").hidden = !choices.more;
		const count = NAMES.filter((name) => this.chosen[name] !== "" && (list === "sessions" || FOR_ENTRIES.has(name))).length;
		setText(byId("audit-fold"), t(count > 0 ? "audit.fold-on" : "audit.fold", { n: count }));
	}

	/** @returns {Chosen} */
	get chosen() {
		return /** @type {Chosen} */ (Object.fromEntries(NAMES.map((name) => [name, this.#field(name).value])));
	}

	/** @param {Chosen} chosen */
	set chosen(chosen) {
		for (const name of NAMES) {
			const field = this.#field(name);
			/* Somebody who is not there any more, as a saved filter may know. */
			if (field instanceof HTMLSelectElement && chosen[name] && ![...field.options].some(({ value }) => value === chosen[name]))
				field.add(new Option(chosen[name], chosen[name]));
			field.value = chosen[name];
		}
	}

	clear() {
		this.chosen = chosenIn("").chosen;
	}
}
