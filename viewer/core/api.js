/*
 * The gateway's HTTP interface (docs/protocol.md §1).
 */

/** @typedef {{office: string, version: string}} Office */
/**
 * @typedef {object} Me
 * @property {string} account
 * @property {string} full_name
 * @property {"staff" | "admin" | "auditor"} role
 * @property {string} device
 * @property {number} device_until seconds since 1970
 * @property {number} login_until seconds since 1970
 * @property {string} office
 * @property {string} zone of the office, in which all times are shown (IANA name)
 * @property {boolean} locked the password is needed again before a PC can be opened
 * @property {boolean} device_renew the device's certificate ends soon
 * @property {number} device_renew_from seconds since 1970, when it can be renewed
 * @property {number} auditors_end seconds since 1970, when nobody's own certificate opens recordings any more; 0: not soon
 * @property {{what: string, since: number}[]} [vault] what is wrong with the vault, for administrators and auditors; since: seconds since 1970, 0: now
 * @property {"" | "use" | "manage"} [records] what the person has to do with the vault's records
 * @property {"no" | "optional" | "required"} ask_client whether opening a PC says for whom and what for
 */
/**
 * @typedef {object} Host
 * @property {number} id
 * @property {string} name
 * @property {"rdp" | "vnc"} protocol
 * @property {"reachable" | "asleep" | "unreachable" | "unknown" | "waking"} state
 * @property {"no" | "me" | "other"} in_use
 * @property {string} [session]
 * @property {boolean} can_wake
 * @property {boolean} view_only
 * @property {boolean} needs_login
 */
/**
 * @typedef {object} SessionInfo
 * @property {string} id 32 hex digits
 * @property {number} host
 * @property {string} host_name
 * @property {string} state code of session_state
 * @property {string} reason code of end_reason
 * @property {number} started seconds since 1970
 * @property {number} until seconds since 1970, 0 for no end
 * @property {boolean} view_only
 * @property {string} ended_by who ended it, for reason administrator; else ""
 * @property {string} ended_words why, in that one's words
 */
/** @typedef {{user: string, password: string, domain: string}} Credentials */
/**
 * @typedef {object} OpenRequest
 * @property {number} host
 * @property {number} width device pixels
 * @property {number} height
 * @property {"ja" | "us"} layout
 * @property {Credentials} [credentials]
 * @property {boolean} [keep]
 * @property {string} [client] for whom and what for
 */

/**
 * The recording of a session. Times in milliseconds since 1970.
 * @typedef {object} RecordingInfo
 * @property {string} id of the session, 32 hex digits
 * @property {string} person account
 * @property {string} full_name
 * @property {string} pc
 * @property {string} device
 * @property {string} address
 * @property {number} started
 * @property {number | null} ended null: the session goes on
 * @property {number} seconds
 * @property {number} size bytes
 * @property {"open" | "ended" | "cut" | "lost" | "disposed"} state
 * @property {boolean} hold it must not be disposed of
 */
/**
 * What an auditor noted: at, microseconds since the recording began; created and withdrawn in milliseconds since 1970;
 * text is empty once it was withdrawn.
 * @typedef {{id: number, at: number, text: string, author: string, mine: boolean, created: number, withdrawn: number | null}} Note
 */
/** @typedef {{recordings: RecordingInfo[], next: number | null}} RecordingPage next: to go on with, null at the end */

/**
 * A session that goes on.
 * @typedef {object} LiveInfo
 * @property {string} id 32 hex digits
 * @property {string} person account
 * @property {string} full_name
 * @property {string} pc
 * @property {string} device
 * @property {string} address
 * @property {number} started seconds since 1970
 * @property {string} state code of session_state
 * @property {{account: string, full_name: string}[]} watchers
 */
/** watch: 0 may not look on, 1 may, 2 and may ask to take over. @typedef {{sessions: LiveInfo[], more: boolean, watch: number}} LiveList */
/** @typedef {{id: number, name: string, kind: string, until: number, fingerprint: string}} AuditorInfo until: seconds since 1970 */
/**
 * @typedef {object} ExportOrder
 * @property {string} purpose 4 to 256 characters
 * @property {string} code six digits
 * @property {string} recipient the number of an auditor's certificate, or PEM of one
 * @property {"ja" | "en"} language of the watermark
 * @property {number} from microseconds since the recording began
 * @property {number} to 0: its end
 */

