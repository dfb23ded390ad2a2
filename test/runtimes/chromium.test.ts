import { launchChromium } from "../browser/chromium.js";
import { scripted } from "../browser/scripted.js";
import { browserSuite } from "./browser-suite.js";

browserSuite("Chromium", scripted(launchChromium));
