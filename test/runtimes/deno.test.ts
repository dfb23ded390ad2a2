import { byCommandLine, DENO } from "@/test/fixtures/runtimes/command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite(scheme, [{ runtime: "Deno", performance: byCommandLine("deno", DENO) }]);
}
