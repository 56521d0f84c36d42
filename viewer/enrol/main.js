/*
 * The enrolment page: from the code on a sheet of paper to a certificate in the browser. The build puts the few
 * shared files below enrol/, since the enrolment port offers nothing else.
 */
import { EnrolApi } from "./api.js";
import { startCopyButtons } from "./copy.js";
import { startFingerprint } from "./fingerprint.js";
import { byId } from "./portal/dom.js";
import { onLanguage, startLanguage, t } from "./portal/i18n.js";
import { Wizard } from "./wizard.js";

const api = new EnrolApi();
const wizard = new Wizard(api);

async function showOffice() {
	/* Its name is an ornament here; what does not work shows at the first step. */
	const office = await api.office().catch(() => null);
	if (!office)
		return;
	byId("office").textContent = office.office;
	byId("office").hidden = false;
}

onLanguage(() => {
	document.title = `${t("enrol.title")} – ${t("app.name")}`;
});
startCopyButtons();
startLanguage();
startFingerprint();
wizard.start();
void showOffice();
