import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import { byWorkerd } from "@/test/fixtures/runtimes/workerd.js";
import { bedSuite, type Performer, runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(scheme, [workerd(), workerd("nodejs_compat")]);
bedSuite(rabbitBed("3.10.8", "rabbit+ws"), [workerd()]);
bedSuite(rabbitBed("4", "rabbit"), [workerd("nodejs_compat")]);

function workerd(...flags: readonly string[]): Performer {
  const runtime = ["workerd", ...flags].join(" with ");
  return { runtime, performance: byWorkerd(runtime, { flags }) };
}
