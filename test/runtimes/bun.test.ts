import { byCommandLine } from "./command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

/** Without our tsconfig.json, which leads to the sources: a user has none that does. */
const BUN = ["node_modules/.bin/bun", "--tsconfig-override=/dev/null"] as const;

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite("Bun", scheme, byCommandLine("bun", BUN));
}
