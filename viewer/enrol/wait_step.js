/*
 * The third step: an administrator decides. The gateway is asked again and again, with the same request.
 */
import { EnrolError } from "./api.js";
import { byId, setText } from "./portal/dom.js";
import { formatDuration, onLanguage, t } from "./portal/i18n.js";
import { Trouble } from "./trouble.js";

const RETRY_MIN_S = 2;
const RETRY_MAX_S = 60;
const RETRY_USUAL_S = 5;

export class WaitStep {
	#trouble = new Trouble(byId("wait-error"));
	#button = /** @type {HTMLButtonElement} */ (byId("wait-now"));
	#ask;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	/** @type {"file" | "request" | undefined} */
	#kind;
	#office = "";
	#asking = false;
	#askedAt = 0;

	/** @param {() => void} ask asks the gateway once more; wait(), fail() or stop() follows */
	constructor(ask) {
		this.#ask = ask;
		this.#button.addEventListener("click", () => this.#now());
		document.addEventListener("visibilitychange", () => {
			if (document.visibilityState === "visible" && this.#kind)
				this.#now();
		});
		setInterval(() => this.#showState(), 1000);
		onLanguage(() => this.#show());
	}

	/** @param {import("./api.js").Enrolment} enrolment that waits */
	wait(enrolment) {
		this.#kind = enrolment.kind === "request" ? "request" : "file";
		this.#office = enrolment.office;
		this.#trouble.clear();
		this.#answered(enrolment.retry_s ?? RETRY_USUAL_S);
	}

	/** @param {unknown} error one that passes */
	fail(error) {
		this.#trouble.fail(error);
		this.#answered((error instanceof EnrolError && error.retryS) || RETRY_USUAL_S);
	}

	stop() {
		clearTimeout(this.#timer);
		this.#kind = undefined;
		this.#asking = false;
	}

	/** @param {number} retry seconds */
	#answered(retry) {
		clearTimeout(this.#timer);
		this.#asking = false;
		this.#askedAt = Date.now();
		this.#timer = setTimeout(() => this.#now(), Math.min(RETRY_MAX_S, Math.max(RETRY_MIN_S, retry)) * 1000);
		this.#show();
	}

	#now() {
		if (this.#asking)
			return;
		clearTimeout(this.#timer);
		this.#asking = true;
		this.#showState();
		this.#ask();
	}

	#show() {
		setText(byId("wait-text"), this.#kind ? t("enrol.wait-text", { office: this.#office }) : "");
		setText(byId("wait-close"), this.#kind ? t(`enrol.wait-close-${this.#kind}`) : "");
		this.#showState();
	}

	#showState() {
		if (!this.#kind)
			return;
		setText(byId("wait-state"), this.#asking ? t("enrol.wait-asking") :
			t("enrol.wait-state", { ago: formatDuration(Math.round((Date.now() - this.#askedAt) / 1000)) }));
	}
}
