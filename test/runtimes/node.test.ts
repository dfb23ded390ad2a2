import { currentNode } from "@/test/fixtures/processes/current-node.js";
import { byCommandLine } from "@/test/fixtures/runtimes/command-line.js";
import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import { bedSuite, type Performer, runtimeSuite } from "./runtime-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

const NODES: readonly Performer[] = Object.entries({
  "Node 20": process.execPath,
  "a current Node": currentNode(),
}).map(([runtime, path]) => ({ runtime, performance: byCommandLine(runtime, [path]) }));

for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(scheme, NODES);
bedSuite(
  rabbitBed("3.10.8", "rabbit+ws"),
  NODES.map((node) => ({ ...node, only: BRIEFLY })), // the suites run on rabbit:// in Node
);
