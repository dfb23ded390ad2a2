import type { Recipe } from "./recipe.js";
import { routerConfiguration } from "./router.js";

/** skupper-router. */
export const skrouterd: Recipe = (init) =>
  routerConfiguration(
    {
      file: "/etc/skupper-router/skrouterd.conf",
      name: "skrouterd",
      note: "skupper-router 2 or newer. A router stores nothing: notifications belong on a broker.",
    },
    init,
  );
