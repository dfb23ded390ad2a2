/** Never run: the type checker proves what the public functions accept and give back. */
import { MessagingTimeout, RemoteError, SendQueueFull } from "../../src/driver/exceptions.js";
import type { BatchNotificationEndpoint } from "../../src/driver/notify/listening/batch-dispatcher.js";
import { getBatchNotificationListener } from "../../src/driver/notify/listening/batch-listener.js";
import type { NotificationEndpoint, NotificationHandler } from "../../src/driver/notify/listening/dispatcher.js";
import { NotificationFilter } from "../../src/driver/notify/listening/filter.js";
import { getNotificationListener } from "../../src/driver/notify/listening/listener.js";
import {
  type Notification,
  type NotificationMetadata,
  NotificationResult,
} from "../../src/driver/notify/notification.js";
import { Notifier } from "../../src/driver/notify/sending/notifier.js";
import { TestDriver } from "../../src/driver/notify/sending/test-driver.js";
import type { TransportOptions } from "../../src/driver/options/transport-options.js";
import { expose } from "../../src/driver/rpc/access-policy.js";
import { getRpcClient, type MethodArguments, type MethodName, type MethodResult } from "../../src/driver/rpc/client.js";
import type { CallInfo } from "../../src/driver/rpc/dispatcher.js";
import { expectedExceptions } from "../../src/driver/rpc/expected-exceptions.js";
import { getRpcServer } from "../../src/driver/rpc/server.js";
import { Target } from "../../src/driver/target.js";
import type { NotificationTransport, RPCTransport } from "../../src/driver/transport.js";
import type { JsonForm } from "../../src/driver/values/json-form.js";
import { jsonPayloadSerializer, noOpSerializer, type Serializer } from "../../src/driver/values/serializer.js";

interface Calculator {
  readonly precision: number;
  add(context: object, args: { a: number; b: number }): number | Promise<number>;
  reset(context: object): void;
  log(context: object, args?: { level: string }): string;
}

