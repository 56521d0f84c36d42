/*
 * Enters the number of a record, or another one in its place: typed twice.
 */
import { t } from "../portal/i18n.js";
import { make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { NumberEntry } from "./number_entry.js";
import { CLIENT, nameText, PAYEE } from "./words.js";

/**
 * @param {import("./desk.js").Desk} desk
 * @param {{id: number, name: string, kind: number}} record
 * @param {import("./build.js").Key} done what is said then
 */
export function enterNumber(desk, record, done) {
	const entry = new NumberEntry(record.kind === CLIENT || record.kind === PAYEE ? "either" : "personal");
	new FormDialog({ title: "number.title", about: () => t("number.about", { name: nameText(record) }), submit: "number.submit", wide: true,
		fields: entry.fields, general: (error) => desk.general(error), run: async () => {
			const typed = entry.value();
			if (!typed)
				return false;
			await desk.vault.ask("record number set", { record: record.id, ...typed });
			desk.tell(() => t(done));
			desk.again();
			return true;
		} }, make("p", { class: "message", t: "number.next" }), entry.element).open(entry.first);
}
