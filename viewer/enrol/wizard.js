/*
 * The page's steps and the way from one to the next. The code lives here and nowhere else; of a request that waits,
 * the tab keeps the request, which is no secret, since the gateway wants to see the very same again.
 */
import { EnrolError } from "./api.js";
import { ChooseStep } from "./choose_step.js";
import { CODE_LENGTH, codeFromFragment } from "./code.js";
import { CodeStep } from "./code_step.js";
import { EndStep } from "./end_step.js";
import { announce, byId, setText } from "./portal/dom.js";
import { formatDate, formatMoment, onLanguage, t } from "./portal/i18n.js";
import { forgetOrder, keepOrder, keptOrder } from "./kept_order.js";
import { ResultStep } from "./result_step.js";
import { WaitStep } from "./wait_step.js";

/** @typedef {import("./api.js").Enrolment} Enrolment */
/** @typedef {import("./api.js").Order} Order */
/** @typedef {"code" | "choose" | "wait" | "result" | "end"} Step */

/* In their order; where a code ends is none of them. */
const STEPS = /** @type {const} */ (["code", "choose", "wait", "result"]);

export class Wizard {
	#api;
	#code = "";
	/** @type {Order | undefined} */
	#order;
	/** @type {Enrolment | undefined} */
	#enrolment;
	/** @type {Step} */
	#step = "code";
	#codeStep = new CodeStep((code) => this.#look(code));
	#chooseStep = new ChooseStep((order) => this.#ask(order));
	#waitStep = new WaitStep(() => void this.#askAgain());
	#resultStep = new ResultStep();
	#endStep = new EndStep(() => this.#restart());

	/** @param {import("./api.js").EnrolApi} api */
	constructor(api) {
		this.#api = api;
		byId("other-code").addEventListener("click", () => this.#restart());
		window.addEventListener("hashchange", () => this.#takeFragment());
		window.addEventListener("pagehide", () => this.#wipe());
		/* A page that comes back from the browser's cache has nothing left to show. */
		window.addEventListener("pageshow", (event) => {
			if (event.persisted)
				location.reload();
		});
		onLanguage(() => this.#showWho());
	}

	start() {
		if (!this.#takeFragment())
			this.#codeStep.focus();
	}

	/** Takes a code off the address bar, so that it stays in no history. */
	#takeFragment() {
		const code = codeFromFragment(location.hash);
		if (code === null)
			return false;
		history.replaceState(null, "", location.pathname + location.search);
		/* What is under way with another code is not thrown away by a link. */
		if (this.#step === "end")
			this.#restart();
		else if (this.#step !== "code")
			return false;
		this.#codeStep.fill(code);
		if (code.length === CODE_LENGTH)
			void this.#codeStep.submit();
		return true;
	}

	/** @param {string} code */
	async #look(code) {
		let enrolment;
		try {
			enrolment = await this.#api.look(code);
		} catch (error) {
			this.#codeStep.trouble.fail(error);
			this.#codeStep.focus();
			return;
		}
		this.#code = code;
		this.#codeStep.trouble.clear();
		this.#codeStep.clear();
		this.#know(enrolment);
		const kept = enrolment.kind === "request" ? keptOrder(enrolment) : undefined;
		this.#chooseStep.start(code, enrolment.kind);
		this.#go("choose");
		if (kept)
			await this.#ask(kept);
	}

	/**
	 * @param {Order} order
	 * @returns {Promise<boolean>} false: it failed, and may be tried again
	 */
	async #ask(order) {
		try {
			this.#answered(await this.#api.ask(this.#code, order), order);
			return true;
		} catch (error) {
			if (error instanceof EnrolError && error.ends)
				this.#end(error);
			else
				this.#chooseStep.trouble.fail(error);
			return !(error instanceof EnrolError && error.passes);
		}
	}

	async #askAgain() {
		const order = this.#order;
		if (!order)
			return;
		try {
			this.#answered(await this.#api.ask(this.#code, order), order);
		} catch (error) {
			if (this.#step !== "wait")
				return;
			if (error instanceof EnrolError && !error.passes)
				this.#end(error);
			else
				this.#waitStep.fail(error);
		}
	}

	/**
	 * @param {Enrolment} enrolment
	 * @param {Order} order
	 */
	#answered(enrolment, order) {
		/* Left meanwhile. */
		if (!this.#code)
			return;
		this.#know(enrolment);
		if (enrolment.file || enrolment.certificate) {
			this.#finish(enrolment, order);
			return;
		}
		this.#order = order;
		keepOrder(enrolment, order);
		this.#waitStep.wait({ ...enrolment, kind: order.kind });
		if (this.#step !== "wait")
			this.#go("wait");
	}

	/**
	 * @param {Enrolment} enrolment
	 * @param {Order} order
	 */
	#finish(enrolment, order) {
		this.#waitStep.stop();
		this.#chooseStep.wipe();
		this.#code = "";
		this.#order = undefined;
		forgetOrder();
		this.#resultStep.start(enrolment, order);
		this.#go("result");
	}

	/** @param {EnrolError} error after which the code is good for nothing */
	#end(error) {
		this.#drop();
		forgetOrder();
		this.#endStep.start(error);
		this.#go("end");
	}

	/** Forgets the code and what was asked for with it. */
	#drop() {
		this.#waitStep.stop();
		this.#chooseStep.wipe();
		this.#codeStep.trouble.clear();
		this.#codeStep.clear();
		this.#code = "";
		this.#order = undefined;
	}

	#restart() {
		this.#drop();
		this.#endStep.clear();
		this.#enrolment = undefined;
		this.#showWho();
		this.#go("code");
		this.#codeStep.focus();
	}

	#wipe() {
		this.#waitStep.stop();
		this.#chooseStep.wipe();
		this.#codeStep.clear();
		this.#resultStep.wipe();
		this.#code = "";
		this.#order = undefined;
	}

