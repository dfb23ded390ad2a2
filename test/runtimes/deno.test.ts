import { byCommandLine, DENO } from "@/test/fixtures/runtimes/command-line.js";
import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import { bedSuite, runtimeSuite } from "./runtime-suite.js";

const deno = { runtime: "Deno", performance: byCommandLine("deno", DENO) };

for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(scheme, [deno]);
bedSuite(rabbitBed("3.10.8", "rabbit+ws"), [deno]);
bedSuite(rabbitBed("4", "rabbit"), [deno]);
