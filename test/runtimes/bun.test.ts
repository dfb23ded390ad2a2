import { BUN, byCommandLine } from "@/test/fixtures/runtimes/command-line.js";
import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import { bedSuite, runtimeSuite } from "./runtime-suite.js";

const bun = { runtime: "Bun", performance: byCommandLine("bun", BUN) };

for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(scheme, [bun]);
bedSuite(rabbitBed("4", "rabbit+ws"), [bun]);
bedSuite(rabbitBed("3.10.8", "rabbit"), [bun]);
