import { amqpClientContender, amqpClientRpcContender } from "./amqp-client-contender.js";
import { coreContender } from "./core-contender.js";
import { driverContender } from "./driver-contender.js";
import type { Contender } from "./echo.js";
import { rheaBrokerContender, rheaContender } from "./rhea-contender.js";

/** The contenders whose ends `peer.ts` runs. */
export const contenders: Readonly<Record<string, Contender>> = {
  core: coreContender,
  rhea: rheaContender,
  "driver at Artemis": driverContender,
  "rhea at Artemis": rheaBrokerContender,
  "driver at RabbitMQ": driverContender,
  "amqp-client's RPC": amqpClientRpcContender,
  "amqp-client, confirmed": amqpClientContender,
};
