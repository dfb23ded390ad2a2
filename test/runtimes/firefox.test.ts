import { launchFirefox } from "../browser/firefox.js";
import { scripted } from "../browser/scripted.js";
import { browserSuite } from "./browser-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

browserSuite("Firefox", scripted(launchFirefox), { inWorkers: BRIEFLY });
