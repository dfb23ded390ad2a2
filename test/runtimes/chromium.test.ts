import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { scripted } from "@/test/fixtures/browsers/scripted-page.js";
import { browserSuite } from "./browser-suite.js";

browserSuite("Chromium", scripted(launchChromium));
