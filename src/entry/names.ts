/**
 * The public names that are the same in every runtime. What differs, the getters of transports, is in the entry of each.
 * Classes of which only this library makes instances are types to everybody else.
 */

export type { Phase } from "../core/deadlines.js";
export type { Address, Dial, Pem, Socket, SocketHandlers, TLSDetail, TLSOptions } from "../core/dial.js";
export type { Frame } from "../core/frame-log.js";
export type { Logger } from "../core/logger.js";
export type { Credentials } from "../core/sasl.js";
export type { TransportStatus } from "../core/status.js";
export type { ConnectionReport } from "../driver/amqp/probe.js";
export type { CredentialsFunction, CredentialsRequest } from "../driver/credentials.js";
export {
  ConfigurationError,
  DriverLoadFailure,
  type FailureInit,
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
  SendQueueFull,
  TaskTimeout,
  UnsupportedVersion,
} from "../driver/exceptions.js";
export type { NonFiniteNumbers } from "../driver/json.js";
export type { MessageHandlingServer } from "../driver/message-handling-server.js";
export type { BatchNotificationEndpoint, BatchNotificationHandler } from "../driver/notify/batch-dispatcher.js";
export { type BatchListenerOptions, getBatchNotificationListener } from "../driver/notify/batch-listener.js";
export type { NotificationEndpoint, NotificationHandler } from "../driver/notify/dispatcher.js";
export { NotificationFilter, type NotificationFilterRule } from "../driver/notify/filter.js";
export { getNotificationListener, type ListenerOptions, type NotificationListener } from "../driver/notify/listener.js";
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
  type RPCClient,
  type RPCClientOptions,
  type Tail,
} from "../driver/rpc/client.js";
export type { CallInfo } from "../driver/rpc/dispatcher.js";
export { type ErrorClass, expectedExceptions } from "../driver/rpc/expected-exceptions.js";
export { getRpcServer, type RPCServer, type RPCServerOptions } from "../driver/rpc/server.js";
export { type Context, jsonPayloadSerializer, noOpSerializer, type Serializer } from "../driver/serializer.js";
export { type Overrides, Target, type TargetInit, type TargetLike } from "../driver/target.js";
export type { NotificationTransport, RPCTransport, Transport } from "../driver/transport.js";
export type { TransportOptions } from "../driver/transport-options.js";
export { TransportHost, type TransportHostInit, TransportURL, type TransportURLInit } from "../driver/transport-url.js";
