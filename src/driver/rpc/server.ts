import type { Log } from "../../core/recurring-warnings.js";
import type { IncomingMessage } from "../driver.js";
import { InvalidTarget, NoSuchMethod, RPCDispatcherError } from "../exceptions.js";
import {
  callback,
  checkEndpoints,
  checked,
  checkTransport,
  type OptionChecks,
  serializer,
} from "../options/option-checks.js";
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
import { withHeartbeats } from "./call-heartbeats.js";
import { DispatchedRequests } from "./dispatched-requests.js";
import { type Invocation, RPCDispatcher } from "./dispatcher.js";
import { withPing } from "./ping-endpoint.js";

/** Options of an RPC server. */
export interface RPCServerOptions<C extends Context = Context> {
  /** Deserializes contexts and arguments, and serializes results. Default: plain JSON. */
  serializer?: Serializer<C> | undefined;
  /** Allows or denies a method. Default: `accessPolicies.default`, which allows every name that does not start with `_`. */
  accessPolicy?: AccessPolicy | undefined;
  /** Most requests that are handled at once. Default 64. The others wait, unacknowledged. */
  concurrency?: number | undefined;
  /** Answer `oslo_rpc_server_ping`. Default false. */
  ping?: boolean | undefined;
  /** Send callers the stack of an error that a method throws. Default false: type and message only. */
  sendTraceback?: boolean | undefined;
  /**
   * Called with the reply address, which is untrusted input of the sender: an AMQP 1.0 address, or at RabbitMQ the name of
   * a queue. If it does not return true, no reply is sent. Default: any address over amqp://, and at RabbitMQ any queue
   * whose name begins with `reply_`.
   */
  acceptReplyTo?: ((address: string) => boolean) | undefined;
}

/** An RPC server, created by {@link getRpcServer}. */
export class RPCServer extends MessageHandlingServer {}

/**
 * Returns a server that offers the methods of `endpoints` to calls and casts: to the target's topic, to this server by
 * name, and to fanout casts. It listens after `start`.
 *
 * An endpoint is an object whose methods take `(context, args, call: CallInfo)`. Its optional `target` gives its
 * namespace and version. The value that a method returns or resolves with is the reply. An error that it throws reaches
 * the caller as a RemoteError. A request is acknowledged before its method runs: at most once, as in oslo. A repeat of one
 * of the last 10,000 requests within 10 minutes is discarded with a warning. Python remembers 16 requests
 * (oslo_messaging/_drivers/amqp.py, _MessageIDCache).
 *
 * @example
 * ```ts
 * await using server = getRpcServer(transport, { topic: "calculator", server: "host-a" }, [
 *   { add: (_context: object, { a, b }: { a: number; b: number }) => a + b },
 * ]);
 * await server.start();
 * ```
 * @throws InvalidTarget for a target without topic or server, or with an unknown member.
 * @throws TypeError for a transport that is not made by getRpcTransport, endpoints that are not in an array, an endpoint that is
 *   not an object (a class in the place of its instance), or whose `target` is not a Target.
 * @throws MessagingException for a malformed version of an endpoint's target.
 * @throws ConfigurationError for an unknown option or a value out of range; it names the option.
 */
export function getRpcServer<C extends Context = Context>(
  transport: RPCTransport,
  target: TargetLike,
  endpoints: readonly object[],
  options: RPCServerOptions<C> = {},
): RPCServer {
  checkTransport(transport, "rpc");
  checkEndpoints(endpoints);
  const { driver, logger, warnings } = transport;
  const serverTarget = toTarget(target);
  if (!serverTarget.topic || !serverTarget.server) {
    throw new InvalidTarget("A server's target must have topic and server names specified", serverTarget);
  }
  const { ping, concurrency, acceptReplyTo, sendTraceback, ...rest } = checked<RPCServerOptions<C>>(options, OPTIONS);
  const dispatcher = new RPCDispatcher(
    serverTarget,
    ping ? withPing(endpoints, logger) : endpoints,
    rest.serializer ?? noOpSerializer,
    rest.accessPolicy ?? accessPolicies.default,
  );
  const context = { dispatcher, dispatched: new DispatchedRequests(), logger, warnings, sendTraceback };
  return new RPCServer({
    name: "messages",
    listen: (onItem, listenOptions) => driver.listen(serverTarget, onItem, { ...listenOptions, acceptReplyTo }),
    handle: (message: IncomingMessage, release) => serve(message, release, context),
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
 * Serves one request (oslo_messaging/rpc/server.py:153-217): acknowledges it, and unless it is a repeat, runs its method and
 * sends the reply or the failure. The slot is released when the method ends: a reply to a caller that has disconnected delays
 * no other request.
 */
async function serve(message: IncomingMessage, release: Release, context: ServeContext): Promise<void> {
  // The link was lost while the request waited for its slot. The peer delivers it again, so it would run twice.
  if (message.linkLost) return;
  message.acknowledge();
  const { dispatcher, dispatched, logger, warnings, sendTraceback } = context;
  const { identity, messageId } = message;
  if (identity !== undefined && !dispatched.add(identity)) {
    warnings.warn("repeat", "discarded a repeated request: it was dispatched before", { messageId });
    return;
  }
  const invocation = dispatcher.invocation(message);
  try {
    const result = await withHeartbeats(message, warnings, () => invocation.run());
    release();
    // Within the try: a result that JSON cannot hold is a failure of the method.
    if (message.wantsReply) await message.reply(result);
  } catch (error) {
    try {
      if (invocation.expects(error)) logger.debug("an RPC method threw an expected exception", about(message));
      else report(error, message, context);
    } finally {
      // The caller waits for the reply, and the next request for the slot, even if the logger throws.
      release();
      if (message.wantsReply) await message.replyFailure(toFailure(error, { sendTraceback }));
    }
  }
}

interface ServeContext extends Log {
  readonly dispatcher: { invocation(message: IncomingMessage): Invocation };
  readonly dispatched: DispatchedRequests;
  readonly sendTraceback: boolean | undefined;
}

/** Logs an error: with its stack if a method threw it, without for a refused request, which is untrusted input. */
function report(error: unknown, message: IncomingMessage, { logger, warnings }: ServeContext): void {
  if (!isInstance(error, RPCDispatcherError)) {
    logger.error(`an RPC method failed: ${stackText(error)}`, about(message));
    return;
  }
  const { messageId } = message;
  const reason = error.message.slice(0, LONGEST_REASON);
  if (error instanceof NoSuchMethod && error.method.endsWith("_ignore_errors")) {
    logger.debug("refused a request", { messageId, reason });
  } else {
    warnings.warn(`refused: ${error.name}`, "refused a request", { messageId, reason });
  }
}

function about({ body, messageId }: IncomingMessage): object {
  return { messageId, method: isJsonObject(body) ? body["method"] : undefined };
}

/** Longest logged reason, in characters. It quotes the request, whose method name may be megabytes long. */
const LONGEST_REASON = 200;
