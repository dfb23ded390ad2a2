import { WebKit } from "@/test/fixtures/browsers/webkit.js";
import { browserSuite } from "./browser-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

browserSuite("WebKitGTK", WebKit.launch, { inWorkers: BRIEFLY });
