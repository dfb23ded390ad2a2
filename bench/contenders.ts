import { coreContender } from "./core-contender.js";
import { driverContender } from "./driver-contender.js";
import type { Contender } from "./echo.js";
import { rheaBrokerContender, rheaContender } from "./rhea-contender.js";

export const contenders: Readonly<Record<string, Contender>> = {
  core: coreContender,
  rhea: rheaContender,
  "driver at Artemis": driverContender,
  "rhea at Artemis": rheaBrokerContender,
};
