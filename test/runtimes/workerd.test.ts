import { runtimeSuite } from "./runtime-suite.js";
import { byWorkerd } from "./workerd.js";

for (const flags of [[], ["nodejs_compat"]]) {
  const name = ["workerd", ...flags].join(" with ");
  runtimeSuite(name, "amqp+ws", byWorkerd(name, { flags }));
}
