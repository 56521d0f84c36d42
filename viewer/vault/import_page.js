/*
 * Many records at once out of a CSV file: what is in it is looked through first, and nothing is entered before a manager
 * other than who brought it has approved it as a whole.
 */
import { given } from "../core/vault.js";
import { formatCount, formatMoment, t, textOf } from "../portal/i18n.js";
import { saveFile } from "../portal/save_file.js";
import { button, make, says } from "./build.js";
import { toBase64 } from "./bytes.js";
import { FormDialog } from "./dialog.js";
import { Choices, CodeField, Field } from "./fields.js";
import { columnsFor, exampleFile } from "./import_columns.js";
import { ImportRows } from "./import_rows.js";
import { Notice } from "./notice.js";
import { hint, noRules, pageHead, part, trail } from "./page_parts.js";
import { hashOf } from "./places.js";
import { People } from "./people.js";
import { Progress } from "./progress.js";
import { showRecord } from "./record.js";
import { Rules } from "./rules.js";
import { Table } from "./table.js";
import { CLIENT, DEPENDANT, EMPLOYEE, kindText, nameText, PAYEE } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {{import: number, by: number, rows: number, asked: boolean, until: number, mine: boolean, may_apply: boolean}} Waiting */
/** @typedef {{row: number, column: string, error: string}} Wrong */
/**
 * @typedef {object} Preview
 * @property {number} rows
 * @property {Wrong[]} errors
 * @property {number} error_count
 * @property {number} next
 * @property {{row: number, kind: number, client_name: string, name: string, has_number: boolean}[]} sample
 */

const BYTES_MAX = 32 * 1024 * 1024;

/**
 * What is wrong with a row, as a sentence.
 * @param {Wrong} wrong
 */
export function wrongText({ error, column }) {
	const text = textOf("import-error.", error, "import-error.invalid");
	return column ? t("import.error-text", { column, text }) : text;
}

