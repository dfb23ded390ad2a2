import { hostname } from "node:os";
import { basename } from "node:path";
import WebSocket from "isomorphic-ws";
import { NotificationTransport, RPCTransport, type Runtime, type TransportOptions } from "../driver/transport.js";
import type { TransportURL } from "../driver/transport-url.js";
import { tcpDial } from "../transports/tcp.js";
import { webSocketDial } from "../transports/websocket.js";

export type { Phase } from "../core/deadlines.js";
export type { Address, Dial, Pem, Socket, SocketHandlers, TLSOptions } from "../core/dial.js";
export type { Frame } from "../core/frame-log.js";
export type { Logger } from "../core/logger.js";
export type { TransportStatus } from "../core/status.js";
export {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  MessageDeliveryFailure,
  MessagingException,
  MessagingServerError,
  MessagingTimeout,
  NoSuchMethod,
  NoSuchOptError,
  RemoteError,
  type RemoteFailure,
  RPCDispatcherError,
  RPCVersionCapError,
  ServerListenError,
  TaskTimeout,
  UnsupportedRpcEnvelopeVersion,
  UnsupportedVersion,
} from "../driver/exceptions.js";
export { MessageHandlingServer } from "../driver/message-handling-server.js";
export type { NotificationEndpoint, NotificationHandler } from "../driver/notify/dispatcher.js";
export { NotificationFilter, type NotificationFilterRule } from "../driver/notify/filter.js";
export { getNotificationListener, type ListenerOptions, NotificationListener } from "../driver/notify/listener.js";
export {
  type Notification,
  type NotificationMetadata,
  NotificationResult,
  type Priority,
} from "../driver/notify/notification.js";
export {
  type NotificationDriver,
  Notifier,
  type NotifierOptions,
  type Notify,
  type NotifyOptions,
} from "../driver/notify/notifier.js";
export type { AmqpOptions } from "../driver/options.js";
export type { RemoteExceptions } from "../driver/remote-failure.js";
export { type AccessPolicy, accessPolicies, expose, type Method } from "../driver/rpc/access-policy.js";
export {
  type AnyApi,
  type CallOptions,
  getRpcClient,
  type MethodArgs,
  type MethodName,
  type MethodResult,
  type PrepareOverrides,
  RPCClient,
  type RPCClientOptions,
  type Tail,
} from "../driver/rpc/client.js";
export type { CallInfo } from "../driver/rpc/dispatcher.js";
export { getRpcServer, RPCServer, type RPCServerOptions } from "../driver/rpc/server.js";
export type { Context, Serializer } from "../driver/serializer.js";
export { type Overrides, Target, type TargetInit, type TargetLike } from "../driver/target.js";
export { NotificationTransport, RPCTransport, Transport, type TransportOptions } from "../driver/transport.js";
export { TransportHost, type TransportHostInit, TransportURL, type TransportURLInit } from "../driver/transport-url.js";

/** No larger message than this is taken from a peer, whose frames are 64 KiB at most. */
const MAX_WEBSOCKET_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Compression would cost more time than it saves. */
class PlainWebSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false, maxPayload: MAX_WEBSOCKET_MESSAGE_BYTES });
  }
}

const dialWebSocket = webSocketDial(PlainWebSocket);

const runtime: Runtime = {
  dialers: { amqp: tcpDial, amqps: tcpDial, "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: hostname(), process: basename(process.argv[1] ?? "node"), pid: process.pid },
  defaults: {},
};

/**
 * A transport for RPC. It connects at the first use.
 *
 * @throws InvalidTransportURL; DriverLoadFailure for a scheme that does not work here, naming those that do;
 *   NoSuchOptError and ConfigurationError for an option, in the URL or in code, by name.
 */
export function getRpcTransport(url: string | TransportURL, options: TransportOptions = {}): RPCTransport {
  return new RPCTransport(runtime, url, options);
}

/** A transport for notifications. Throws as {@link getRpcTransport}. */
export function getNotificationTransport(
  url: string | TransportURL,
  options: TransportOptions = {},
): NotificationTransport {
  return new NotificationTransport(runtime, url, options);
}
