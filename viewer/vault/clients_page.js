/*
 * Where everybody begins: the office's clients, and the search over all records.
 */
import { knows } from "../core/vault.js";
import { button, make, wayButton } from "./build.js";
import { hashOf } from "./places.js";
import { RecordList } from "./record_list.js";
import { SearchForm } from "./search_form.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../core/vault.js").Wish} Wish */

export class ClientsPage {
	#desk;
	#clients;
	#found;
	#search;
	#back = button("records.search-end", () => this.#end(), { kind: "quiet" });
	#heading = make("h2", { class: "part-title", with: { "aria-live": "polite" } });
	element;

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
		this.#search = new SearchForm((wish) => void this.#look(wish), { numbers: !desk.manages });
		this.#clients = new RecordList(desk, "client list", { withClient: false, empty: desk.manages ? "records.no-clients-manage" : "records.no-clients" });
		this.#found = new RecordList(desk, "record list", { withClient: true, empty: "records.none-found" });
		this.element = make("section", {}, make("div", { class: "devices-head" },
			make("div", {}, make("h1", { t: "records.title", with: { tabindex: -1 } }),
				make("p", { class: "menu-greeting", t: desk.manages ? "records.intro-manage" : "records.intro-use" })),
			this.#mayAdd && wayButton(hashOf("new", 0, "client"), "records.new-client", { kind: "primary", icon: "plus" })),
		this.#search.element, make("div", { class: "vault-bar" }, this.#heading, this.#back), this.#found.element, this.#clients.element);
		this.#title("records.clients");
	}

	async start() {
		await this.#clients.show({});
	}

	/** @param {import("./shortcuts.js").Command} command */
	command(command) {
		if (command === "search")
			this.#search.focus();
		else if (command === "new" && this.#mayAdd)
			this.#desk.go(hashOf("new", 0, "client"));
		else
			return false;
		return true;
	}

	get #mayAdd() {
		return this.#desk.manages && knows("client add");
	}

	/** @param {"records.clients" | "records.found"} key */
	#title(key) {
		this.#heading.replaceChildren(make("span", { t: key }));
		this.#back.hidden = key === "records.clients";
		this.#clients.element.hidden = key === "records.found";
		this.#found.element.hidden = key === "records.clients";
	}

	/** @param {Wish} wish */
	async #look(wish) {
		if (!wish.text && !wish.number && !wish.kind && !wish.state && !wish.removed) {
			this.#end();
			return;
		}
		this.#title("records.found");
		await this.#found.show(wish);
	}

	#end() {
		this.#search.reset();
		this.#found.clear();
		this.#title("records.clients");
		this.#search.focus();
	}
}
