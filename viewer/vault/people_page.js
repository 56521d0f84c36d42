/*
 * One client: the company or person itself, its employees with those who depend on them, and its payees.
 */
import { knows } from "../core/vault.js";
import { t } from "../portal/i18n.js";
import { make, way, wayButton } from "./build.js";
import { trail } from "./page_parts.js";
import { hashOf } from "./places.js";
import { showRecord } from "./record.js";
import { RecordList } from "./record_list.js";
import { stateTag } from "./record_rows.js";
import { SearchForm } from "./search_form.js";
import { CLIENT, nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/* Levels of rights. */
const EDIT = 2;
const EXPORT = 3;
const PERMISSIONS = 4;

export class PeoplePage {
	#desk;
	#client;
	#people;
	#search;
	#mayAdd = false;
	element = make("section", {}, make("div", { class: "hosts-loading", with: { "aria-hidden": "true" } }, make("div")));

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#client = place.id;
		this.#search = new SearchForm((wish) => void this.#people.show({ ...wish, client: this.#client }), { numbers: !desk.manages, without: CLIENT });
		this.#people = new RecordList(desk, "record list", { withClient: false, empty: "records.no-people" });
	}

	async start() {
		const client = await showRecord(this.#desk.vault, this.#client);
		const { level } = client.rights;
		this.#mayAdd = level >= EDIT && knows("request add");
		this.element.replaceChildren(trail([]), make("div", { class: "devices-head" },
			make("div", {}, make("h1", { says: () => nameText(client), with: { tabindex: -1 } }),
				make("p", { class: "record-under" }, client.kana && make("span", {}, client.kana), stateTag(client),
					way(hashOf("record", client.id), () => t("records.client-own")))),
			make("div", { class: "record-actions" }, (this.#desk.manages || level >= PERMISSIONS) && knows("grant list") && wayButton(hashOf("rights", client.id), "rights.open", { icon: "lock" }),
				level >= EXPORT && knows("export make") && wayButton(hashOf("export", client.id), "records.export"),
				level >= EDIT && knows("import begin") && wayButton(hashOf("import", client.id), "records.import"),
				this.#mayAdd && wayButton(hashOf("new", client.id), "records.new-person", { kind: "primary", icon: "plus" }))),
		this.#search.element, this.#people.element);
		await this.#people.show({ client: this.#client });
	}

	/** @param {import("./shortcuts.js").Command} command */
	command(command) {
		if (command === "search")
			this.#search.focus();
		else if (command === "new" && this.#mayAdd)
			this.#desk.go(hashOf("new", this.#client));
		else
			return false;
		return true;
	}
}
