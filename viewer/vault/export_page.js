/*
 * Records of a client as an encrypted file: for one purpose, to whoever has the key of a certificate. What would be in it
 * is counted first.
 */
import { ApiError } from "../core/api.js";
import { given } from "../core/vault.js";
import { formatCount, t } from "../portal/i18n.js";
import { saveFile } from "../portal/save_file.js";
import { button, make, says } from "./build.js";
import { fromBase64, sha256Of } from "./bytes.js";
import { sayAtField } from "./errors.js";
import { Choices, CodeField, Field } from "./fields.js";
import { Notice } from "./notice.js";
import { hint, pageHead, part, trail } from "./page_parts.js";
import { hashOf } from "./places.js";
import { Progress } from "./progress.js";
import { showRecord } from "./record.js";
import { Rules } from "./rules.js";
import { nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

const PEM = /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/;
const PEM_MAX = 16384;
const BYTES_MAX = 512 * 1024 * 1024;

export class ExportPage {
	#desk;
	#client;
	#notice = new Notice();
	#count = make("p", { class: "message", with: { role: "status", hidden: true } });
	#submit = button("export-records.make", () => {}, { kind: "primary", type: "submit" });
	#bar = make("progress", { class: "host-progress", label: "export-records.fetching", with: { hidden: true } });
	#progress = new Progress();
	#code = new CodeField();
	#recipient = new Field("export-records.recipient", make("input", { with: { type: "file", accept: ".pem,.crt,.cer" } }), { hint: "export-records.recipient-hint" });
	#numbers = make("input", { with: { type: "checkbox" } });
	/** @type {Choices | null} */
	#purpose = null;
	/** @type {Choices | null} */
	#class = null;
	/* Counts up with each choice, so that a count that comes late is dropped. */
	#turn = 0;
	/* The file that is being made; 0: none. */
	#current = 0;
	element = make("section", { class: "export-page" });

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
		const [rules, client] = await Promise.all([Rules.of(vault), showRecord(vault, this.#client)]);
		this.#purpose = new Choices("export-records.purpose", "radio", rules.purposes.map(({ id }) => ({ value: id, says: () => rules.purposeText(id) })),
			{ hint: "export-records.purpose-hint" });
		this.#class = new Choices("export-records.class", "radio", [{ value: 0, says: () => t("export-records.all"), checked: true },
			...rules.classes.map(({ id }) => ({ value: id, says: () => rules.classText(id) }))]);
		const form = make("form", { class: "vault-form", with: { novalidate: true, autocomplete: "off" } }, this.#notice.element,
			part("export-records.what", this.#purpose.element, this.#class.element,
				make("label", { class: "check" }, this.#numbers, make("span", {}, make("span", { t: "export-records.numbers" }),
					make("span", { class: "small", t: "export-records.numbers-hint" }))), this.#count),
			part("export-records.to", this.#recipient.element, this.#code.element, hint("alert", () => t("export-records.logged"))), this.#progress.element, this.#bar,
			make("div", { class: "form-actions" }, this.#submit));
		form.addEventListener("change", (event) => {
			if (event.target !== this.#recipient.input && event.target !== this.#code.input)
				void this.#recount();
		});
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#make();
		});
		this.element.replaceChildren(trail([{ href: hashOf("client", client.id), text: () => nameText(client) }]), pageHead("export-records.title"),
			make("p", { class: "menu-greeting", says: () => t("export-records.intro", { name: nameText(client) }) }), form);
	}

	leave() {
		this.#turn++;
		if (this.#current)
			void this.#desk.vault.ask("export drop", { export: this.#current }).catch(() => {});
		this.#current = 0;
	}

	/** What is wanted, or null: the purpose is not chosen yet. */
	#wish() {
		const purpose = Number(this.#purpose?.values[0] ?? 0);
		return purpose ? given({ client: this.#client, class: Number(this.#class?.values[0] ?? 0), purpose, ...(this.#numbers.checked ? { numbers: true } : {}) }) : null;
	}

	async #recount() {
		const turn = ++this.#turn;
		const wish = this.#wish();
		if (!wish)
			return;
		try {
			const { rows, left_out, numbers } = await this.#desk.vault.ask("export count", wish);
			if (turn !== this.#turn)
				return;
			says(this.#count, () => t(Number(left_out) > 0 ? "export-records.count-part" : "export-records.count",
				{ n: formatCount(Number(rows)), left: formatCount(Number(left_out)), numbers: formatCount(Number(numbers)) }));
			this.#count.hidden = false;
			this.#submit.disabled = Number(rows) === 0;
		} catch (error) {
			if (turn === this.#turn)
				this.#desk.failed(error);
		}
	}

	async #make() {
		const wish = this.#wish();
		if (!wish) {
			this.#purpose?.wrong(() => t("reveal.need-purpose"));
			this.#purpose?.first?.focus();
			return;
		}
		const [file] = this.#recipient.input.files ?? [];
		const recipient = file && file.size <= PEM_MAX ? await file.text() : "";
		if (!PEM.test(recipient)) {
			this.#recipient.wrong(() => t(file ? "export-records.no-certificate" : "export-records.need-recipient"));
			this.#recipient.input.focus();
			return;
		}
		const code = this.#code.take();
		if (!code)
			return;
		this.#submit.disabled = true;
		this.#notice.clear();
		try {
			const made = await this.#progress.during(this.#desk.vault, "export make", async () =>
				await this.#desk.vault.ask("export make", { ...wish, recipient, code }));
			await this.#fetch(Number(made.export), Number(made.bytes), String(made.sha256));
			this.#notice.tell(() => t("export-records.done", { n: formatCount(Number(made.rows)) }));
		} catch (error) {
			if (!this.#desk.general(error) && !sayAtField(error, { code: this.#code, recipient: this.#recipient }))
				this.#notice.fail(error);
		} finally {
			this.#submit.disabled = false;
			this.#bar.hidden = true;
			if (!this.#notice.element.hidden)
				this.#notice.element.scrollIntoView({ block: "center" });
		}
	}

	/**
	 * Fetches it piece by piece and lets the browser keep it, if it is whole.
	 * @param {number} number
	 * @param {number} bytes
	 * @param {string} sha256
	 */
	async #fetch(number, bytes, sha256) {
		const { vault } = this.#desk;
		if (!(bytes > 0 && bytes <= BYTES_MAX))
			throw new ApiError("protocol", 200);
		const turn = ++this.#turn;
		this.#current = number;
		const whole = new Uint8Array(bytes);
		this.#bar.max = bytes;
		this.#bar.value = 0;
		this.#bar.hidden = false;
		for (let offset = 0, next = 0; offset < bytes; offset = next) {
			const answer = await vault.ask("export next", { export: number, offset });
			const piece = fromBase64(String(answer.data));
			/* Left meanwhile. */
			if (turn !== this.#turn)
				throw new ApiError("protocol", 200);
			next = Number(answer.next) || bytes;
			if (!piece || piece.length === 0 || offset + piece.length !== next)
				throw new ApiError("protocol", 200);
			whole.set(piece, offset);
			this.#bar.value = next;
		}
		if (await sha256Of(whole) !== sha256)
			throw new ApiError("protocol", 200);
		saveFile(`${t("export-records.file")}-${new Date().toISOString().slice(0, 10)}.cms`, new Blob([whole], { type: "application/pkcs7-mime" }));
		this.#current = 0;
		await vault.ask("export drop", { export: number });
	}
}
