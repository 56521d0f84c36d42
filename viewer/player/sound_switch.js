/*
 * The switch for a recording's sound: there when the recording has some, off until it is pressed.
 */
import { Sound, soundCodecs } from "../core/audio.js";
import { byId } from "../portal/dom.js";
import { t } from "../portal/i18n.js";

/** @typedef {import("./sounds.js").SoundPacket} SoundPacket */

export class SoundSwitch {
	#button = /** @type {HTMLButtonElement} */ (byId("player-sound"));
	/** @type {Sound | null} */
	#sound = null;
	#audible = false;
	/* Counts the recordings, so that a late answer about the browser is not for another one. */
	#turn = 0;

	/** @param {() => void} changed */
	constructor(changed) {
		this.#button.addEventListener("click", () => {
			this.toggle();
			changed();
		});
	}

	/** For another recording, of which nothing is known yet. */
	async open() {
		this.close();
		const turn = this.#turn;
		const codecs = await soundCodecs();
		if (turn !== this.#turn)
			return;
		this.#sound = new Sound(codecs !== 0, () => this.show());
		this.#sound.allow(this.#audible);
	}

	/** It has sound. */
	audible() {
		this.#audible = true;
		this.#sound?.allow(true);
	}

	toggle() {
		const sound = this.#sound;
		if (sound && this.#audible)
			void sound.set(sound.state !== "on");
	}

	/**
	 * @param {SoundPacket[]} packets
	 * @param {boolean} anew they do not follow those before
	 */
	take(packets, anew) {
		if (anew)
			this.#sound?.restart();
		for (const { sequence, packet } of packets)
			this.#sound?.take(sequence, packet);
	}

	show() {
		const state = this.#sound?.state ?? "none";
		const title = t(state === "unsupported" ? "player.no-sound" : "player.sound");
		this.#button.hidden = state === "none";
		this.#button.disabled = state === "unsupported";
		this.#button.setAttribute("aria-pressed", String(state === "on"));
		this.#button.setAttribute("aria-label", title);
		this.#button.title = title;
		this.#button.querySelector("use")?.setAttribute("href", state === "on" ? "#i-sound" : "#i-muted");
	}

	close() {
		this.#turn++;
		this.#audible = false;
		this.#sound?.close();
		this.#sound = null;
		this.show();
	}
}
