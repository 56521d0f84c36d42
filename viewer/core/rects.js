/*
 * Rectangles of pixels, as the messages carry them: u16 x, y, width, height.
 */
import { ProtocolError } from "./codec.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

export const RECT_BYTES = 8;

/**
 * @param {DataView} view
 * @param {number} at
 * @returns {Rect}
 */
export function readRect(view, at) {
	return {
		x: view.getUint16(at, true),
		y: view.getUint16(at + 2, true),
		width: view.getUint16(at + 4, true),
		height: view.getUint16(at + 6, true),
	};
}

/**
 * A rectangle is not empty and lies inside the desktop, or what else it is a part of.
 * @param {Rect} rect
 * @param {{width: number, height: number}} desktop
 */
export function checkInside({ x, y, width, height }, desktop) {
	if (width < 1 || height < 1 || x + width > desktop.width || y + height > desktop.height)
		throw new ProtocolError(`rectangle ${width} × ${height} at ${x}, ${y} is not inside the desktop`);
}

/**
 * @param {Rect} a
 * @param {Rect} b
 */
export function overlap(a, b) {
	return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/**
 * What is left of the first without the second: up to four rectangles.
 * @param {Rect} rect
 * @param {Rect} hole
 * @returns {Rect[]}
 */
export function without(rect, hole) {
	if (!overlap(rect, hole))
		return [rect];
	const right = rect.x + rect.width;
	const bottom = rect.y + rect.height;
	const top = Math.max(rect.y, hole.y);
	const end = Math.min(bottom, hole.y + hole.height);
	const left = Math.max(rect.x, hole.x);
	const edge = Math.min(right, hole.x + hole.width);
	return [
		{ x: rect.x, y: rect.y, width: rect.width, height: top - rect.y },
		{ x: rect.x, y: top, width: left - rect.x, height: end - top },
		{ x: edge, y: top, width: right - edge, height: end - top },
		{ x: rect.x, y: end, width: rect.width, height: bottom - end },
	].filter(({ width, height }) => width > 0 && height > 0);
}