	/** @param {Enrolment} enrolment */
	#know({ person, device, office, expires, ...rest }) {
		/* Without the secrets, which belong to the last step alone. */
		this.#enrolment = { person, device, office, expires, account: rest.account, state: rest.state,
			kind: rest.kind, gateway: rest.gateway, until: rest.until };
		this.#showWho();
	}

	#showWho() {
		const enrolment = this.#enrolment;
		byId("who").hidden = !enrolment;
		setText(byId("who-person"), enrolment ? `${enrolment.person} (${enrolment.account})` : "");
		setText(byId("who-device"), enrolment?.device ?? "");
		const issued = enrolment?.until;
		setText(byId("who-until-label"), t(issued ? "enrol.certificate-until" : "enrol.until"));
		setText(byId("who-until"), issued ? formatDate(issued) : enrolment ? formatMoment(enrolment.expires) : "");
	}

	/** @param {Step} step */
	#go(step) {
		this.#step = step;
		document.body.dataset.step = step;
		byId("other-code").hidden = step === "result" || step === "end";
		byId("stages").toggleAttribute("data-failed", step === "end");
		for (const name of [...STEPS, /** @type {const} */ ("end")])
			byId(`step-${name}`).hidden = name !== step;
		if (step !== "end")
			this.#showStage(step);
		if (step !== "code")
			this.#arrive(step);
	}

	/** @param {typeof STEPS[number]} step */
	#showStage(step) {
		for (const name of STEPS) {
			const stage = document.querySelector(`[data-stage="${name}"]`);
			stage?.toggleAttribute("data-done", STEPS.indexOf(name) < STEPS.indexOf(step));
			if (name === step)
				stage?.setAttribute("aria-current", "step");
			else
				stage?.removeAttribute("aria-current");
		}
	}

	/** @param {Step} step */
	#arrive(step) {
		byId(`${step}-title`).focus();
		window.scrollTo(0, 0);
		announce(byId(`${step}-title`).textContent ?? "");
	}
}
