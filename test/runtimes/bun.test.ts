import { BUN, byCommandLine } from "@/test/fixtures/runtimes/command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite(scheme, [{ runtime: "Bun", performance: byCommandLine("bun", BUN) }]);
}
