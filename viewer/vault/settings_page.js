/*
 * What the office has laid down, for managers: what records are used for, how long they are kept, which fields they have.
 */
import { formatCount, t, tIn } from "../portal/i18n.js";
import { button, freshId, make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Choices, Field, lineOf, textInput } from "./fields.js";
import { pageHead, part } from "./page_parts.js";
import { fieldLabel, inLanguage, Rules } from "./rules.js";
import { Table } from "./table.js";
import { TemplateEditor } from "./template_editor.js";
import { ACTIVE, CLIENT, DEPENDANT, EMPLOYEE, ENDED, kindText, PAYEE } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./build.js").Key} Key */
/** @typedef {import("./rules.js").Keeping} Keeping */
/** @typedef {import("./rules.js").Purpose} Purpose */

const NAME_MAX = 128;
const START_MAX = 256;
const YEARS = [2, 3, 4, 5, 7];
/* What most offices have; they choose, and may write others. */
/** @type {readonly Key[]} */
const PURPOSES = ["usual-purpose.withholding", "usual-purpose.statements", "usual-purpose.insurance", "usual-purpose.employment", "usual-purpose.returns"];
/** @type {readonly {name: Key, start: Key, years: number}[]} */
const CLASSES = [{ name: "usual-class.declaration", start: "usual-class.declaration-start", years: 7 },
	{ name: "usual-class.employment", start: "usual-class.employment-start", years: 4 },
	{ name: "usual-class.accident", start: "usual-class.finished-start", years: 3 },
	{ name: "usual-class.pension", start: "usual-class.finished-start", years: 2 }];

/** A name in both languages. Choosing a usual one fills in the other, too. */
class Names {
	ja;
	en;
	element;

	/**
	 * @param {Key} ja
	 * @param {Key} en
	 * @param {number} max
	 * @param {{ja: string, en: string, usual?: readonly Key[], hint?: Key, chosen?: (at: number) => void}} more
	 */
	constructor(ja, en, max, { ja: before, en: beforeEn, usual = [], hint, chosen }) {
		this.ja = new Field(ja, textInput({ max, required: true, lang: "ja" }), { hint });
		this.en = new Field(en, textInput({ max, lang: "en" }), { hint: "settings.english-hint" });
		this.ja.input.value = before;
		this.en.input.value = beforeEn;
		const list = make("datalist", { with: { id: freshId() } }, ...usual.map((key) => make("option", { with: { value: tIn("ja", key) } })));
		if (usual.length)
			this.ja.input.setAttribute("list", list.id);
		this.ja.input.addEventListener("input", () => {
			const at = usual.findIndex((key) => tIn("ja", key) === this.ja.input.value);
			if (at < 0)
				return;
			this.en.input.value = tIn("en", usual[at]);
			chosen?.(at);
		});
		this.element = make("div", { class: "form-grid" }, this.ja.element, this.en.element, list);
	}

	/** @returns {[string, string] | null} null: the first is missing, and said so */
	value() {
		const [ja, en] = [lineOf(this.ja.input), lineOf(this.en.input)];
		if (!ja) {
			this.ja.wrong(() => t("entry.missing"));
			this.ja.input.focus();
			return null;
		}
		return [ja, en];
	}
}

