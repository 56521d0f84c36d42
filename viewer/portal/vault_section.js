/*
 * For administrators, on the page of devices: whether the vault is open, what opens it, and a button that closes it at
 * once. Opening it needs a passphrase or sheets, which are for the gateway's own terminal.
 */
import { byId, setText } from "./dom.js";
import { showFacts } from "./facts.js";
import { formatDayTime, onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/admin.js").VaultPart} Part */

const OPENERS = /** @type {const} */ (["passphrase", "sheets", "machine", "token"]);
const STATES = /** @type {const} */ (["empty", "sealed", "unsealed"]);

export class VaultSection {
	#button = /** @type {HTMLButtonElement} */ (byId("vault-seal"));
	/** @type {Part[] | null} */
	#parts = null;

	/** @param {() => void} seal asks first */
	constructor(seal) {
		this.#button.addEventListener("click", seal);
		onLanguage(() => this.#show());
	}

	/** @param {Part[] | null} parts null: the vault does not answer */
	set(parts) {
		this.#parts = parts;
		this.#show();
	}

	#show() {
		const parts = this.#parts;
		const state = STATES.find((known) => known === parts?.find(({ part }) => part === "house-key")?.state);
		setText(byId("vault-state"), t(`vault.${state ?? "silent"}`));
		this.#button.hidden = state !== "unsealed";
		showFacts(byId("vault-openers"), OPENERS.flatMap((name) => {
			const found = parts?.find(({ part }) => part === name);
			return found ? [{ label: t(`vault.by-${name}`),
				value: found.made ? t("vault.since", { time: formatDayTime(found.made) }) : t("vault.none") }] : [];
		}));
	}
}
