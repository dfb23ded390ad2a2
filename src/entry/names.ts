/**
 * The public names that are the same in every runtime. The getters of transports differ and are in the entry of each runtime.
 * Classes that only this library instantiates are exported as types.
 */

export { Amqp091Error, type Amqp091ErrorInit } from "../amqp091/errors.js";
export type { Address, Dial, Pem, Socket, SocketHandlers, TLSOptionName, TLSOptions } from "../core/byte-stream.js";
export type { TransportStatus } from "../core/connection/status.js";
export type { WaitPhase } from "../core/deadlines.js";
export {
  AmqpError,
  type AmqpErrorInit,
  AuthenticationError,
  ConnectionLost,
  type ErrorInfo,
  ProtocolError,
} from "../core/errors.js";
export type { Frame } from "../core/frames/frame-log.js";
export type { Logger } from "../core/logger.js";
export type { Credentials } from "../core/sasl/sasl.js";
export type {
  AmqpConnectionReport,
  ConnectionReport,
  DeclaredEntity,
  RabbitConnectionReport,
} from "../driver/connection-report.js";
export type { ConnectOptions } from "../driver/driver.js";
export {
  ConfigurationError,
  DriverLoadFailure,
  type FailureInit,
  InvalidTarget,
  InvalidTransportURL,
  isMessagingException,
  MessageDeliveryFailure,
  MessageUndeliverable,
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
export type {
  BatchNotificationEndpoint,
  BatchNotificationHandler,
} from "../driver/notify/listening/batch-dispatcher.js";
export { type BatchListenerOptions, getBatchNotificationListener } from "../driver/notify/listening/batch-listener.js";
export type { NotificationEndpoint, NotificationHandler } from "../driver/notify/listening/dispatcher.js";
export { NotificationFilter, type NotificationFilterRule } from "../driver/notify/listening/filter.js";
export {
  getNotificationListener,
  type ListenerOptions,
  type NotificationListener,
} from "../driver/notify/listening/listener.js";
export {
  type Notification,
  type NotificationMetadata,
  NotificationResult,
  type Priority,
} from "../driver/notify/notification.js";
export type { NotificationDriver, NotificationMessage } from "../driver/notify/sending/notification-message.js";
export { Notifier, type NotifierOptions, type Notify, type NotifyOptions } from "../driver/notify/sending/notifier.js";
export type { NotificationRouting, RoutingRules } from "../driver/notify/sending/routing.js";
export { type RecordedNotification, TestDriver } from "../driver/notify/sending/test-driver.js";
export type { CredentialsFunction, CredentialsRequest } from "../driver/options/credentials.js";
export type { AmqpOptions } from "../driver/options/options.js";
export type { DriverPlugin, TransportOptions } from "../driver/options/transport-options.js";
export {
  TransportHost,
  type TransportHostInit,
  TransportURL,
  type TransportURLInit,
} from "../driver/options/transport-url.js";
export type { RabbitOptions } from "../driver/rabbit/option-table.js";
export { type AccessPolicy, accessPolicies, type EndpointMethod, expose } from "../driver/rpc/access-policy.js";
export {
  type AnyApi,
  type CallOptions,
  type CallTail,
  getRpcClient,
  type MethodArguments,
  type MethodName,
  type MethodResult,
  type PrepareOverrides,
  type RPCClient,
  type RPCClientOptions,
  type RPCInterface,
} from "../driver/rpc/client.js";
export type { CallInfo } from "../driver/rpc/dispatcher.js";
export { type ErrorClass, expectedExceptions } from "../driver/rpc/expected-exceptions.js";
export { getRpcServer, type RPCServer, type RPCServerOptions } from "../driver/rpc/server.js";
export type { MessageHandlingServer } from "../driver/serving/message-handling-server.js";
export { type Overrides, Target, type TargetInit, type TargetLike } from "../driver/target.js";
export type { NotificationTransport, RPCTransport, Transport } from "../driver/transport.js";
export type { NonFiniteNumbers } from "../driver/values/json.js";
export type { JsonForm } from "../driver/values/json-form.js";
export type { RemoteExceptions } from "../driver/values/remote-failure.js";
export { type Context, jsonPayloadSerializer, noOpSerializer, type Serializer } from "../driver/values/serializer.js";
