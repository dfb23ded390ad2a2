/** The public names that are the same in every runtime. What differs, the getters of transports, is in the entry of each. */

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
export type { BatchNotificationEndpoint, BatchNotificationHandler } from "../driver/notify/batch-dispatcher.js";
export { type BatchListenerOptions, getBatchNotificationListener } from "../driver/notify/batch-listener.js";
export type { NotificationEndpoint, NotificationHandler } from "../driver/notify/dispatcher.js";
export { NotificationFilter, type NotificationFilterRule } from "../driver/notify/filter.js";
export { getNotificationListener, type ListenerOptions, NotificationListener } from "../driver/notify/listener.js";
export {
  type Notification,
  type NotificationMetadata,
  NotificationResult,
  type Priority,
} from "../driver/notify/notification.js";
export { Notifier, type NotifierOptions, type Notify, type NotifyOptions } from "../driver/notify/notifier.js";
export type { NotificationDriver, NotificationMessage } from "../driver/notify/outgoing.js";
export type { NotificationRouting, RoutingRules } from "../driver/notify/routing.js";
export { type RecordedNotification, TestDriver } from "../driver/notify/test-driver.js";
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
