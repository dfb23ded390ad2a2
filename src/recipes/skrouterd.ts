import type { Recipe } from "./recipe.js";
import { routerConfiguration } from "./router.js";

/** skupper-router. */
export const skrouterd: Recipe = (init) =>
  routerConfiguration(
    {
      file: "/etc/skupper-router/skrouterd.conf",
      name: "skrouterd",
      note: "For skupper-router 2 or newer. A router stores no messages: use a broker for notifications.",
    },
    init,
  );
