/*
 * The sheet of paper for somebody who is invited. It holds the code, which is kept nowhere else: whatever leads
 * away from the sheet wipes it.
 */
import { byId } from "./dom.js";
import { fingerprintText } from "./facts.js";
import { formatDayTime, tIn } from "./i18n.js";
import { qrImage } from "./qr.js";

/** @typedef {import("../core/admin.js").Sheet} Sheet */

const TEXTS = ["office", "person", "account", "device", "until-ja", "until-en", "enrol", "code", "fingerprint",
	"step-5-ja", "step-5-en"];

export class SheetView {
	/** @param {() => void} done */
	constructor(done) {
		byId("sheet-print").addEventListener("click", () => print());
		byId("sheet-done").addEventListener("click", () => done());
		/* Also the copy that browsers keep to go back to. */
		addEventListener("pagehide", () => this.clear());
	}

	/** @param {Sheet} sheet */
	show(sheet) {
		/** @type {Record<string, string>} */
		const texts = {
			office: sheet.office,
			person: sheet.person,
			account: `${tIn("ja", "sheet.account", { account: sheet.account })} / ` +
				tIn("en", "sheet.account", { account: sheet.account }),
			device: sheet.device,
			"until-ja": formatDayTime(sheet.expires, "ja"),
			"until-en": formatDayTime(sheet.expires, "en"),
			enrol: sheet.enrol,
			code: sheet.code,
			fingerprint: fingerprintText(sheet.fingerprint),
			"step-5-ja": tIn("ja", "sheet.step-5", { gateway: sheet.gateway }),
			"step-5-en": tIn("en", "sheet.step-5", { gateway: sheet.gateway }),
		};
		for (const name of TEXTS)
			byId(`sheet-${name}`).textContent = texts[name];
		byId("sheet-qr").replaceChildren(qrImage(sheet.qr));
		scrollTo(0, 0);
		byId("sheet").focus({ preventScroll: true });
	}

	clear() {
		for (const name of TEXTS)
			byId(`sheet-${name}`).textContent = "";
		byId("sheet-qr").replaceChildren();
	}
}