/** @typedef {{file: string, password: string, until: number}} Renewed file: PKCS#12 in base64 */
/** @typedef {{checkpoint: string, consistency: string[], key: string}} AuditCheckpoint base64 in consistency */
/** @typedef {"look" | "order"} Way what an administrator asks for only reads, or changes something */

/* Opening a session may wait for a PC; everything else is quick. */
const TIMEOUT_MS = 30000;
/* As long as the gateway waits for the vault. */
const LONG_MS = 15 * 60 * 1000;

/** An answer that is not the wished-for one; code is from docs/protocol.md or "network". */
export class ApiError extends Error {
	/**
	 * @param {string} code
	 * @param {number} status 0 when no answer came
	 * @param {{retry_s?: unknown, field?: unknown, message?: unknown, message_ja?: unknown}} [details]
	 */
	constructor(code, status, details = {}) {
		super(code);
		this.name = "ApiError";
		this.code = code;
		this.status = status;
		this.retryS = typeof details.retry_s === "number" ? Math.max(0, Math.ceil(details.retry_s)) : 0;
		this.field = typeof details.field === "string" ? details.field : "";
		/* What exactly is wrong, when the gateway says it; "" otherwise. */
		this.words = {
			en: typeof details.message === "string" ? details.message : "",
			ja: typeof details.message_ja === "string" ? details.message_ja : "",
		};
	}
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} id */
function sessionPath(id) {
	if (!/^[0-9a-f]{32}$/.test(id))
		throw new ApiError("not-found", 404);
	return `/api/sessions/${id}`;
}

/** @param {string} id of the session */
function recordingPath(id) {
	return sessionPath(id).replace("sessions", "recordings");
}

/** @param {string} id of the session */
function livePath(id) {
	return sessionPath(id).replace("sessions", "live");
}

export class Api {
	#base;
	#fetch;

	/**
	 * @param {string} base the gateway's origin
	 * @param {typeof fetch} [fetcher]
	 */
	constructor(base = location.origin, fetcher = (input, init) => fetch(input, init)) {
		this.#base = base;
		this.#fetch = fetcher;
	}