interface MyContext {
  user: string;
  project: string | undefined;
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const ok = <T extends true>(..._proof: T[]): void => {};

ok<Equal<MethodName<Calculator>, "add" | "reset" | "log">>();
ok<Equal<MethodArguments<Calculator["add"]>, [args: { a: number; b: number }]>>();
ok<Equal<MethodArguments<Calculator["reset"]>, []>>();
ok<Equal<MethodArguments<Calculator["log"]>, [args?: { level: string } | undefined]>>();
ok<Equal<MethodArguments<(context: object, args: { a: 1 }, call: CallInfo) => void>, [args: { a: 1 }]>>();
ok<Equal<MethodResult<() => Promise<string>>, string>>();

class Row {
  readonly id: number = 1;
  readonly created = new Date(0);
  rename(): void {}
}

interface Tree {
  label: string;
  children: Tree[];
}

type Nested = Date | Nested[] | { [name: string]: Nested };

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

ok<Equal<JsonForm<undefined>, null>>();
ok<Equal<MethodResult<() => void>, null>>();
ok<Equal<MethodResult<() => Promise<Date | undefined>>, string | null>>();
ok<Equal<MethodResult<() => never>, never>>();
ok<Equal<MethodResult<() => Row>, { readonly id: number; readonly created: string }>>();
ok<Equal<MethodResult<() => unknown>, unknown>>();
// biome-ignore lint/suspicious/noExplicitAny: any stays any
ok<Equal<MethodResult<() => any>, any>>();
ok<
  Equal<
    JsonForm<{ a: unknown; b?: Date; c: Date | undefined; d(): void; e?: () => void }>,
    { a: unknown; b?: string | undefined; c: string | undefined }
  >
>();
ok<Equal<JsonForm<{ kind: "a"; at: Date } | { kind: "b" }>, { kind: "a"; at: string } | { kind: "b" }>>();
ok<Equal<JsonForm<readonly (Date | undefined)[]>, readonly (string | null)[]>>();
ok<Equal<JsonForm<[a: Date, b?: number]>, [a: string, b?: number | null]>>();
ok<Equal<JsonForm<Record<string, Date>>, { [x: string]: string }>>();
ok<Equal<JsonForm<Map<string, Date>>, { [key: string]: string }>>();
ok<Equal<JsonForm<Set<Date>>, string[]>>();
ok<Equal<JsonForm<Uint8Array>, string>>();
ok<Equal<JsonForm<Buffer>, string>>();
ok<Equal<JsonForm<Float64Array>, number[]>>();
ok<Equal<JsonForm<bigint>, number | bigint>>();
ok<Equal<JsonForm<URL>, string>>();
ok<Equal<JsonForm<{ toJSON(): { at: Date } }>, { at: string }>>();
ok<Equal<JsonForm<string & { readonly brand: "id" }>, string & { readonly brand: "id" }>>();
ok<Equal<JsonForm<() => void>, never>>();
ok<Equal<JsonForm<Promise<string>>, never>>();
export const tree = (value: JsonForm<Tree>): Tree => value;
export const json = (value: JsonForm<Json>): Json => value;
export const nested = (value: JsonForm<Nested>): Json => value;

interface Positional {
  add(context: object, a: number, b: number): number;
}
interface WithoutContext {
  add(a: number, b: number): number;
}
interface ThreeObjects {
  add(context: object, a: { a: number }, b: { b: number }): number;
}
interface ListOfArguments {
  add(context: object, args: readonly number[]): number;
}
interface Unchecked {
  any(...args: unknown[]): number;
  nothing(): void;
  wide(context: unknown, args?: unknown, call?: CallInfo): void;
  _helper(a: number, b: number): number;
}

export function interfaces(transport: RPCTransport): void {
  getRpcClient<Unchecked>(transport, { topic: "t" });
  getRpcClient<CalculatorEndpoint>(transport, { topic: "t" });
  // @ts-expect-error the arguments are one object
  getRpcClient<Positional>(transport, { topic: "t" });
  // @ts-expect-error the context is an object
  getRpcClient<WithoutContext>(transport, { topic: "t" });
  // @ts-expect-error the third parameter is passed by the server
  getRpcClient<ThreeObjects>(transport, { topic: "t" });
  // @ts-expect-error the arguments are no array
  getRpcClient<ListOfArguments>(transport, { topic: "t" });
}

export async function calls(transport: RPCTransport, context: MyContext, maybe: string | undefined): Promise<void> {
  const client = getRpcClient<Calculator>(transport, { topic: "calc", version: "1.0", server: maybe });
  const prepared = client.prepare({ timeoutMs: 2_000, server: null, namespace: maybe });
  const sum = await prepared.call(context, "add", { a: 1, b: 2 }, { signal: AbortSignal.timeout(1) });
  ok<Equal<typeof sum, number>>();
  const nothing = await client.call({}, "reset");
  ok<Equal<typeof nothing, null>>();
  await client.call({}, "reset", undefined, { timeoutMs: 5 });
  const line = await client.call({}, "log");
  ok<Equal<typeof line, string>>();
  await client.call({}, "log", { level: "x" });
  await client.cast({}, "add", { a: 1, b: 2 });
  ok<Equal<ReturnType<typeof client.canSendVersion>, boolean>>();
  // @ts-expect-error options are not arguments
  await client.call({}, "log", { timeoutMs: 5 });
  // @ts-expect-error options are not arguments, even where there are none
  await client.call({}, "reset", { timeoutMs: 5 });
  // @ts-expect-error wrong argument
  await client.call({}, "add", { a: 1 });
  // @ts-expect-error unknown method
  await client.call({}, "sub", { a: 1, b: 2 });
  // @ts-expect-error no method
  await client.call({}, "precision");
  // @ts-expect-error missing args
  await client.call({}, "add");
  // @ts-expect-error missing args
  await client.cast({}, "add");
  // @ts-expect-error unknown option
  await client.call({}, "reset", undefined, { timeout: 5 });
  // @ts-expect-error a signal is for one call
  client.prepare({ signal: AbortSignal.timeout(1) });
  // @ts-expect-error the legacy namespaces are an endpoint's
  client.prepare({ legacyNamespaces: ["x"] });
  // @ts-expect-error a time is a number
  client.prepare({ timeoutMs: "5" });

  await transport.writable();
  await transport.writable({ signal: AbortSignal.timeout(1) });

  const untyped = getRpcClient(transport, new Target({ topic: "calc" }));
  const anything = await untyped.call({}, "anything", { a: 1 });
  ok<Equal<typeof anything, unknown>>();
  await untyped.cast(context, "x");
  await untyped.call({}, "x", context, { retry: 0 });

  const typedByClass = getRpcClient<CalculatorEndpoint, MyContext>(transport, { topic: "calc" });
  const sum2 = await typedByClass.call(context, "add", { a: 1, b: 2 }, { retry: 0 });
  ok<Equal<typeof sum2, number>>();
  // @ts-expect-error a context of another kind
  await typedByClass.call({}, "add", { a: 1, b: 2 });
  // @ts-expect-error not what the endpoint is given by the server
  await typedByClass.call(context, "add", { a: 1, b: 2 }, { signal: maybe });
}

class CalculatorEndpoint implements Calculator {
  readonly precision = 1;
  readonly target = new Target({ namespace: "calc", version: "1.2" });
  add(_context: MyContext, { a, b }: { a: number; b: number }, _call?: CallInfo): number {
    return a + b;
  }
  reset(): void {}
  log(): string {
    return "";
  }
}

abstract class AnyFailure extends Error {
  abstract readonly code: number;
}

class DecoratedEndpoint {
  @expose
  hello(_context: object, args: { name: string }): string {
    return args.name;
  }

