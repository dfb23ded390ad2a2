import { byCommandLine } from "./command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

const CURRENT_NODE = ".cache/node-26.10.0/node_modules/node/bin/node";

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite("Node 20", scheme, byCommandLine("node 20", [process.execPath]));
  runtimeSuite("a current Node", scheme, byCommandLine("node 26", [CURRENT_NODE]));
}
