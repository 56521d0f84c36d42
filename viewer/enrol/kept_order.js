/*
 * What a tab remembers of a request that waits for approval, so that the page can be reloaded: the request and where
 * its key lies, for one invitation. No secret is in it. Without storage it has to be pasted again.
 */

/** @typedef {import("./api.js").Enrolment} Enrolment */
/** @typedef {import("./api.js").Order} Order */

const KEY = "sekisho.enrol";

/** @param {Enrolment} enrolment */
function invitation({ account, device, expires }) {
	return JSON.stringify([account, device, expires]);
}

/**
 * @param {Enrolment} enrolment
 * @param {Order} order
 */
export function keepOrder(enrolment, order) {
	try {
		if (order.kind === "request")
			sessionStorage.setItem(KEY, JSON.stringify({ invitation: invitation(enrolment), order }));
	} catch {
		/* storage is switched off or full */
	}
}

/**
 * @param {Enrolment} enrolment
 * @returns {Order | undefined}
 */
export function keptOrder(enrolment) {
	try {
		const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
		return kept?.invitation === invitation(enrolment) ? kept.order : undefined;
	} catch {
		return undefined;
	}
}

export function forgetOrder() {
	try {
		sessionStorage.removeItem(KEY);
	} catch {
		/* as above */
	}
}
