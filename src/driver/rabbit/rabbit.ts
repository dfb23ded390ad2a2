import type { CreateFirst, DriverInit, DriverType, SuccessorInit } from "../runtime.js";
import { connector } from "./amqp091/connector.js";
import { commonInit } from "./common-init.js";
import { RabbitDriver } from "./driver.js";
import { rabbitHosts, rabbitVirtualHost } from "./hosts.js";
import { parseRabbitOptions, rabbitWarnings, resolveRabbitOptions } from "./options.js";
import { RABBIT_SCHEMES } from "./schemes.js";
import { Succession } from "./succession.js";
import { createSuccessor } from "./successor.js";
import { rabbitTls } from "./tls.js";

/** The driver of RabbitMQ: by AMQP 0-9-1, and by AMQP 1.0 in succession to the driver of `amqp`. */
export const rabbit: DriverType = { name: "rabbit", schemes: RABBIT_SCHEMES, create, succeed };

function create({ url, options, runtime, dial, status, logger, warnings }: DriverInit): RabbitDriver {
  const resolved = resolveRabbitOptions({ options: options.rabbit, query: url.query });
  for (const warning of rabbitWarnings(resolved)) logger.warn(warning);
  const tls = rabbitTls({
    scheme: url.scheme,
    texts: parseRabbitOptions(url.query),
    code: options.tls,
    readFile: runtime.readFile,
    supportedTlsOptions: dial.supportedTlsOptions,
  });
  const virtualHost = rabbitVirtualHost(url);
  return new RabbitDriver({
    ...commonInit({ options, runtime, status, logger, warnings }),
    hosts: rabbitHosts(url, { tls, path: resolved.wsPath ?? options.webSocket?.path }),
    connect: connector({ dial, rabbit: resolved, virtualHost, runtime, options, logger, warnings }),
    options: resolved,
  });
}

function succeed(init: SuccessorInit, createFirst: CreateFirst): Succession {
  const resolved = resolveRabbitOptions({ options: init.options.rabbit });
  const createDriver = (): RabbitDriver => {
    for (const warning of rabbitWarnings(resolved)) init.logger.warn(warning);
    return createSuccessor(init, resolved);
  };
  return new Succession(init, createFirst, createDriver);
}