  @expose
  @expectedExceptions(RangeError, RemoteError, AnyFailure)
  async show(_context: object, args: { id: string }): Promise<string> {
    return args.id;
  }
}

export async function servers(transport: RPCTransport, notifications: NotificationTransport): Promise<void> {
  const endpoints = [
    new CalculatorEndpoint(),
    new DecoratedEndpoint(),
    {
      fail() {
        throw new RangeError("no");
      },
    },
    { hello: expose((_context: object) => "x") },
  ];
  await using server = getRpcServer(transport, { topic: "calc", server: "host-a" }, endpoints, { concurrency: 8 });
  await server.start({ signal: AbortSignal.timeout(1) });
  await server.wait({ timeoutMs: 5 });
  const hello = expose((_context: object, args: { a: number }) => args.a);
  ok<Equal<typeof hello, (_context: object, args: { a: number }) => number>>();
  const shown = expectedExceptions(RangeError)((_context: object, args: { a: number }) => args.a);
  ok<Equal<typeof shown, (_context: object, args: { a: number }) => number>>();
  ok<Equal<MethodArguments<DecoratedEndpoint["show"]>, [args: { id: string }]>>();
  // @ts-expect-error classes, not their names
  expectedExceptions("RangeError");
  // @ts-expect-error no errors
  expectedExceptions(Target);
  // @ts-expect-error an error is no class
  expectedExceptions(new RangeError());
  // @ts-expect-error a method is no class of errors
  expectedExceptions(hello);
  // @ts-expect-error no method
  expectedExceptions(RangeError)({});
  // @ts-expect-error an endpoint is an object
  getRpcServer(transport, { topic: "calc", server: "host-a" }, ["endpoint"]);
  // @ts-expect-error a notification transport is no RPC transport
  getRpcServer(notifications, { topic: "calc", server: "host-a" }, endpoints);
  // @ts-expect-error a notification transport is no RPC transport
  getRpcClient(notifications, { topic: "calc" });
}

export async function notifications(transport: NotificationTransport, rpc: RPCTransport, context: MyContext) {
  // @ts-expect-error an RPC transport is no notification transport
  new Notifier(rpc, { publisherId: "x" });
  // @ts-expect-error the publisher must be named
  new Notifier(transport, {});
  // @ts-expect-error not a driver that there is
  new Notifier(transport, { publisherId: "x", drivers: ["smtp"] });
  const onFailure = (error: Error): void => void error.message;
  const notifier = new Notifier(transport, { publisherId: "compute.host1", topics: ["notifications"], onFailure });
  await notifier.info({}, "compute.create", { id: 1 }, { timeoutMs: 1_000 });
  await notifier.prepare({ publisherId: "other", retry: null }).sample(context, "x", null);
  const typed = new Notifier<MyContext>(transport, { publisherId: "x", sanitizeContext: ({ user }) => ({ user }) });
  await typed.error(context, "x", undefined);
  // @ts-expect-error a context of another kind
  await typed.error({}, "x", undefined);

  const quick: NotificationEndpoint = {
    filterRule: new NotificationFilter({ eventType: "^x" }),
    info: (_context, _publisherId, eventType) => (eventType.startsWith("x") ? NotificationResult.REQUEUE : undefined),
  };
  class Slow {
    async warn(_context: MyContext, publisherId: string, _type: string, payload: { id: number }): Promise<void> {
      await Promise.resolve(publisherId.length + payload.id);
    }
    error(): void {}
    async audit(): Promise<NotificationResult> {
      return "handled";
    }
    helper(): number {
      return 5;
    }
  }
  getNotificationListener(transport, [{ topic: "notifications" }], [quick, new Slow()], { allowRequeue: true });
  // @ts-expect-error not a result
  const wrong: NotificationHandler = () => "requeued";
  // @ts-expect-error a publisher is a string
  const other: NotificationHandler = (_context, publisherId: number) => void publisherId;
  const unknowns: NotificationHandler = (_context, _publisherId, _eventType, payload, metadata) => {
    ok<Equal<typeof payload, unknown>>();
    ok<Equal<typeof metadata, NotificationMetadata>>();
  };
  void [wrong, other, unknowns];
  // @ts-expect-error nothing that handles notifications
  getNotificationListener(transport, [{ topic: "notifications" }], [{ helper() {} }]);
  await new Notifier(transport, {
    publisherId: "x",
    drivers: ["log", "noop", "test", "routing"],
    testDriver: new TestDriver(),
    routing: { group: { messaging: { accepted_events: ["compute.*"] }, log: null } },
  }).info(context, "x", null);

  const batches: BatchNotificationEndpoint = { info: (notifications) => void notifications[0]?.eventType.length };
  class Batch {
    async warn(notifications: readonly Notification<MyContext, { id: number }>[]): Promise<NotificationResult> {
      await Promise.resolve(notifications.length);
      return "requeue";
    }
  }
  const endpoints = [batches, new Batch()];
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints, { batchSize: 5, batchTimeoutMs: 1_000 });
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints, { batchSize: 5, allowRequeue: true });
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints, { batchTimeoutMs: 1_000 });
  // @ts-expect-error neither a size nor a timeout
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints, {});
  // @ts-expect-error neither a size nor a timeout
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints, { allowRequeue: true });
  // @ts-expect-error options must be given
  getBatchNotificationListener(transport, [{ topic: "t" }], endpoints);
  // @ts-expect-error a handler of single notifications
  const single: BatchNotificationEndpoint = { info: (_context: object, publisherId: string) => void publisherId };
  void single;

  // @ts-expect-error an RPC transport is no notification transport
  getNotificationListener(rpc, [{ topic: "notifications" }], [quick]);
}

