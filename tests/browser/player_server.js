/*
 * For test_player.js: the portal as the gateway serves it, with an auditor who is logged in, a list of recordings, and
 * behind the player's WebSocket (vault_socket.js) whatever the test says.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css", ".svg": "image/svg+xml" };
const viewer = join(process.env.SEKISHO_BUILD, "share", "viewer");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const socket = readFileSync(join(here, "vault_socket.js"));

export const GREEN = { verdict: 1, detail: JSON.stringify({ fault: "none", first: 0, last: 0, proven: 9, chunks: 9 }) };

export function recordingOf(number, more = {}) {
	return { id: String(number).padStart(32, "0"), person: "sato", full_name: "佐藤 花子", pc: "経理PC", device: "自宅ノート",
		address: "203.0.113.7", started: 1790000000000 - number * 5400000, ended: 1790003600000 - number * 5400000, seconds: 3600,
		size: 400000000, state: "ended", hold: false, ...more };
}

export class PlayerServer {
	/** What the gateway answers. */
	me = { account: "ishida", full_name: "石田 監査", role: "auditor", device: "auditor-laptop", device_until: 1799990000,
		login_until: 1790090000, office: "石田税理士事務所", zone: "Asia/Tokyo", locked: false, device_renew: false, device_renew_from: 0 };
	pages = new Map([["", { recordings: [recordingOf(0)], next: null }]]);
	open = () => ({ status: 200, body: {} });
	/** Bodies of the openings that were asked for. */
	asked = [];
	/** Of all recordings. @type {import("../../viewer/core/api.js").Note[]} */
	notes = [];
	/** What the vault says; errors: of chunks. */
	vault = { ...GREEN, errors: {} };

	/** @param {import("./hour.js").Hour} hour */
	constructor(hour) {
		this.hour = hour;
		this.server = createServer((request, response) => void this.#answer(request, response));
	}

	async start() {
		await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
		this.url = `http://127.0.0.1:${this.server.address().port}/`;
	}

	async #answer(request, response) {
		const { pathname, search } = new URL(request.url, this.url);
		if (pathname.startsWith("/api/")) {
			const chunks = [];
			for await (const chunk of request)
				chunks.push(chunk);
			const { status, body } = this.#api(request.method, pathname, search, Buffer.concat(chunks).toString());
			response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
			return;
		}
		if (pathname.startsWith("/recording/")) {
			response.end(this.#vault(pathname.slice(11)));
			return;
		}
		/* The policy of gateway/edge/response.c for what it serves. */
		response.setHeader("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
			"img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'");
		try {
			const [body, type] = this.#file(pathname, search);
			response.writeHead(200, { "Content-Type": type }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	}

	#file(pathname, search) {
		if (pathname === "/")
			return [readFileSync(join(viewer, "portal", "index.html")), "text/html; charset=utf-8"];
		if (pathname === "/player/worker.js" && search === "")
			return ['import "/socket.js";\nimport "/player/worker.js?own";\n', TYPES[".js"]];
		if (pathname === "/socket.js")
			return [socket, TYPES[".js"]];
		return [readFileSync(join(viewer, pathname)), TYPES[extname(pathname)] ?? "text/plain"];
	}

	#api(method, pathname, search, text) {
		if (pathname === "/api/office")
			return { status: 200, body: { office: this.me.office, version: "test" } };
		if (pathname === "/api/me")
			return { status: 200, body: this.me };
		if (pathname === "/api/recordings")
			return { status: 200, body: this.pages.get(search) };
		if (method === "POST" && pathname.endsWith("/open")) {
			const body = JSON.parse(text);
			this.asked.push({ id: pathname.split("/")[3], ...body });
			return this.open(body);
		}
		if (/\/notes(\/withdraw)?$/.test(pathname))
			return this.#note(method, pathname, text);
		return { status: 404, body: { error: "not-found" } };
	}

	#note(method, pathname, text) {
		if (method === "GET")
			return { status: 200, body: { notes: this.notes } };
		const body = JSON.parse(text);
		if (pathname.endsWith("/withdraw")) {
			this.notes = this.notes.map((one) => (one.id === body.note ? { ...one, text: "", withdrawn: 1 } : one));
			return { status: 200, body: {} };
		}
		const note = { id: this.notes.length + 1, ...body, author: this.me.full_name, mine: true, created: 1790000000000, withdrawn: null };
		this.notes.push(note);
		return { status: 201, body: note };
	}

	#vault(what) {
		const { hour } = this;
		if (what === "table")
			return hour.table;
		if (what === "minutes")
			return hour.minutes;
		return JSON.stringify({ session: Array(16).fill(0), chunks: hour.count, meta: hour.meta, places: hour.places, ...this.vault });
	}
}
