/*
 * What each of the vault's pages is given, and what it must have.
 */

/**
 * @typedef {object} Desk
 * @property {import("../core/vault.js").Vault} vault
 * @property {import("../core/api.js").Me} me
 * @property {boolean} manages whether the person approves and manages (MA), not uses (MU)
 * @property {(hash: string) => void} go to another page
 * @property {() => void} again shows this page anew
 * @property {(error: unknown) => void} failed says what went wrong, or shows what concerns all pages
 * @property {(text: () => string) => void} warn says what went wrong, in words
 * @property {(text: () => string) => void} tell says what was done, also on the page that comes next
 * @property {(error: unknown) => boolean} general whether it concerns all pages, and is shown
 */
/**
 * @typedef {object} Page
 * @property {HTMLElement} element
 * @property {() => Promise<void>} start
 * @property {() => void} [leave] forgets what must not stay
 * @property {(command: import("./shortcuts.js").Command) => boolean} [command] a key; whether it was used
 */
/** @typedef {new (desk: Desk, place: import("./places.js").Place) => Page} PageClass */

export {};
