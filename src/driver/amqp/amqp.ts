import type { TransportDriver } from "../driver.js";
import { hostsOf } from "../options/hosts.js";
import { parseOptions, resolveOptions } from "../options/options.js";
import { tlsOf } from "../options/tls.js";
import type { CreateFirst, DriverInit, DriverType } from "../runtime.js";
import { MessageIds } from "../values/ids.js";
import { connector } from "./connector.js";
import { AmqpDriver } from "./driver.js";
import { retryPolicy } from "./retry-policy.js";

/** The driver of AMQP 1.0: qpid-dispatch, skupper-router, qpidd, Artemis, Broker-J and others. */
export const amqp: DriverType = {
  name: "amqp",
  schemes: new Map(["amqp", "amqps", "amqp+ws", "amqp+wss"].map((scheme) => [scheme, scheme])),
  create,
};

function create({ url, options, runtime, dial, drivers, status, logger, warnings }: DriverInit): TransportDriver {
  const resolved = resolveOptions({ options: options.amqp, query: url.query, defaults: runtime.defaults });
  const virtualHost = url.virtualHost || undefined;
  const ids = new MessageIds();
  const tls = tlsOf({
    scheme: url.scheme,
    texts: parseOptions(url.query),
    code: options.tls,
    readFile: runtime.readFile,
    supportedTlsOptions: dial.supportedTlsOptions,
  });
  if (resolved.saslConfigDir !== "" || resolved.saslConfigName !== "") {
    logger.warn("sasl_config_dir and sasl_config_name are ignored: they are options of Cyrus SASL");
  }
  const common = {
    hosts: hostsOf(url, resolved, { tls, path: resolved.wsPath ?? options.webSocket?.path }),
    connect: connector({ dial, amqp: resolved, virtualHost, ids, runtime, options, logger, warnings }),
    virtualHost,
    status,
    logger,
    warnings,
  };
  const createFirst = (changes?: Parameters<CreateFirst>[0]) =>
    new AmqpDriver({
      ...options,
      ...common,
      options: resolved,
      controlExchange: options.controlExchange ?? "openstack",
      ids,
      onWake: runtime.onWake,
      ...changes,
    });
  const successor = drivers.find(({ succeed }) => succeed !== undefined);
  const init = { ...common, options, amqp: resolved, runtime, retry: retryPolicy(resolved) };
  return successor?.succeed?.(init, createFirst) ?? createFirst();
}
