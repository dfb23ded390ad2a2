import { byWorkerd } from "@/test/fixtures/runtimes/workerd.js";
import { runtimeSuite } from "./runtime-suite.js";

for (const flags of [[], ["nodejs_compat"]]) {
  const name = ["workerd", ...flags].join(" with ");
  for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(name, scheme, byWorkerd(name, { flags }));
}
