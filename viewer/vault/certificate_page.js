/*
 * The certificate that a record was disposed of, on A4 paper: what it was, whose decision, which key was destroyed, and
 * where the audit log says so. Nothing of the person is left to be on it.
 */
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make, wayButton } from "./build.js";
import { hashOf } from "./places.js";
import { People } from "./people.js";
import { inLanguage } from "./rules.js";
import { dateText, dayBefore, kindText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./build.js").Key} Key */
/** @typedef {{name: string, name_en: string}} Named */
/**
 * @typedef {object} Certificate
 * @property {number} record
 * @property {number} kind
 * @property {number} client
 * @property {Named & {years: number}} class
 * @property {Named[]} purposes
 * @property {number} created
 * @property {string} started
 * @property {string} due
 * @property {boolean} early
 * @property {number} disposed
 * @property {number} asked_by
 * @property {number} approved_by
 * @property {number} versions
 * @property {number} numbers
 * @property {number} documents
 * @property {number} key_destroyed
 * @property {number} counter
 * @property {number} seq
 */

export class CertificatePage {
	#desk;
	#record;
	element = make("section", { class: "certificate-page" });

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#record = place.id;
	}

	async start() {
		const [answer, people] = await Promise.all([this.#desk.vault.ask("certificate show", { record: this.#record }), People.of(this.#desk)]);
		const paper = /** @type {Certificate} */ (/** @type {unknown} */ (answer));
		this.element.replaceChildren(make("div", { class: "certificate-bar" }, wayButton(hashOf("due"), "certificate.back"),
			button("certificate.print", () => print(), { kind: "primary", icon: "print" })), this.#paper(paper, people));
	}

	/**
	 * @param {Certificate} paper
	 * @param {People} people
	 */
	#paper(paper, people) {
		const { record, kind, client, class: kept, purposes, created, started, due, early, disposed, asked_by, approved_by, versions, numbers,
			documents, key_destroyed, counter, seq } = paper;
		/** @type {[Key, () => string][]} */
		const facts = [["certificate.record", () => t("certificate.record-text", { id: record, kind: kindText(kind) })],
			["certificate.client", () => t("certificate.client-text", { id: client })],
			["records.purposes", () => purposes.map(({ name, name_en }) => inLanguage(name, name_en)).join(t("audit.comma"))],
			["records.class", () => t("certificate.class-text", { name: inLanguage(kept.name, kept.name_en), years: kept.years })],
			["certificate.created", () => formatDayTime(created)],
			["certificate.kept", () => (started ? t("certificate.kept-text", { from: dateText(started), to: dateText(dayBefore(due)) }) : t("certificate.never-ended"))],
			["certificate.disposed", () => formatDayTime(disposed)], ["certificate.asked", () => people.name(asked_by)],
			["certificate.approved", () => people.name(approved_by)],
			["certificate.what", () => t("certificate.what-text", { versions, numbers, documents })],
			["certificate.how", () => t("certificate.how-text", { key: key_destroyed })],
			["certificate.log", () => t("certificate.log-text", { seq, counter })]];
		const seal = (/** @type {Key} */ key) => make("div", {}, make("p", { t: key }), make("div", { class: "certificate-seal" }));
		return make("article", { class: "certificate" },
			make("header", {}, make("h1", { t: "certificate.title", with: { tabindex: -1 } }), make("p", { class: "certificate-office" }, this.#desk.me.office)),
			make("p", { t: early ? "certificate.text-early" : "certificate.text" }),
			make("dl", {}, ...facts.map(([key, text]) => make("div", {}, make("dt", { t: key }), make("dd", { says: text })))),
			make("p", { class: "certificate-note", t: "certificate.note" }),
			make("div", { class: "certificate-seals" }, seal("certificate.seal-asked"), seal("certificate.seal-approved"), seal("certificate.seal-head")));
	}
}
