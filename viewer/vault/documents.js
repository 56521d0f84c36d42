/*
 * The documents of a record: which there are, bringing one, taking one along, looking at one as pictures, and their
 * versions.
 */
import { DOCUMENT_MAX, DocumentError, getDocument, putDocument } from "../core/document_stream.js";
import { given, knows } from "../core/vault.js";
import { formatDayTime, t, textOf } from "../portal/i18n.js";
import { saveFile } from "../portal/save_file.js";
import { button, make, says } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Field } from "./fields.js";
import { askPreview } from "./preview_dialog.js";
import { part } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { Table } from "./table.js";

/** @typedef {import("./desk.js").Desk} Desk */
/**
 * @typedef {object} Document
 * @property {number} id
 * @property {string} name
 * @property {number} size
 * @property {number} version the newest that may be had
 * @property {number} made
 * @property {number} made_by
 * @property {number} removed 0: it is not in the bin
 */
/** @typedef {{version: number, name: string, size: number, made: number, made_by: number}} Version */
/** @typedef {{upload: boolean, download: boolean, preview: boolean, link: boolean, edit: boolean, delete: boolean}} May */

const NAME_MAX = 255;
const STEP = 1024;
const UNITS = ["B", "KB", "MB"];

/** @param {number} bytes */
export function sizeText(bytes) {
	let size = bytes, unit = 0;
	while (size >= STEP && unit < UNITS.length - 1) {
		size /= STEP;
		unit++;
	}
	return `${unit === 0 || size >= 10 ? Math.round(size) : Math.round(size * 10) / 10} ${UNITS[unit]}`;
}

/**
 * A name as a file may have it: without what paths and control characters are made of.
 * @param {string} name
 */
export function fileName(name) {
	const plain = name.normalize("NFC").replaceAll(/[\p{Cc}\p{Cf}/\\]/gu, "").trim();
	return [...plain].slice(0, NAME_MAX).join("");
}

export class Documents {
	#desk;
	#record;
	#pointed;
	#table = new Table("documents.title", ["documents.name", "documents.size", "documents.made", "documents.do"]);
	#none = make("p", { class: "none", with: { hidden: true } });
	#file = make("input", { label: "documents.choose", with: { type: "file", hidden: true } });
	#add = button("documents.add", () => this.#choose(0), { icon: "plus" });
	#bar = make("progress", { class: "host-progress", with: { value: 0 } });
	#what = make("p", { with: { role: "status" } });
	#stop = button("app.cancel", () => this.#watch?.abort(), { kind: "small" });
	#moving = make("div", { class: "document-moving", with: { hidden: true } }, this.#what, this.#bar, this.#stop);
	/** @type {AbortController | null} of what is under way */
	#watch = null;
	/* Of which document a new version is chosen; 0: a new one. */
	#of = 0;
	/** @type {People | null} */
	#people = null;
	/** @type {May | null} */
	#may = null;
	element;

	/**
	 * @param {Desk} desk
	 * @param {number} record
	 * @param {number} [pointed] the document that a link points to
	 */
	constructor(desk, record, pointed = 0) {
		this.#desk = desk;
		this.#record = record;
		this.#pointed = pointed;
		this.element = part("documents.title", this.#table.element, this.#none, this.#moving, make("div", { class: "part-actions" }, this.#add, this.#file));
		this.#table.clear();
		this.#add.hidden = true;
		this.#file.addEventListener("change", () => {
			const [file] = this.#file.files ?? [];
			if (file)
				void this.#bring(file);
			this.#file.value = "";
		});
		for (const event of ["dragover", "drop"])
			this.element.addEventListener(event, (happened) => this.#dropped(/** @type {DragEvent} */ (happened)));
	}

