/*
 * What a recording has between the time that is shown and the next one.
 */

/** @typedef {import("../core/messages.js").ToViewer} ToViewer */

/** A key or text as it was recorded. @typedef {{timeUs: number, keysym: number, down: boolean, text: string}} Stroke */

/** All that lies between a time and the one before it. */
export class Batch {
	/** @type {ToViewer["frame"][]} */
	frames = [];
	/** @type {Stroke[]} */
	strokes = [];
	/** Only what is played as fast as it was. @type {import("./sounds.js").SoundPacket[]} */
	sounds = [];
	/** Something in it cannot be read. */
	damaged = false;
	/** Until a keyframe comes, no frame can be used. */
	needsKey;

	/** @param {boolean} needsKey */
	constructor(needsKey) {
		this.needsKey = needsKey;
	}

	/** What comes next builds on something that is not there. */
	damage() {
		this.damaged ||= !this.needsKey;
		this.needsKey = true;
	}

	/** It does not end with the picture as it was. */
	get isBroken() {
		return this.damaged && this.needsKey;
	}
}