export function serializers(transport: RPCTransport, serializer: Serializer<MyContext>): void {
  getRpcClient<Calculator, MyContext>(transport, { topic: "t" }, { serializer, versionCap: "1.5" });
  getRpcServer(transport, { topic: "t", server: "s" }, [{}], { serializer });
  getRpcClient<Calculator, MyContext>(transport, { topic: "t" }, { serializer: jsonPayloadSerializer });
  getRpcClient(transport, { topic: "t" }, { serializer: noOpSerializer });
  const own: Serializer<MyContext> = {
    ...jsonPayloadSerializer,
    serializeContext: ({ user }: MyContext) => ({ user }),
  };
  getRpcServer<MyContext>(transport, { topic: "t", server: "s" }, [{}], { serializer: own });
  const lenient: TransportOptions = { nonFiniteNumbers: "accept" };
  // @ts-expect-error not a way to treat them
  const unknown: TransportOptions = { nonFiniteNumbers: "null" };
  void [lenient, unknown];
  // @ts-expect-error a serializer for contexts of another kind
  getRpcClient<Calculator, { other: number }>(transport, { topic: "t" }, { serializer });
}

export function failures(error: unknown): string {
  if (error instanceof RemoteError) return error.excType;
  if (error instanceof MessagingTimeout) return error.phase;
  if (error instanceof SendQueueFull) return error.outcome;
  throw error;
}
