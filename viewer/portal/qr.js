/*
 * A QR code as SVG, from the matrix that the gateway made.
 */

const SVG = "http://www.w3.org/2000/svg";
/* ISO/IEC 18004: at most version 40, and a quiet zone of four modules. */
const SIZE_MAX = 177;
const QUIET = 4;

/**
 * The dark modules as a path: each run in a row is one rectangle.
 * @param {string[]} rows of 0 and 1
 */
export function qrPath(rows) {
	let path = "";
	rows.forEach((row, y) => {
		for (const run of row.matchAll(/1+/g))
			path += `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`;
	});
	return path;
}

/**
 * @param {string[]} rows of 0 and 1
 * @returns {SVGElement}
 */
export function qrImage(rows) {
	const size = rows.length;
	const valid = size > 0 && size <= SIZE_MAX && rows.every((row) => row.length === size && /^[01]+$/.test(row));
	const svg = /** @type {SVGElement} */ (document.createElementNS(SVG, "svg"));
	const box = size + 2 * QUIET;
	svg.setAttribute("viewBox", `${-QUIET} ${-QUIET} ${box} ${box}`);
	svg.setAttribute("shape-rendering", "crispEdges");
	const path = document.createElementNS(SVG, "path");
	path.setAttribute("d", valid ? qrPath(rows) : "");
	svg.append(path);
	return svg;
}