	async start() {
		try {
			const [answer, people] = await Promise.all([this.#desk.vault.ask("document list", { record: this.#record }), People.of(this.#desk)]);
			const may = this.#may = /** @type {May} */ (answer.may);
			this.#people = people;
			this.#add.hidden = !may.upload;
			this.#table.clear();
			await this.#list(answer, people);
			if (may.delete)
				await this.#list(await this.#desk.vault.ask("document list", { record: this.#record, removed: true }), people);
			/* Who may nothing is not told whether there are any. */
			const any = Object.values(may).includes(true);
			says(this.#none, () => t(any ? "documents.none" : "documents.no-right"));
			this.#none.hidden = this.#table.rows > 0;
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	leave() {
		this.#watch?.abort();
	}

	/**
	 * All of a list, page after page.
	 * @param {Record<string, any>} answer its first page
	 * @param {People} people
	 */
	async #list({ rows, next }, people) {
		for (;;) {
			for (const row of /** @type {Document[]} */ (rows ?? []))
				this.#put(row, people);
			if (!next)
				return;
			({ rows, next } = await this.#desk.vault.list("document list", { record: this.#record, after: next, removed: rows[0]?.removed > 0 }));
		}
	}

	/**
	 * @param {Document} row
	 * @param {People} people
	 */
	#put(row, people) {
		const { id, name, size, made, made_by, version, removed } = row;
		const { download, preview, link, edit, delete: remove } = /** @type {May} */ (this.#may);
		const act = (/** @type {boolean} */ can, /** @type {import("./build.js").Key} */ key, /** @type {() => void} */ press) =>
			can && button(key, press, { kind: "small", named: () => t("request.act-one", { act: t(key), title: name }) });
		const line = this.#table.add([[make("span", { class: "document-name" }, name), removed > 0 && make("span", { class: "tag tag-bad", t: "records.removed" })],
		sizeText(size), [make("span", { says: () => formatDayTime(made) }), make("span", { class: "small", says: () => people.text(made_by) })],
		make("div", { class: "document-do" }, act(!removed && preview && knows("document preview"), "documents.preview", () => askPreview(this.#desk, { id, name, version })),
			act(!removed && download, "documents.download", () => void this.#take(row, 0)), act(!removed && edit, "documents.renew", () => this.#choose(id)),
			act(!removed && link, "documents.link", () => this.#link(row)),
			act(version > 1, "documents.versions", () => void this.#versions(row)), act(!removed && remove, "documents.remove", () => this.#move(row, "document remove")),
			act(removed > 0 && remove, "record.restore", () => this.#move(row, "document restore")))], { document: id });
		line.classList.toggle("pointed", id === this.#pointed);
		if (id === this.#pointed)
			line.scrollIntoView({ block: "center" });
	}

	/** Where it is, for a colleague who has rights of his own. @param {Document} document */
	#link({ id, name }) {
		const address = make("input", { class: "mono", with: { type: "text", readonly: true, value: new URL(hashOf("record", this.#record, `d${id}`), location.href).href } });
		new FormDialog({ title: "documents.link-title", about: () => name, submit: "app.close", wide: true, run: async () => true,
			general: (error) => this.#desk.general(error) }, new Field("documents.link-address", address, { hint: "documents.link-hint" }).element).open(address);
		address.select();
	}

	/** @param {DragEvent} event */
	#dropped(event) {
		if (this.#add.hidden || !event.dataTransfer?.types.includes("Files"))
			return;
		event.preventDefault();
		const [file] = event.dataTransfer.files;
		if (event.type === "drop" && file) {
			this.#of = 0;
			void this.#bring(file);
		}
	}

	/** @param {number} document */
	#choose(document) {
		this.#of = document;
		this.#file.click();
	}

	/**
	 * What goes over a stream, with how far it is; one at a time.
	 * @template Result
	 * @param {string} name the document's
	 * @param {() => string} what
	 * @param {number} size
	 * @param {(watch: import("../core/document_stream.js").Watch) => Promise<Result>} run
	 * @returns {Promise<Result | null>} null: it did not work, and that was said
	 */
	async #transfer(name, what, size, run) {
		if (this.#watch)
			return null;
		const watch = this.#watch = new AbortController();
		says(this.#what, what);
		this.#bar.max = Math.max(1, size);
		this.#bar.value = 0;
		this.#moving.hidden = false;
		try {
			return await run({ signal: watch.signal, moved: (bytes) => {
				this.#bar.value = bytes;
			} });
		} catch (error) {
			if (error instanceof DocumentError)
				this.#desk.warn(() => t("documents.about", { name, text: textOf("document-end.", error.code, "document-end.failed") }));
			else
				this.#desk.failed(error);
			return null;
		} finally {
			this.#watch = null;
			this.#moving.hidden = true;
		}
	}

	/** @param {File} file */
	async #bring(file) {
		const name = fileName(file.name);
		const document = this.#of;
		this.#of = 0;
		if (file.size > DOCUMENT_MAX || file.size === 0) {
			this.#desk.warn(() => t(file.size === 0 ? "documents.empty" : "documents.too-big"));
			return;
		}
		const done = await this.#transfer(name, () => t("documents.bringing", { name }), file.size, async (watch) => {
			const { stream } = await this.#desk.vault.ask("document add", given({ record: this.#record, document, name, size: file.size }));
			await putDocument(this.#desk.vault.streamUrl(String(stream)), file, watch);
			return true;
		});
		if (done)
			this.#desk.tell(() => t("documents.brought", { name }));
		await this.start();
	}

	/**
	 * @param {Document} document
	 * @param {number} version 0: the newest
	 */
	async #take({ id, name }, version) {
		/** @type {{name: string, content: Blob} | null} */
		const got = await this.#transfer(name, () => t("documents.fetching"), 0, async (watch) => {
			const order = await this.#desk.vault.ask("document download", given({ document: id, version }));
			this.#bar.max = Math.max(1, Number(order.size));
			return { name: String(order.name), content: await getDocument(this.#desk.vault.streamUrl(String(order.stream)), watch) };
		});
		if (!got)
			return;
		/* Never as what a browser would show by itself. */
		saveFile(fileName(got.name) || "document", new Blob([got.content], { type: "application/octet-stream" }));
		this.#desk.tell(() => t("documents.fetched", { name: got.name }));
	}

	/** @param {Document} document */
	async #versions(document) {
		const { id, name, removed } = document;
		try {
			const people = this.#people;
			const table = new Table("documents.versions", ["documents.version", "documents.made", "documents.size", "documents.do"]);
			table.clear();
			for (let after = 0, more = true; more; more = after > 0) {
				const { rows, next } = await this.#desk.vault.list("document versions", { document: id, after });
				for (const one of /** @type {Version[]} */ (rows))
					table.add([String(one.version), [make("span", { says: () => formatDayTime(one.made) }), make("span", { class: "small", says: () => people?.text(one.made_by) ?? "" })],
						sizeText(one.size), !removed && this.#may?.download && button("documents.download", () => {
							dialog.close();
							void this.#take(document, one.version);
						}, { kind: "small", named: () => t("documents.download-version", { version: one.version }) })]);
				after = next;
			}
			const dialog = new FormDialog({ title: "documents.versions", about: () => name, submit: "app.close", wide: true, run: async () => true,
				general: (error) => this.#desk.general(error) }, table.element);
			dialog.open();
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	/**
	 * @param {Document} document
	 * @param {"document remove" | "document restore"} words
	 */
	#move({ id, name }, words) {
		const removes = words === "document remove";
		new FormDialog({ title: removes ? "record.remove-title" : "record.restore-title", about: () => name, submit: removes ? "record.remove" : "record.restore",
			general: (error) => this.#desk.general(error), run: async () => {
				await this.#desk.vault.ask(words, { document: id });
				this.#desk.tell(() => t(removes ? "record.removed" : "record.restored"));
				await this.start();
				return true;
			} }, make("p", { class: "message", t: removes ? "documents.remove-text" : "record.restore-text" })).open();
	}
}
