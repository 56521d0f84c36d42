/*
 * A document as pictures of its pages, which the gateway has drawn with a watermark: the file itself does not come.
 */
import { DocumentError, getDocument } from "../core/document_stream.js";
import { t, textOf } from "../portal/i18n.js";
import { button, freshId, make, says } from "./build.js";
import { Notice } from "./notice.js";

/* When an office file is likely, which LibreOffice has to open first. */
const LONG_MS = 3000;

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
	let page = 1, pages = 1, url = "", busy = false;
	const close = () => {
		watch.abort();
		URL.revokeObjectURL(url);
		picture.removeAttribute("src");
		dialog.close();
		dialog.remove();
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
			const answer = await desk.vault.ask("document preview", { document: id, version, page: wanted });
			const content = await getDocument(desk.vault.streamUrl(String(answer.stream)), { signal: watch.signal, moved: () => {}, page: (at) => {
				pages = at.pages;
			} });
			page = wanted;
			URL.revokeObjectURL(url);
			url = URL.createObjectURL(new Blob([content], { type: "image/png" }));
			picture.src = url;
			picture.hidden = false;
			says(at, () => t("documents.page", { page, pages }));
		} catch (error) {
			if (error instanceof DocumentError)
				notice.warn(() => textOf("document-end.", error.code, "document-end.failed"));
			else if (desk.general(error))
				close();
			else
				notice.fail(error);
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
	dialog.showModal();
	void show(1);
}
