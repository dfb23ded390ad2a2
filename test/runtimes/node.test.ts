import { currentNode } from "@/test/fixtures/processes/current-node.js";
import { byCommandLine } from "@/test/fixtures/runtimes/command-line.js";
import { runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite("Node 20", scheme, byCommandLine("Node 20", [process.execPath]));
  runtimeSuite("a current Node", scheme, byCommandLine("a current Node", [currentNode()]));
}
