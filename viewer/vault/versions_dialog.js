/*
 * What a record said before: its versions, of which one at a time is shown. Looking at one is in the history, too.
 */
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { factList } from "./page_parts.js";
import { People } from "./people.js";
import { fieldLabel } from "./rules.js";
import { Table } from "./table.js";
import { nameText } from "./words.js";

/** @typedef {{version: number, made: number, made_by: number}} Version */

/**
 * @param {import("./desk.js").Desk} desk
 * @param {import("./record.js").RecordInfo} record
 * @param {import("./rules.js").Rules} rules
 */
export async function showVersions(desk, record, rules) {
	const [rows, people] = await Promise.all([desk.vault.rows("record versions", { record: record.id }), People.of(desk)]);
	const table = new Table("versions.title", ["documents.version", "documents.made", "documents.do"]);
	const place = make("div");
	const labels = new Map(rules.fields(record.kind).map((field) => [field.key, fieldLabel(field)]));
	const dialog = new FormDialog({ title: "versions.title", about: () => nameText(record), submit: "app.close", wide: true, run: async () => true,
		general: (error) => desk.general(error) }, table.element, place);
	const show = async (/** @type {number} */ version) => {
		try {
			const { name, kana, fields } = await desk.vault.ask("record version", { record: record.id, version });
			const values = Object.entries(/** @type {Record<string, string>} */ (fields));
			place.replaceChildren(make("h2", { class: "part-subtitle", says: () => t("versions.one", { version }) }),
				factList([{ label: "records.name", value: String(name) }, { label: "entry.kana", value: String(kana) },
					...values.map(([key, value]) => ({ label: () => labels.get(key) ?? key, value }))]));
		} catch (error) {
			if (desk.general(error))
				dialog.close();
			else
				dialog.notice.fail(error);
		}
	};
	table.clear();
	for (const { version, made, made_by } of /** @type {Version[]} */ (rows))
		table.add([String(version), [make("span", { says: () => formatDayTime(made) }), make("span", { class: "small", says: () => people.text(made_by) })],
			button("versions.show", () => void show(version), { kind: "small", named: () => t("versions.one", { version }) })]);
	dialog.open();
}