	/**
	 * @param {"GET" | "POST" | "DELETE"} method
	 * @param {string} path
	 * @param {object} [body]
	 * @param {number} [timeout]
	 * @returns {Promise<Record<string, unknown>>}
	 */
	async #call(method, path, body, timeout = TIMEOUT_MS) {
		/** @type {RequestInit} */
		const init = { method, cache: "no-store", credentials: "same-origin", redirect: "error",
			signal: AbortSignal.timeout(timeout) };
		if (method !== "GET") {
			init.headers = { "Content-Type": "application/json" };
			init.body = JSON.stringify(body ?? {});
		}
		let answer;
		try {
			answer = await this.#fetch(this.#base + path, init);
		} catch {
			throw new ApiError("network", 0);
		}
		/** @type {unknown} */
		let json;
		try {
			json = await answer.json();
		} catch {
			json = null;
		}
		if (!isObject(json))
			throw new ApiError(answer.ok ? "protocol" : "internal", answer.status);
		if (!answer.ok)
			throw new ApiError(typeof json.error === "string" ? json.error : "internal", answer.status, json);
		return json;
	}

	/**
	 * @param {string} path
	 * @param {string} key
	 * @returns {Promise<unknown[]>}
	 */
	async #list(path, key) {
		const list = (await this.#call("GET", path))[key];
		if (!Array.isArray(list))
			throw new ApiError("protocol", 200);
		return list;
	}

	/** @returns {Promise<Office>} */
	async office() {
		return /** @type {Office} */ (await this.#call("GET", "/api/office"));
	}

	/**
	 * @param {string} account
	 * @param {string} password
	 */
	async login(account, password) {
		await this.#call("POST", "/api/login", { account, password });
	}

	/**
	 * @param {string} code six digits
	 * @returns {Promise<Me>}
	 */
	async totp(code) {
		return /** @type {Me} */ (/** @type {unknown} */ (await this.#call("POST", "/api/login/totp", { code })));
	}

	async logout() {
		await this.#call("POST", "/api/logout");
	}

	/** @returns {Promise<Me>} */
	async me() {
		return /** @type {Me} */ (/** @type {unknown} */ (await this.#call("GET", "/api/me")));
	}

	/** @returns {Promise<Host[]>} */
	async hosts() {
		return /** @type {Host[]} */ (await this.#list("/api/hosts", "hosts"));
	}

	/** @param {number} host */
	async wake(host) {
		await this.#call("POST", `/api/hosts/${host}/wake`);
	}

	/** @returns {Promise<SessionInfo[]>} */
	async sessions() {
		return /** @type {SessionInfo[]} */ (await this.#list("/api/sessions", "sessions"));
	}

	/**
	 * @param {OpenRequest} request
	 * @returns {Promise<SessionInfo>}
	 */
	async open(request) {
		return /** @type {SessionInfo} */ (/** @type {unknown} */ (
			await this.#call("POST", "/api/sessions", request)));
	}

	/**
	 * @param {string} id
	 * @returns {Promise<SessionInfo>}
	 */
	async session(id) {
		return /** @type {SessionInfo} */ (/** @type {unknown} */ (await this.#call("GET", sessionPath(id))));
	}

	/** @param {string} id */
	async end(id) {
		await this.#call("DELETE", sessionPath(id));
	}

	/**
	 * @param {string} id
	 * @param {string} password
	 * @returns {Promise<SessionInfo>}
	 */
	async unlock(id, password) {
		return /** @type {SessionInfo} */ (/** @type {unknown} */ (
			await this.#call("POST", `${sessionPath(id)}/unlock`, { password })));
	}

	/**
	 * Unlocks the login, when no session is at hand to unlock.
	 * @param {string} password
	 */
	async unlockLogin(password) {
		await this.#call("POST", "/api/unlock", { password });
	}

	/**
	 * A new key and certificate for this device; the old certificate is good until the new one is used.
	 * @param {boolean} compatible in older encryption, for devices that refuse AES
	 * @returns {Promise<Renewed>}
	 */
	async renewDevice(compatible) {
		const { file, password, until } = await this.#call("POST", "/api/device/renew", { compatible });
		if (typeof file !== "string" || typeof password !== "string" || typeof until !== "number")
			throw new ApiError("protocol", 200);
		return { file, password, until };
	}

	/**
	 * What was recorded, the newest first; for auditors.
	 * @param {number | null} [before] where the page before ended
	 * @returns {Promise<RecordingPage>}
	 */
	async recordings(before = null) {
		const { recordings, next } = await this.#call("GET", `/api/recordings${before === null ? "" : `?before=${before}`}`);
		if (!Array.isArray(recordings) || (next !== null && typeof next !== "number"))
			throw new ApiError("protocol", 200);
		return { recordings, next };
	}

	/**
	 * Asks for a recording, with the reason for looking at it. It must be played within a minute.
	 * @param {string} id of the session
	 * @param {string} purpose 4 to 256 characters
	 * @param {string} code six digits
	 */
	async openRecording(id, purpose, code) {
		await this.#call("POST", `${recordingPath(id)}/open`, { purpose, code });
	}

	/**
	 * The address of an opened recording; good for one connection.
	 * @param {string} id of the session
	 */
	playUrl(id) {
		return this.#base.replace(/^http/, "ws") + `${recordingPath(id)}/stream`;
	}

	/**
	 * The notes of a recording that is open.
	 * @param {string} id of the session
	 * @returns {Promise<Note[]>}
	 */
	async notes(id) {
		return /** @type {Note[]} */ (await this.#list(`${recordingPath(id)}/notes`, "notes"));
	}

	/**
	 * @param {string} id of the session
	 * @param {number} at microseconds since the recording began
	 * @param {string} text 1 to 400 characters
	 * @returns {Promise<Note>}
	 */
	async addNote(id, at, text) {
		return /** @type {Note} */ (/** @type {unknown} */ (
			await this.#call("POST", `${recordingPath(id)}/notes`, { at, text })));
	}

	/**
	 * Takes back a note of one's own.
	 * @param {string} id of the session
	 * @param {number} note
	 */
	async withdrawNote(id, note) {
		await this.#call("POST", `${recordingPath(id)}/notes/withdraw`, { note });
	}

	/**
	 * Sessions that go on; for administrators and auditors.
	 * @returns {Promise<LiveList>}
	 */
	async live() {
		const { sessions, more, watch } = await this.#call("GET", "/api/live");
		if (!Array.isArray(sessions) || typeof watch !== "number")
			throw new ApiError("protocol", 200);
		return { sessions, more: more === true, watch };
	}

	/**
	 * Asks to look on at a session, with the reason. Its stream must be opened within a minute.
	 * @param {string} id
	 * @param {string} purpose 4 to 256 characters
	 * @param {string} code six digits
	 */
	async watch(id, purpose, code) {
		await this.#call("POST", `${livePath(id)}/watch`, { purpose, code });
	}

	/**
	 * Ends somebody's session.
	 * @param {string} id
	 * @param {string} reason 4 to 256 characters, which the person reads
	 */
	async endLive(id, reason) {
		await this.#call("POST", `${livePath(id)}/end`, { reason });
	}

	/**
	 * The address of what one who looks on sees; good for one connection.
	 * @param {string} id
	 */
	watchUrl(id) {
		return this.#base.replace(/^http/, "ws") + `${livePath(id)}/stream`;
	}

	/**
	 * To whom an export can be encrypted.
	 * @returns {Promise<AuditorInfo[]>}
	 */
	async auditors() {
		return /** @type {AuditorInfo[]} */ (await this.#list("/api/auditors", "auditors"));
	}

	/**
	 * Orders a video of a recording. Its stream must be opened within a minute.
	 * @param {string} id of the session
	 * @param {ExportOrder} order
	 */
	async exportRecording(id, order) {
		await this.#call("POST", `${recordingPath(id)}/export`, order);
	}

	/**
	 * The address of the stream of an ordered export; good for one connection.
	 * @param {string} id of the session
	 */
	exportUrl(id) {
		return this.#base.replace(/^http/, "ws") + `${recordingPath(id)}/export/stream`;
	}

	/**
	 * The audit log's last checkpoint, and a proof that it has grown from old entries (docs/audit.md).
	 * @param {number} old
	 * @returns {Promise<AuditCheckpoint>} all of it empty: nothing was signed yet
	 */
	async auditCheckpoint(old) {
		const { checkpoint, consistency, key } =
			await this.#call("GET", `/api/audit/checkpoint${old > 0 ? `/${old}` : ""}`);
		if (typeof checkpoint !== "string" || typeof key !== "string" || !Array.isArray(consistency) ||
			!consistency.every((hash) => typeof hash === "string"))
			throw new ApiError("protocol", 200);
		return { checkpoint, consistency, key };
	}

	/**
	 * Says that this browser does not believe the audit log, or goes on with it all the same.
	 * @param {string} kind code of audit_alarm
	 * @param {number} kept size of what it knew
	 * @param {number} shown size of what it was shown
	 */
	async auditAlarm(kind, kept, shown) {
		await this.#call("POST", "/api/audit/alarm", { kind, kept, shown });
	}

	/**
	 * What the audit console asks (core/audit.js).
	 * @param {"GET" | "POST" | "DELETE"} method
	 * @param {string} path
	 * @param {object} [values]
	 */
	async audit(method, path, values) {
		return await this.#call(method, `/api/audit/${path}`, values);
	}

	/**
	 * What is asked of the vault's records (core/vault.js).
	 * @param {string} words "record list"
	 * @param {object} values
	 * @param {boolean} [long] whether it may take minutes
	 */
	async vault(words, values, long = false) {
		return await this.#call("POST", `/api/vault/${words.replaceAll(" ", "-")}`, values, long ? LONG_MS : TIMEOUT_MS);
	}

	/**
	 * What administrators may ask and order (docs/protocol.md §3).
	 * @param {Way} way
	 * @param {string} command "device list"
	 * @param {object} [values]
	 */
	async admin(way, command, values) {
		return await this.#call(way === "look" ? "GET" : "POST", `/api/admin/${command.replace(" ", "/")}`, values);
	}

	/** @param {string} path of a document's stream */
	documentUrl(path) {
		if (!/^\/api\/vault\/streams\/[0-9a-f]{32}$/.test(path))
			throw new ApiError("protocol", 200);
		return this.#base.replace(/^http/, "ws") + path;
	}

	/**
	 * @param {string} id
	 * @param {number} monitor 0 for the session's first window, 1 for another one
	 */
	streamUrl(id, monitor) {
		return this.#base.replace(/^http/, "ws") + `${sessionPath(id)}/stream${monitor > 0 ? `/${monitor}` : ""}`;
	}
}
