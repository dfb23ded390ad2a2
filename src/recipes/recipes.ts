import { artemis } from "./artemis.js";
import { brokerJ } from "./broker-j.js";
import { qdrouterd } from "./qdrouterd.js";
import { qpidd } from "./qpidd.js";
import type { Recipe } from "./recipe.js";
import { skrouterd } from "./skrouterd.js";

/** The recipes for AMQP 1.0, by the intermediary's name on the command line. */
export const RECIPES: ReadonlyMap<string, Recipe> = new Map([
  ["qdrouterd", qdrouterd],
  ["skrouterd", skrouterd],
  ["qpidd", qpidd],
  ["artemis", artemis],
  ["broker-j", brokerJ],
]);

/** The name of the recipe, by the `product` in the peer's Open. */
export const RECIPE_OF_PRODUCT: ReadonlyMap<string, string> = new Map([
  ["qpid-dispatch-router", "qdrouterd"],
  ["skupper-router", "skrouterd"],
  ["qpid-cpp", "qpidd"],
  ["apache-activemq-artemis", "artemis"],
  ["Apache Qpid Broker-J Core", "broker-j"],
]);
