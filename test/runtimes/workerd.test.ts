import { runtimeSuite } from "./runtime-suite.js";
import { byWorkerd } from "./workerd.js";

for (const flags of [[], ["nodejs_compat"]]) {
  const name = ["workerd", ...flags].join(" with ");
  for (const scheme of ["amqp+ws", "amqp"] as const) runtimeSuite(name, scheme, byWorkerd(name, { flags }));
}
