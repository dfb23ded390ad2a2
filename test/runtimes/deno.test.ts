import { byCommandLine } from "./command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

/** It may reach the network, and nothing else. */
const DENO = ["node_modules/deno/deno", "run", "--no-prompt", "--allow-net"] as const;

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite("Deno", scheme, byCommandLine("deno", DENO));
}
