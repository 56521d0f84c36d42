/*
 * What there is to know about a device, and what can be done with it.
 */
import { byId, setText } from "./dom.js";
import { showFacts, fingerprintText } from "./facts.js";
import { formatDay, formatDayTime, onLanguage, t, textOf } from "./i18n.js";
import { People } from "./people.js";

/** @typedef {import("../core/admin.js").Device} Device */
/** @typedef {"revoke" | "retire" | "unlock" | "share" | "unshare"} Deed */

/** @type {Record<Deed, string>} */
const ICONS = { unlock: "lock", share: "plus", unshare: "unplug", retire: "device", revoke: "power" };

/**
 * @param {Device} device
 * @returns {Deed[]}
 */
function deedsFor(device) {
	/** @type {Deed[]} */
	const deeds = [];
	if (device.state === "locked")
		deeds.push("unlock");
	if (device.state !== "revoked" && device.state !== "retired") {
		deeds.push("share");
		if (People.split(device.owners).length > 1)
			deeds.push("unshare");
		deeds.push("revoke");
	}
	if (device.state !== "retired")
		deeds.push("retire");
	return deeds;
}

export class DeviceDialog {
	#dialog = /** @type {HTMLDialogElement} */ (byId("device"));
	#people;
	#chosen;
	/** @type {Device | null} */
	#device = null;

	/**
	 * @param {People} people
	 * @param {(deed: Deed, device: Device) => void} chosen
	 */
	constructor(people, chosen) {
		this.#people = people;
		this.#chosen = chosen;
		byId("device-close").addEventListener("click", () => this.#dialog.close());
		onLanguage(() => this.#show());
	}

	/** @param {Device} device */
	open(device) {
		this.#device = device;
		this.#show();
		this.#dialog.showModal();
	}

	close() {
		this.#dialog.close();
		this.#device = null;
	}

	#show() {
		const device = this.#device;
		if (!device)
			return;
		setText(byId("device-title"), device.name);
		showFacts(byId("device-facts"), [
			{ label: t("inventory.state"), value: textOf("device-state.", device.state, "device-state.unknown") },
			{ label: t("inventory.owners"), value: People.split(device.owners)
				.map((name) => this.#people.text(name)).join("\n") },
			{ label: t("inventory.key"), value: [device.key,
				textOf("key-place.", device.place, "key-place.unknown")].join("\n") },
			{ label: t("inventory.until"), value: formatDay(device.until) },
			{ label: t("inventory.seen"), value: device.seen ? formatDayTime(device.seen) : t("inventory.never") },
			{ label: t("device.address"), value: device.address, mono: true },
			{ label: t("device.serial"), value: fingerprintText(device.serial), mono: true },
			{ label: t("device.retired"), value: device.retired ? formatDayTime(device.retired) : "" },
			{ label: t("device.disposal"), value: device.disposal && textOf("disposal.", device.disposal,
				"invitation.unknown") },
			{ label: t("device.remark"), value: device.remark },
		]);
		byId("device-choices").replaceChildren(...deedsFor(device).map((deed) => this.#choice(deed, device)));
	}

	/**
	 * @param {Deed} deed
	 * @param {Device} device
	 */
	#choice(deed, device) {
		const template = /** @type {HTMLTemplateElement} */ (byId("device-choice"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		const button = /** @type {HTMLButtonElement} */ (copy.querySelector("button"));
		button.id = `device-${deed}`;
		button.classList.toggle("choice-bad", deed === "revoke" || deed === "retire");
		button.querySelector("use")?.setAttribute("href", `#i-${ICONS[deed]}`);
		setText(/** @type {Element} */ (button.querySelector("b")), t(`device.${deed}`));
		setText(/** @type {Element} */ (button.querySelector("span > span")), t(`device.${deed}-text`));
		button.addEventListener("click", () => {
			this.#dialog.close();
			this.#chosen(deed, device);
		});
		return button;
	}
}