export class ImportPage {
	#desk;
	#client;
	#notice = new Notice();
	#place = make("div");
	#waiting = make("div");
	#rows = make("div");
	/** @type {Rules | null} */
	#rules = null;
	/* The import that is being looked through; 0: none. */
	#current = 0;
	#asked = false;
	/* Counts up with each file, so that a slow one that was given up does not go on. */
	#turn = 0;
	element = make("section", { class: "import-page" });

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#client = place.id;
	}

	async start() {
		const { vault } = this.#desk;
		const [rules, client] = await Promise.all([Rules.of(vault), this.#client ? showRecord(vault, this.#client) : null]);
		this.#rules = rules;
		this.element.replaceChildren(trail(client ? [{ href: hashOf("client", client.id), text: () => nameText(client) }] : []),
			pageHead("import.title"), make("p", { class: "menu-greeting", says: () => (client ? t("import.intro-client", { name: nameText(client) }) : t("import.intro")) }),
			this.#notice.element, this.#waiting, this.#rows, this.#place);
		this.#begin();
		await this.#list();
	}

	leave() {
		this.#turn++;
		/* What nobody asked for need not stay in the vault's memory. */
		if (this.#current && !this.#asked)
			void this.#desk.vault.ask("import cancel", { import: this.#current }).catch(() => {});
		this.#current = 0;
	}

	/** The form that a file is chosen in. */
	#begin() {
		const rules = /** @type {Rules} */ (this.#rules);
		const kinds = this.#client ? [EMPLOYEE, DEPENDANT, PAYEE] : [EMPLOYEE, DEPENDANT, PAYEE, CLIENT];
		const kind = new Choices("import.kind", "radio", kinds.map((one) => ({ value: one, says: () => kindText(one), checked: one === EMPLOYEE })));
		const chosen = rules.purposes.filter(({ retired }) => !retired);
		const classes = rules.classes.filter(({ retired }) => !retired);
		const purposes = new Choices("entry.purposes", "checkbox", chosen.map(({ id }) => ({ value: id, says: () => rules.purposeText(id), checked: chosen.length === 1 })),
			{ hint: "import.purposes-hint" });
		const kept = new Choices("entry.class", "radio", classes.map(({ id }) => ({ value: id, says: () => rules.classText(id), checked: classes.length === 1 })));
		const file = new Field("import.file", make("input", { with: { type: "file", accept: ".csv,text/csv" } }), { hint: "import.file-hint" });
		const columns = make("p", { class: "import-columns" });
		const showColumns = () => says(columns, () => t("import.columns", { columns: columnsFor(rules, Number(kind.values[0]), !this.#client).join(t("audit.comma")) }));
		kind.element.addEventListener("change", showColumns);
		showColumns();
		const submit = button("import.look", () => {}, { kind: "primary", type: "submit" });
		const form = make("form", { class: "vault-form", with: { novalidate: true, autocomplete: "off" } },
			part("import.step-what", kind.element, columns, make("p", { class: "part-actions" }, button("import.example", () =>
				saveFile(`${t("import.example-name")}.csv`, exampleFile(columnsFor(rules, Number(kind.values[0]), !this.#client))), { kind: "small" }))),
			part("import.step-rules", purposes.element, kept.element), part("import.step-file", file.element),
			make("div", { class: "form-actions" }, submit));
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			const [wanted] = file.input.files ?? [];
			const wrong = purposes.values.length === 0 ? /** @type {const} */ ([purposes, "entry.need-purpose"]) : kept.values.length === 0 ?
				/** @type {const} */ ([kept, "entry.need-class"]) : !wanted ? /** @type {const} */ ([file, "import.need-file"]) :
					wanted.size > BYTES_MAX ? /** @type {const} */ ([file, "import-error.too-big"]) : null;
			if (wrong) {
				wrong[0].wrong(() => t(wrong[1]));
				(wrong[0] instanceof Choices ? wrong[0].first : wrong[0].input)?.focus();
				return;
			}
			submit.disabled = true;
			void this.#send(wanted, { client: this.#client, kind: Number(kind.values[0]), class: Number(kept.values[0]), purposes: purposes.values.map(Number) });
		});
		this.#place.replaceChildren(...(chosen.length && classes.length ? [form] : [noRules(this.#desk)]));
	}

	/**
	 * @param {File} file
	 * @param {Record<string, unknown>} rules
	 */
	async #send(file, rules) {
		const turn = ++this.#turn;
		const { vault } = this.#desk;
		const bar = make("progress", { class: "host-progress", label: "import.sending", with: { max: Math.max(1, file.size), value: 0 } });
		this.#notice.clear();
		try {
			const begun = await vault.ask("import begin", given(rules));
			this.#current = Number(begun.import);
			this.#asked = false;
			this.#place.replaceChildren(make("section", { class: "part" }, make("p", { t: "import.sending", with: { role: "status" } }), bar));
			const piece = Number(begun.piece);
			for (let offset = 0; offset < file.size && turn === this.#turn; offset += piece) {
				const bytes = new Uint8Array(await file.slice(offset, offset + piece).arrayBuffer());
				await vault.ask("import add", { import: this.#current, offset, data: toBase64(bytes) });
				bar.value = Math.min(file.size, offset + piece);
			}
			if (turn === this.#turn)
				await this.#preview(file.name, turn);
		} catch (error) {
			if (turn === this.#turn)
				this.#failed(error);
		}
	}

	/** @param {unknown} error */
	#failed(error) {
		if (this.#desk.general(error))
			return;
		this.#giveUp();
		this.#notice.fail(error);
		this.#notice.element.scrollIntoView({ block: "center" });
	}

	#giveUp() {
		this.leave();
		this.#begin();
	}

	/**
	 * @param {number} after
	 * @returns {Promise<Preview>}
	 */
	async #errors(after) {
		return /** @type {Preview} */ (/** @type {unknown} */ (await this.#desk.vault.ask("import preview", given({ import: this.#current, after }))));
	}

	/**
	 * @param {string} name of the file
	 * @param {number} turn
	 */
	async #preview(name, turn) {
		const progress = new Progress();
		this.#place.replaceChildren(make("section", { class: "part" }, make("p", { t: "import.looking", with: { role: "status" } }), progress.element));
		const preview = await progress.during(this.#desk.vault, "import preview", async () => await this.#errors(0));
		if (turn !== this.#turn)
			return;
		const { rows, error_count, sample } = preview;
		const table = new Table("import.sample", ["import.row", "records.name", "records.kind", "records.client", "records.number"]);
		table.clear();
		for (const one of sample)
			table.add([String(one.row), one.name, make("span", { says: () => kindText(one.kind) }), one.client_name,
				make("span", { t: one.has_number ? "records.has-number" : "records.no-number" })]);
		const fine = error_count === 0;
		const title = make("h2", { class: "part-title import-title", with: { tabindex: -1 }, says: () => t("import.found", { name, n: formatCount(rows) }) });
		this.#place.replaceChildren(make("section", { class: "part" }, title,
			make("p", { class: fine ? "message" : "message message-bad", says: () => t(fine ? "import.fine" : "import.wrong", { n: formatCount(error_count) }), with: { role: "status" } }),
			...(fine ? [] : [this.#wrongTable(preview)]), sample.length > 0 && make("h3", { class: "part-subtitle", t: "import.sample" }), table.element,
			fine && hint("check", () => t("import.next")),
			make("div", { class: "form-actions" }, button("import.other", () => this.#giveUp()),
				fine && button("import.ask", () => void this.#ask(), { kind: "primary" }))));
		title.focus();
	}

	/** @param {Preview} first */
	#wrongTable(first) {
		const table = new Table("import.errors", ["import.row", "import.error"]);
		table.clear();
		let next = 0;
		const more = button("records.more", async () => {
			try {
				add(await this.#errors(next));
			} catch (error) {
				this.#failed(error);
			}
		}, { class: "more" });
		const add = (/** @type {Preview} */ preview) => {
			for (const wrong of preview.errors)
				table.add([wrong.row ? String(wrong.row) : make("span", { t: "import.whole-file" }), make("span", { says: () => wrongText(wrong) })]);
			next = preview.next;
			more.hidden = !next;
		};
		add(first);
		return make("div", {}, table.element, more);
	}

	async #ask() {
		try {
			await this.#desk.vault.ask("import ask", { import: this.#current });
			this.#asked = true;
			this.#desk.tell(() => t("import.asked"));
			this.#desk.again();
		} catch (error) {
			this.#failed(error);
		}
	}

	/** What waits for approval. */
	async #list() {
		const waiting = /** @type {Waiting[]} */ ((await this.#desk.vault.rows("import list")).filter(({ asked }) => asked));
		if (waiting.length === 0) {
			this.#waiting.replaceChildren();
			this.#rows.replaceChildren();
			return;
		}
		const people = await People.of(this.#desk);
		const table = new Table("import.waiting", ["import.who", "import.rows", "import.until", "import.do"]);
		table.clear();
		for (const one of waiting)
			table.add([make("span", { says: () => people.text(one.by) }), make("span", { says: () => formatCount(one.rows) }),
				make("span", { says: () => formatMoment(one.until) }),
				[make("div", { class: "document-do" }, (one.mine || this.#desk.manages) && button("import.show", () => void this.#show(one), { kind: "small" }),
					one.may_apply && button("import.apply", () => this.#apply(one, people), { kind: "small" }),
					(one.mine || this.#desk.manages) && button("import.cancel", () => this.#cancel(one), { kind: "small" })),
				!one.may_apply && make("span", { class: "small", t: one.mine ? "import.not-own" : "request.needs-manager" })]], { import: one.import });
		this.#waiting.replaceChildren(part("import.waiting", table.element));
	}

	/** @param {Waiting} waiting */
	async #show(waiting) {
		const rows = new ImportRows(this.#desk.vault, /** @type {Rules} */ (this.#rules), waiting.import, (error) => this.#failedToShow(error));
		this.#rows.replaceChildren(part("import.rows-title", rows.element));
		await rows.load();
		this.#rows.scrollIntoView({ block: "start" });
	}

	/** @param {unknown} error */
	#failedToShow(error) {
		if (this.#desk.general(error))
			return;
		this.#notice.fail(error);
		this.#notice.element.scrollIntoView({ block: "center" });
	}

	/**
	 * @param {Waiting} waiting
	 * @param {People} people
	 */
	#apply(waiting, people) {
		const code = new CodeField();
		const progress = new Progress();
		new FormDialog({ title: "import.apply-title", about: () => t("import.apply-about", { name: people.name(waiting.by), n: formatCount(waiting.rows) }), submit: "import.apply",
			fields: { code }, general: (error) => this.#desk.general(error), run: async () => {
				const digits = code.take();
				if (!digits)
					return false;
				const { rows } = await progress.during(this.#desk.vault, "import apply", async () =>
					await this.#desk.vault.ask("import apply", { import: waiting.import, code: digits }));
				this.#desk.tell(() => t("import.applied", { n: formatCount(Number(rows)) }));
				this.#desk.again();
				return true;
			} }, make("p", { class: "message", t: "import.apply-text" }), code.element, progress.element).open(code.input);
	}

	/** @param {Waiting} waiting */
	#cancel(waiting) {
		new FormDialog({ title: "import.cancel-title", submit: "import.cancel-submit", bad: true, general: (error) => this.#desk.general(error), run: async () => {
			await this.#desk.vault.ask("import cancel", { import: waiting.import });
			this.#desk.tell(() => t("import.cancelled"));
			this.#desk.again();
			return true;
		} }, make("p", { class: "message", t: "import.cancel-text" })).open();
	}
}
