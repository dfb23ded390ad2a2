import type { Logger } from "../../core/logger.js";
import type { IncomingMessage } from "../driver.js";
import { InvalidTarget, NoSuchMethod, RPCDispatcherError } from "../exceptions.js";
import { callback, checked, type OptionChecks, serializer } from "../options/option-checks.js";
import { boolean, integer } from "../options/option-types.js";
import type { Release } from "../serving/concurrency-limit.js";
import { MessageHandlingServer } from "../serving/message-handling-server.js";
import { type TargetLike, toTarget } from "../target.js";
import type { RPCTransport } from "../transport.js";
import { isInstance } from "../values/instance.js";
import { isJsonObject } from "../values/json.js";
import { toFailure } from "../values/remote-failure.js";
import { type Context, noOpSerializer, type Serializer } from "../values/serializer.js";
import { stackText } from "../values/stack-text.js";
import { type AccessPolicy, accessPolicies } from "./access-policy.js";
import { startHeartbeats } from "./call-heartbeats.js";
import { type Invocation, RPCDispatcher } from "./dispatcher.js";
import { withPing } from "./ping-endpoint.js";

/** How a server works. */
export interface RPCServerOptions<C extends Context = Context> {
  /** Reads arguments and contexts, and writes results. Absent: they are JSON as they are. */
  serializer?: Serializer<C> | undefined;
  /** Who may be called. Default: `accessPolicies.default`, every method whose name does not start with `_`. */
  accessPolicy?: AccessPolicy | undefined;
  /** How many requests are worked on at once. Default 64. The others wait, unacknowledged. */
  concurrency?: number | undefined;
  /** Answer `oslo_rpc_server_ping`. Default false. */
  ping?: boolean | undefined;
  /** Tell callers the stack of what a method threw. Default false: type and message only. */
  sendTraceback?: boolean | undefined;
  /** May refuse an address that a reply is to go to: it is the sender's word. Then no reply is sent. */
  acceptReplyTo?: ((address: string) => boolean) | undefined;
}

/** Made by {@link getRpcServer}. */
export class RPCServer extends MessageHandlingServer {}

/**
 * Serves the methods of `endpoints` to callers of the target's topic, to those of this very server, and to fanout casts.
 *
 * An endpoint is an object whose methods take `(context, args, call: CallInfo)`; its optional `target` gives its
 * namespace and version. What a method returns, or resolves with, is the reply. What it throws travels as a failure:
 * a RemoteError for the caller. A request is acknowledged before its method runs: at most once, as in oslo.
 *
 * @example
 * ```ts
 * await using server = getRpcServer(transport, { topic: "calculator", server: "host-a" }, [
 *   { add: (_context: object, { a, b }: { a: number; b: number }) => a + b },
 * ]);
 * await server.start();
 * ```
 * @throws InvalidTarget without topic or server; TypeError for an endpoint that is none; ConfigurationError for an option
 *   that does not exist or is out of range, by name.
 */
export function getRpcServer<C extends Context = Context>(
  transport: RPCTransport,
  target: TargetLike,
  endpoints: readonly object[],
  options: RPCServerOptions<C> = {},
): RPCServer {
  const { driver, logger } = transport;
  const own = toTarget(target);
  if (!own.topic || !own.server) {
    throw new InvalidTarget("A server's target must have topic and server names specified", own);
  }
  const { ping, concurrency, acceptReplyTo, sendTraceback, ...rest } = checked<RPCServerOptions<C>>(options, OPTIONS);
  const dispatcher = new RPCDispatcher(
    own,
    ping ? withPing(endpoints, logger) : endpoints,
    rest.serializer ?? noOpSerializer,
    rest.accessPolicy ?? accessPolicies.default,
  );
  return new RPCServer({
    name: "messages",
    listen: (on, signal) => driver.listen(own, on, { signal, acceptReplyTo }),
    handle: (message: IncomingMessage, release) => serve(message, release, { dispatcher, logger, sendTraceback }),
    concurrency,
    logger,
  });
}

const OPTIONS: OptionChecks<RPCServerOptions> = {
  serializer,
  accessPolicy: callback,
  concurrency: integer(1).check,
  ping: boolean.check,
  sendTraceback: boolean.check,
  acceptReplyTo: callback,
};

/**
 * Serves one request (oslo_messaging/rpc/server.py:153-217): acknowledges it, runs its method, sends the reply or the
 * failure. The slot is released when the method ends: a reply to a caller that has disconnected delays no other request.
 */
async function serve(message: IncomingMessage, release: Release, context: ServeContext): Promise<void> {
  // The link was lost while the request waited for its slot. The peer delivers it again.
  if (message.linkLost) return;
  message.acknowledge();
  const { dispatcher, logger, sendTraceback } = context;
  const stopHeartbeats = startHeartbeats(message, logger);
  const methodEnded = (): void => {
    stopHeartbeats();
    release();
  };
  const invocation = dispatcher.invocation(message);
  try {
    const result = await invocation.run();
    methodEnded();
    // Within the try: a result that JSON cannot hold is a failure of the method.
    if (message.wantsReply) await message.reply(result);
  } catch (error) {
    methodEnded();
    try {
      if (invocation.expects(error)) logger.debug("an RPC method failed as it may", about(message));
      else report(error, message, logger);
    } finally {
      // The caller waits for it even if the logger throws.
      if (message.wantsReply) await message.replyFailure(toFailure(error, { sendTraceback }));
    }
  }
}

interface ServeContext {
  readonly dispatcher: { invocation(message: IncomingMessage): Invocation };
  readonly logger: Logger;
  readonly sendTraceback: boolean | undefined;
}

/** With the stack for what a method threw; without for a request that nobody here serves: anyone can send those. */
function report(error: unknown, message: IncomingMessage, logger: Logger): void {
  if (!isInstance(error, RPCDispatcherError)) {
    logger.error(`an RPC method failed: ${stackText(error)}`, about(message));
    return;
  }
  const { messageId } = message;
  const reason = error.message.slice(0, LONGEST_REASON);
  if (error instanceof NoSuchMethod && error.method.endsWith("_ignore_errors")) {
    logger.debug("refused a request", { messageId, reason });
  } else {
    logger.warn("refused a request", { messageId, reason });
  }
}

function about({ body, messageId }: IncomingMessage): object {
  return { messageId, method: isJsonObject(body) ? body["method"] : undefined };
}

/** The reason quotes the request, which may name a method of megabytes. */
const LONGEST_REASON = 200;
