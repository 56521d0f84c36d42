/*
 * A document as pictures of its pages, which the gateway has drawn with a watermark: the file itself does not come.
 */
import { ApiError } from "../core/api.js";
import { DocumentError } from "../core/document_stream.js";
import { PreviewStream } from "../core/preview_stream.js";
import { t, textOf } from "../portal/i18n.js";
import { button, freshId, make, says } from "./build.js";
import { openDialogs } from "./dialog.js";
import { Notice } from "./notice.js";

/* When an office file is likely, which LibreOffice has to open first. */
const LONG_MS = 3000;
/* What may happen to a stream in time: the next page opens another one. */
const AGAIN = ["time", "lost", "limits"];
/* After these, of a stream and of asking for another one, nothing more may be seen. */
const OVER = ["ended", "sealed", "denied", "not-found", "state"];

/**
 * @param {import("./desk.js").Desk} desk
 * @param {{id: number, name: string, version: number}} document
 */
export function askPreview(desk, { id, name, version }) {
	const title = freshId();
	const notice = new Notice();
	const picture = make("img", { class: "preview-page", named: () => t("documents.page-of", { name }), with: { hidden: true } });
	const loading = make("p", { class: "none", with: { role: "status" } });
	const at = make("span", { with: { role: "status" } });
	const watch = new AbortController();
	/** @type {PreviewStream | null} */
	let stream = null;
	let page = 1, pages = 1, url = "", busy = false;
	const forget = () => {
		URL.revokeObjectURL(url);
		picture.removeAttribute("src");
		picture.hidden = true;
	};
	const close = () => {
		openDialogs.delete(shown);
		watch.abort();
		forget();
		dialog.close();
		dialog.remove();
	};
	const shown = { close };
	const warn = (/** @type {string} */ code) => {
		if (OVER.includes(code))
			forget();
		notice.warn(() => textOf("document-end.", code, "document-end.failed"));
	};
	const ended = (/** @type {unknown} */ error) => {
		stream = null;
		if (error instanceof DocumentError && OVER.includes(error.code))
			warn(error.code);
	};
	const open = async () => {
		const answer = await desk.vault.ask("document preview", { document: id, version });
		return new PreviewStream(desk.vault.streamUrl(String(answer.stream)), watch.signal, ended);
	};
	const fetched = async (/** @type {number} */ wanted) => {
		try {
			if (stream)
				return await stream.page(wanted);
		} catch (error) {
			if (!(error instanceof DocumentError && AGAIN.includes(error.code)))
				throw error;
		}
		stream = await open();
		return await stream.page(wanted);
	};
	const back = button("documents.page-back", () => void show(page - 1), { kind: "small" });
	const on = button("documents.page-on", () => void show(page + 1), { kind: "small" });
	const show = async (/** @type {number} */ wanted) => {
		if (busy || wanted < 1 || wanted > pages)
			return;
		busy = back.disabled = on.disabled = true;
		loading.hidden = false;
		says(loading, () => t("documents.drawing"));
		const long = setTimeout(() => says(loading, () => t("documents.drawing-long")), LONG_MS);
		notice.clear();
		try {
			const got = await fetched(wanted);
			({ pages } = got);
			page = wanted;
			URL.revokeObjectURL(url);
			url = URL.createObjectURL(new Blob([got.picture], { type: "image/png" }));
			picture.src = url;
			picture.hidden = false;
			says(at, () => t("documents.page", { page, pages }));
		} catch (error) {
			stream = null;
			if (error instanceof DocumentError)
				warn(error.code);
			else if (desk.general(error))
				close();
			else {
				if (error instanceof ApiError && OVER.includes(error.code))
					forget();
				notice.fail(error);
			}
		} finally {
			busy = false;
			clearTimeout(long);
			loading.hidden = true;
			back.disabled = page <= 1;
			on.disabled = page >= pages;
		}
	};
	const dialog = make("dialog", { class: "dialog vault-dialog preview-dialog", on: { close, keydown: (/** @type {KeyboardEvent} */ event) => {
		if (event.key === "ArrowLeft" || event.key === "PageUp")
			void show(page - 1);
		else if (event.key === "ArrowRight" || event.key === "PageDown")
			void show(page + 1);
	} }, with: { "aria-labelledby": title } }, make("h1", { with: { id: title, tabindex: -1, autofocus: true } }, name), notice.element, loading, picture,
	make("div", { class: "dialog-actions" }, back, at, on, button("app.close", close, { kind: "primary" })));
	document.body.append(dialog);
	openDialogs.add(shown);
	dialog.showModal();
	void show(1);
}
