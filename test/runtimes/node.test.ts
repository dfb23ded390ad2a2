import { currentNode } from "@/test/fixtures/processes/current-node.js";
import { byCommandLine } from "@/test/fixtures/runtimes/command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

const NODES = { "Node 20": process.execPath, "a current Node": currentNode() };

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite(
    scheme,
    Object.entries(NODES).map(([runtime, path]) => ({ runtime, performance: byCommandLine(runtime, [path]) })),
  );
}
