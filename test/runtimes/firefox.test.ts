import { launchFirefox } from "@/test/fixtures/browsers/firefox.js";
import { scripted } from "@/test/fixtures/browsers/scripted-page.js";
import { browserSuite } from "./browser-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

browserSuite("Firefox", scripted(launchFirefox), { inWorkers: BRIEFLY, rabbitMq: "4" });
