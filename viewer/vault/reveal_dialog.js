/*
 * Asks what a number is needed for, and for a new code: both go into the audit log before the number leaves the vault.
 */
import { ApiError } from "../core/api.js";
import { t } from "../portal/i18n.js";
import { FormDialog } from "./dialog.js";
import { Choices, CodeField } from "./fields.js";
import { make } from "./build.js";
import { nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./record.js").RecordInfo} RecordInfo */

/**
 * @param {Desk} desk
 * @param {RecordInfo} record
 * @param {import("./rules.js").Rules} rules
 * @param {(number: string, until: number) => void} shown
 */
export function askReveal(desk, record, rules, shown) {
	const purposes = record.purposes.map((id) => ({ value: id, says: () => rules.purposeText(id), checked: record.purposes.length === 1 }));
	const purpose = new Choices("reveal.purpose", "radio", purposes, { hint: "reveal.purpose-hint" });
	const code = new CodeField();
	const dialog = new FormDialog({ title: "reveal.title", about: () => t("reveal.about", { name: nameText(record) }), submit: "reveal.submit",
		fields: { code, purpose }, general: (error) => desk.general(error), run: async () => {
			const [chosen] = purpose.values;
			if (!chosen) {
				purpose.wrong(() => t("reveal.need-purpose"));
				purpose.first?.focus();
				return false;
			}
			const digits = code.take();
			if (!digits)
				return false;
			const { number, until } = await desk.vault.ask("record reveal", { record: record.id, purpose: Number(chosen), code: digits });
			if (typeof number !== "string" || !/^[0-9]{12,13}$/.test(number))
				throw new ApiError("protocol", 200);
			/* Meanwhile the page may have been left, the login locked. */
			const here = dialog.element.isConnected;
			/* The focus goes back first, and then to what hides the number. */
			dialog.close();
			if (here)
				shown(number, Number(until));
			return true;
		} }, make("p", { class: "message", t: "reveal.logged" }), purpose.element, code.element);
	dialog.open(record.purposes.length === 1 ? code.input : purpose.first);
}
