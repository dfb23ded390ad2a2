import { byWorkerd } from "@/test/fixtures/runtimes/workerd.js";
import { runtimeSuite } from "./runtime-suite.js";

for (const scheme of ["amqp+ws", "amqp"] as const) {
  runtimeSuite(
    scheme,
    [[], ["nodejs_compat"]].map((flags) => {
      const runtime = ["workerd", ...flags].join(" with ");
      return { runtime, performance: byWorkerd(runtime, { flags }) };
    }),
  );
}