export class SettingsPage {
	#desk;
	element = make("section", { class: "settings-page" });

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
	}

	async start() {
		const head = [pageHead("settings.title"), make("p", { class: "menu-greeting", t: "settings.intro" })];
		if (!this.#desk.manages) {
			this.element.replaceChildren(...head, make("p", { class: "message", t: "settings.managers" }));
			return;
		}
		const rules = await Rules.of(this.#desk.vault);
		this.element.replaceChildren(...head, this.#purposes(rules.purposes), this.#classes(rules.classes), this.#templates(rules));
	}

	/**
	 * @param {Key} title
	 * @param {Key} text
	 * @param {Key} add
	 * @param {() => void} press
	 * @param {...HTMLElement} more
	 */
	#part(title, text, add, press, ...more) {
		return part(title, make("p", { class: "field-hint", t: text }), ...more, make("div", { class: "part-actions" }, button(add, press, { icon: "plus" })));
	}

	/** @param {Purpose[]} purposes */
	#purposes(purposes) {
		const table = new Table("settings.purposes", ["settings.name", "settings.used", "settings.state", "settings.do"]);
		table.clear();
		for (const one of purposes) {
			const name = () => inLanguage(one.name, one.name_en);
			table.add([make("span", { says: name }), make("span", { says: () => formatCount(one.records ?? 0) }), this.#state(one.retired),
				button(one.retired ? "settings.again" : "settings.retire", () => this.#retire(one), { kind: "small",
					named: () => t("request.act-one", { act: t(one.retired ? "settings.again" : "settings.retire"), title: name() }) })], { purpose: one.id });
		}
		return this.#part("settings.purposes", "settings.purposes-text", "settings.purpose-add", () => this.#addPurpose(), table.element);
	}

	/** @param {boolean} retired */
	#state(retired) {
		return make("span", { class: "tag record-state", t: retired ? "settings.retired" : "settings.in-use", with: { "data-state": retired ? ENDED : ACTIVE } });
	}

	#addPurpose() {
		const names = new Names("settings.purpose-name", "settings.english", NAME_MAX, { ja: "", en: "", usual: PURPOSES, hint: "settings.purpose-hint" });
		this.#dialog("settings.purpose-add", "settings.add", "settings.added", { name: names.ja, name_en: names.en }, async () => {
			const [name, name_en] = names.value() ?? [];
			return name ? await this.#desk.vault.ask("purpose add", { name, name_en }) : null;
		}, names.element).open(names.ja.input);
	}

	/** @param {Purpose} purpose */
	#retire({ id, name, name_en, retired }) {
		this.#dialog(retired ? "settings.again-title" : "settings.retire-title", retired ? "settings.again" : "settings.retire", "settings.changed", {},
			() => this.#desk.vault.ask("purpose retire", { purpose: id, retired: !retired }),
			make("p", { class: "message", says: () => t(retired ? "settings.again-text" : "settings.retire-text", { name: inLanguage(name, name_en) }) })).open();
	}

	/** @param {Keeping[]} classes */
	#classes(classes) {
		const table = new Table("settings.classes", ["settings.name", "settings.start", "settings.years", "settings.state", "settings.do"]);
		table.clear();
		for (const one of classes) {
			const name = () => inLanguage(one.name, one.name_en);
			table.add([make("span", { says: name }), make("span", { says: () => inLanguage(one.start, one.start_en) }),
				make("span", { says: () => t("settings.years-text", { years: one.years }) }), this.#state(one.retired),
				button("settings.change", () => this.#class(one), { kind: "small", named: () => t("request.act-one", { act: t("settings.change"), title: name() }) })],
			{ class: one.id });
		}
		return this.#part("settings.classes", "settings.classes-text", "settings.class-add", () => this.#class(null), table.element);
	}

	/** A new one, or one that is there. @param {Keeping | null} old */
	#class(old) {
		const years = new Field("settings.years", make("select", {}, ...YEARS.map((n) =>
			make("option", { says: () => t("settings.years-text", { years: n }), with: { value: n, selected: n === 7 } }))), { hint: "settings.years-hint" });
		const start = new Names("settings.start", "settings.english", START_MAX, { ja: old?.start ?? "", en: old?.start_en ?? "", hint: "settings.start-hint" });
		const names = new Names("settings.class-name", "settings.english", NAME_MAX, { ja: old?.name ?? "", en: old?.name_en ?? "",
			usual: old ? [] : CLASSES.map(({ name }) => name), chosen: (at) => {
				years.input.value = String(CLASSES[at].years);
				start.ja.input.value = tIn("ja", CLASSES[at].start);
				start.en.input.value = tIn("en", CLASSES[at].start);
			} });
		const state = new Choices("settings.state", "radio", [{ value: 0, says: () => t("settings.in-use"), checked: !old?.retired },
			{ value: 1, says: () => t("settings.retired"), hint: () => t("settings.retired-hint"), checked: old?.retired }]);
		this.#dialog(old ? "settings.class-change" : "settings.class-add", old ? "record.change-submit" : "settings.add", old ? "settings.changed" : "settings.added",
			{ name: names.ja, name_en: names.en, start: start.ja, start_en: start.en }, async () => {
			const name = names.value();
			const begin = name && start.value();
			if (!name || !begin)
				return null;
			const what = { name: name[0], name_en: name[1], start: begin[0], start_en: begin[1] };
			return old ? await this.#desk.vault.ask("class change", { ...what, class: old.id, retired: state.values[0] === "1" }) :
				await this.#desk.vault.ask("class add", { ...what, years: Number(years.input.value) });
		}, names.element, start.element, old ? state.element : years.element,
		old && make("p", { class: "field-hint", says: () => t("settings.years-stay", { years: old.years }) })).open(names.ja.input);
	}

	/** @param {Rules} rules */
	#templates(rules) {
		const table = new Table("settings.templates", ["records.kind", "settings.fields", "settings.do"]);
		table.clear();
		for (const kind of [CLIENT, EMPLOYEE, DEPENDANT, PAYEE]) {
			const fields = rules.fields(kind);
			table.add([make("span", { says: () => kindText(kind) }), make("span", { says: () => (fields.length ?
				fields.map(fieldLabel).join(t("audit.comma")) : t("settings.no-fields")) }),
			button("settings.change", () => this.#template(kind, rules), { kind: "small",
				named: () => t("request.act-one", { act: t("settings.change"), title: kindText(kind) }) })], { kind });
		}
		return part("settings.templates", make("p", { class: "field-hint", t: "settings.templates-text" }), table.element);
	}

	/**
	 * @param {number} kind
	 * @param {Rules} rules
	 */
	#template(kind, rules) {
		const editor = new TemplateEditor(rules.fields(kind));
		this.#dialog("settings.template-title", "record.change-submit", "settings.changed", {}, async () => {
			const fields = editor.value();
			return fields && await this.#desk.vault.ask("template set", { kind, fields });
		}, make("p", { class: "message", says: () => t("settings.template-text", { kind: kindText(kind) }) }), editor.element).open(editor.first);
	}

	/**
	 * @param {Key} title
	 * @param {Key} submit
	 * @param {Key} done
	 * @param {import("./errors.js").Fields} fields
	 * @param {() => Promise<unknown>} run what is done; nothing: something is missing
	 * @param {...import("./build.js").Child} parts
	 */
	#dialog(title, submit, done, fields, run, ...parts) {
		return new FormDialog({ title, submit, wide: true, fields, general: (error) => this.#desk.general(error), run: async () => {
			if (!await run())
				return false;
			this.#desk.tell(() => t(done));
			this.#desk.again();
			return true;
		} }, ...parts);
	}
}
