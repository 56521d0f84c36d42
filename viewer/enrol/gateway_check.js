/*
 * Whether this browser gets through to the gateway: only with a certificate that it trusts and one of its own does
 * the gateway's port answer anything at all.
 */
import { byId, setText } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";
import { isFirefox } from "./commands.js";

const EVERY_MS = 4000;
const TIMES = 15;
/* The gateway gives a handshake no more time than this: what takes longer is a person at a dialog. */
const HANDSHAKE_MS = 10000;

export class GatewayCheck {
	#button = /** @type {HTMLButtonElement} */ (byId("check-now"));
	#gateway = "";
	/** @type {"idle" | "asking" | "bad" | "good"} */
	#state = "idle";
	#automatic = true;
	/* The page lost the focus since it asked: to the browser's dialog for certificates. */
	#covered = false;
	#left = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	constructor() {
		this.#button.addEventListener("click", () => {
			this.#automatic = true;
			this.#left = TIMES;
			void this.#ask(true);
		});
		window.addEventListener("focus", () => this.#returned());
		window.addEventListener("blur", () => {
			this.#covered = true;
		});
		document.addEventListener("visibilitychange", () => {
			if (document.visibilityState === "visible")
				this.#returned();
		});
		onLanguage(() => this.#show());
	}

	/** @param {string} gateway its address */
	start(gateway) {
		this.#gateway = gateway;
		const link = /** @type {HTMLAnchorElement} */ (byId("gateway"));
		link.href = gateway;
		this.#show();
	}

	stop() {
		clearTimeout(this.#timer);
		this.#gateway = "";
	}

	/* The person comes back, perhaps from importing. */
	#returned() {
		if (!this.#gateway || !this.#automatic || this.#state === "good")
			return;
		this.#left = TIMES;
		void this.#ask(false);
	}

	/** @param {boolean} wished by the person, who then wants to see an answer */
	async #ask(wished) {
		if (!this.#gateway || this.#state === "asking")
			return;
		const before = this.#state;
		const began = performance.now();
		clearTimeout(this.#timer);
		this.#left--;
		this.#state = "asking";
		this.#covered = false;
		if (wished)
			this.#show();
		const good = await this.#reaches();
		/* A dialog that a person sent away: they are not asked again until they press the button. A refusal
		 * alone, however slow, leaves the focus where it was. */
		if (!good && (this.#covered || performance.now() - began > HANDSHAKE_MS))
			this.#automatic = false;
		this.#state = good ? "good" : wished || before === "bad" ? "bad" : "idle";
		this.#show();
		if (good) {
			byId("gateway").focus();
			return;
		}
		if (this.#automatic && this.#left > 0)
			this.#timer = setTimeout(() => {
				if (document.hasFocus())
					void this.#ask(false);
			}, EVERY_MS);
	}

	async #reaches() {
		try {
			await fetch(new URL("api/office", this.#gateway), { mode: "no-cors", credentials: "include",
				cache: "no-store" });
			return true;
		} catch {
			return false;
		}
	}

	#show() {
		const state = this.#state;
		byId("check-good").hidden = state !== "good";
		byId("check-missing").hidden = state !== "bad";
		this.#button.hidden = state === "good";
		this.#button.disabled = state === "asking";
		setText(byId("check-bad"), state === "bad" ? t("enrol.check-bad") : state === "asking" ?
			t("enrol.check-asking") : state === "good" ? "" : t("enrol.check-text"));
		setText(byId("missing-restart"), t(isFirefox() ? "enrol.missing-restart-firefox" :
			"enrol.missing-restart"));
	}
}
