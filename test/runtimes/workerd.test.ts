import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import { byWorkerd } from "@/test/fixtures/runtimes/workerd.js";
import { bedSuite, type Performer, runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(scheme, [workerd(), workerd("nodejs_compat")]);
for (const scheme of ["rabbit+ws", "rabbit"] as const) bedSuite(rabbitBed({ version: "3.10.8", scheme }), [workerd()]);

function workerd(...flags: readonly string[]): Performer {
  const runtime = ["workerd", ...flags].join(" with ");
  return { runtime, performance: byWorkerd(runtime, { flags }) };
}
