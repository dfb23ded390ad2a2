import type { Recipe } from "./recipe.js";
import { routerConfiguration } from "./router.js";

/** qpid-dispatch. */
export const qdrouterd: Recipe = (init) =>
  routerConfiguration(
    {
      file: "/etc/qpid-dispatch/qdrouterd.conf",
      name: "qdrouterd",
      note: "For qpid-dispatch 0.8.0 or newer. A router stores no messages: use a broker for notifications.",
    },
    init,
  );
