/*
 * Lists of names and values, and hexadecimal digits as people compare them.
 */

/** @typedef {{label: string, value: string, mono?: boolean}} Fact */

/**
 * @param {HTMLElement} list a dl
 * @param {Fact[]} facts those without a value are left out
 */
export function showFacts(list, facts) {
	const shown = facts.filter(({ value }) => value !== "");
	const now = JSON.stringify(shown);
	/* The same again would take away what somebody has selected in it. */
	if (list.dataset.facts === now)
		return;
	list.dataset.facts = now;
	list.replaceChildren(...shown.map(({ label, value, mono }) => {
		const row = document.createElement("div");
		const name = document.createElement("dt");
		const text = document.createElement("dd");
		name.textContent = label;
		text.textContent = value;
		text.classList.toggle("mono", mono === true);
		row.append(name, text);
		return row;
	}));
}

/**
 * Pairs of digits, eight in a line, as on the sheet of paper and in the terminal.
 * @param {string} digits hexadecimal
 */
export function fingerprintText(digits) {
	const pairs = digits.toUpperCase().match(/../g) ?? [];
	const lines = [];
	for (let at = 0; at < pairs.length; at += 8)
		lines.push(pairs.slice(at, at + 8).join(" "));
	return lines.join("\n");
}
