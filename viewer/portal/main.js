import { App } from "./app.js";
import { startReveals } from "./dom.js";
import { startLanguage } from "./i18n.js";

startReveals();
const app = new App();
startLanguage();
void app.start();
