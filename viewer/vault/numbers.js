/*
 * Personal and Corporate Numbers as people type and read them, and their check digits. The vault checks again.
 */

/** What a typed number is: whole and right, or what is wrong with it. @typedef {"empty" | "short" | "long" | "letters" | "check" | "right"} Verdict */

const PERSONAL = 12;
const CORPORATE = 13;
/* What people write between the groups, also as input methods give it. */
const BETWEEN = /[\s\u002d\u2010-\u2015\u2212\u30fc\uff0d]/g;

/**
 * The digits without what stands between them; input methods give full-width ones.
 * @param {string} text
 */
export function plainNumber(text) {
	return text.normalize("NFKC").replace(BETWEEN, "");
}

/**
 * Article 5 of the ordinance no. 85 of the Ministry of Internal Affairs of 2014: 11 minus the remainder by 11 of the sum
 * of the digits, each times its weight; 0 where the remainder is at most 1. The check digit stands last.
 * @param {string} digits the first eleven
 */
export function personalCheck(digits) {
	let sum = 0;
	for (let n = 1; n <= PERSONAL - 1; n++)
		sum += Number(digits[PERSONAL - 1 - n]) * (n <= 6 ? n + 1 : n - 5);
	return sum % 11 <= 1 ? 0 : 11 - sum % 11;
}

/**
 * Article 2 of the ordinance no. 70 of the Ministry of Finance of 2014: 9 minus the remainder by 9 of the sum of the
 * digits, every second one twice. The check digit stands first.
 * @param {string} digits the last twelve
 */
export function corporateCheck(digits) {
	let sum = 0;
	for (let n = 1; n <= CORPORATE - 1; n++)
		sum += Number(digits[CORPORATE - 1 - n]) * (n % 2 === 0 ? 2 : 1);
	return 9 - sum % 9;
}

/**
 * @param {string} text as typed
 * @param {boolean} corporate whether 13 digits may be meant as well as 12
 * @returns {Verdict}
 */
export function verdictOf(text, corporate) {
	const digits = plainNumber(text);
	if (digits === "")
		return "empty";
	if (/[^0-9]/.test(digits))
		return "letters";
	if (digits.length < PERSONAL)
		return "short";
	if (digits.length > (corporate ? CORPORATE : PERSONAL))
		return "long";
	return isRight(digits) ? "right" : "check";
}

/** @param {string} digits twelve or thirteen */
export function isRight(digits) {
	return digits.length === PERSONAL ? Number(digits[PERSONAL - 1]) === personalCheck(digits.slice(0, -1)) :
		digits.length === CORPORATE && Number(digits[0]) === corporateCheck(digits.slice(1));
}

/**
 * Whether somebody has typed a whole number where a name belongs.
 * @param {string} text
 */
export function isNumber(text) {
	const digits = plainNumber(text);
	return /^[0-9]{12,13}$/.test(digits);
}

/**
 * In the groups in which the card and the notice show it.
 * @param {string} digits
 */
export function groupedNumber(digits) {
	return digits.length === CORPORATE ? `${digits[0]} ${groups(digits.slice(1))}` : groups(digits);
}

/** @param {string} digits */
function groups(digits) {
	return (digits.match(/.{1,4}/g) ?? []).join(" ");
}
