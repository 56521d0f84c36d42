import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { CODE_LENGTH, caretAfter, codeFromFragment, groupCode, readCode } = await load("enrol/code.js");

const CODE = "0123456789ABCDEFGHJKMNPQRSTV";
const GROUPED = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV";

test("a code is read in any form", () => {
	assert.equal(CODE.length, CODE_LENGTH);
	for (const text of [CODE, GROUPED, GROUPED.toLowerCase(), ` ${GROUPED.replaceAll("-", " ")}\r\n`,
		GROUPED.replaceAll("-", "\u2010"), CODE.replace("0", "o").replace("1", "l"), CODE.replace("0", "O").replace("1", "I"),
		CODE.replace(/./g, (c) => String.fromCodePoint(c.codePointAt(0) + 0xfee0)),
		`https://gw.example:8443/#code=${CODE}`, `https://gw.example:8443/#x=1&code=${GROUPED}&y`])
		assert.equal(readCode(text), CODE, text);
});

test("U is no character of a code, and too much is seen as too much", () => {
	assert.equal(readCode("U0u1"), "01");
	assert.equal(readCode(`${CODE}7`).length, CODE_LENGTH + 1);
	assert.equal(readCode(""), "");
});

test("groups of four", () => {
	assert.equal(groupCode(CODE), GROUPED);
	assert.equal(groupCode(""), "");
	assert.equal(groupCode("0123"), "0123");
	assert.equal(groupCode("01234"), "0123-4");
});

test("the caret stands behind the characters that were before it", () => {
	for (let count = 0; count <= CODE_LENGTH; count++)
		assert.equal(readCode(GROUPED.slice(0, caretAfter(count))).length, count);
});

test("the fragment of a link", () => {
	assert.equal(codeFromFragment(`#code=${CODE}`), CODE);
	assert.equal(codeFromFragment(`#code=${GROUPED}`), CODE);
	assert.equal(codeFromFragment("#code="), "");
	assert.equal(codeFromFragment("#enrol-main"), null);
	assert.equal(codeFromFragment("#barcode=1"), null);
	assert.equal(codeFromFragment(""), null);
});
