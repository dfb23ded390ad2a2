import type {
  CallRequest,
  CastRequest,
  Driver,
  DriverListener,
  IncomingMessage,
  ListenOptions,
  NotifyRequest,
  OnIncoming,
  Peer,
} from "@/src/driver/driver.js";
import type { RemoteFailure } from "@/src/driver/exceptions.js";
import type { Target } from "@/src/driver/target.js";
import type { NotificationTransport, RPCTransport } from "@/src/driver/transport.js";
import { Deferred } from "./deferred.js";
import { RecordingLogger } from "./recording-logger.js";

/** Keeps what it is asked for, and answers as the test says. */
export class FakeDriver implements Driver {
  readonly calls: CallRequest[] = [];
  readonly casts: CastRequest[] = [];
  readonly notifications: NotifyRequest[] = [];
  readonly listeners: FakeListener[] = [];
  readonly logger = new RecordingLogger();
  answer: (request: CallRequest) => unknown = () => null;
  take: (request: CastRequest | NotifyRequest) => void = () => {};
  /** Resolves when the peer has attached the links. */
  attach: (listener: FakeListener) => Promise<void> = async () => {};

  get rpcTransport(): RPCTransport {
    return { driver: this, logger: this.logger, rpcResponseTimeoutMs: 60_000 } as unknown as RPCTransport;
  }

  get notificationTransport(): NotificationTransport {
    return { driver: this, logger: this.logger } as unknown as NotificationTransport;
  }

  /** The listener that was made last. */
  get listener(): FakeListener {
    const last = this.listeners.at(-1);
    if (last === undefined) throw new Error("nobody listens");
    return last;
  }

  async call(request: CallRequest): Promise<unknown> {
    this.calls.push(request);
    return await this.answer(request);
  }

  async cast(request: CastRequest): Promise<void> {
    this.casts.push(request);
    this.take(request);
  }

  async notify(request: NotifyRequest): Promise<void> {
    this.notifications.push(request);
    this.take(request);
  }

  listen(target: Target, on: OnIncoming, options: ListenOptions = {}): Promise<DriverListener> {
    return this.listenForNotifications([target], on, options);
  }

  async listenForNotifications(
    targets: readonly Target[],
    on: OnIncoming,
    options: ListenOptions = {},
  ): Promise<DriverListener> {
    const listener = new FakeListener(targets, on, options);
    this.listeners.push(listener);
    await Promise.race([this.attach(listener), rejectedBy(options.signal)]);
    return listener;
  }
}

export class FakeListener implements DriverListener {
  readonly events: string[] = [];
  readonly targets: readonly Target[];
  readonly options: ListenOptions;
  readonly #on: OnIncoming;
  readonly #closed = new Deferred();
  readonly closed = this.#closed.promise;
  withdraw: () => Promise<void> = async () => {};
  peer: Peer | undefined = { kind: "broker", product: "test-broker", host: "test:5672" };

  constructor(targets: readonly Target[], on: OnIncoming, options: ListenOptions) {
    this.targets = targets;
    this.#on = on;
    this.options = options;
  }

  deliver(init: IncomingInit): FakeIncoming {
    const message = new FakeIncoming(init);
    this.#on(message);
    return message;
  }

  /** One that the test made. */
  deliverMessage(message: IncomingMessage): void {
    this.#on(message);
  }

  async stop(): Promise<void> {
    this.events.push("stop");
    await this.withdraw();
  }

  async close(): Promise<void> {
    this.events.push("close");
    this.#closed.resolve();
  }
}

export interface IncomingInit {
  body?: unknown;
  context?: object;
  messageId?: string | undefined;
  wantsReply?: boolean;
  callMonitorTimeoutMs?: number | undefined;
}

export type Answer = { readonly value: unknown } | { readonly failure: RemoteFailure };

/** Says in `events` what was done with it, in order. */
export class FakeIncoming implements IncomingMessage {
  readonly body: unknown;
  readonly context: object;
  readonly messageId: string | undefined;
  readonly wantsReply: boolean;
  readonly callMonitorTimeoutMs: number | undefined;
  readonly connection = new AbortController();
  readonly events: string[] = [];
  readonly settled: Promise<void>;
  readonly answered: Promise<Answer>;
  heartbeats = 0;
  /** Its link went while it was in hand. */
  orphaned = false;
  /** When it throws, the reply cannot be made. */
  encode: (value: unknown) => void | Promise<void> = () => {};
  onHeartbeat: () => void = () => {};
  #settle: () => void = () => {};
  #answer: (answer: Answer) => void = () => {};

  constructor(init: IncomingInit) {
    const { body, context = {}, messageId = "m1", wantsReply = true, callMonitorTimeoutMs } = init;
    this.body = body;
    this.context = context;
    this.messageId = messageId;
    this.wantsReply = wantsReply;
    this.callMonitorTimeoutMs = callMonitorTimeoutMs;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.answered = new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.connection.signal;
  }

  acknowledge(): void {
    this.events.push("acknowledge");
    this.#settle();
  }

  requeue(): void {
    this.events.push("requeue");
    this.#settle();
  }

  async reply(value: unknown): Promise<void> {
    await this.encode(value);
    this.events.push("reply");
    this.#answer({ value });
  }

  async replyFailure(failure: RemoteFailure): Promise<void> {
    this.events.push("failure");
    this.#answer({ failure });
  }

  heartbeat(): void {
    this.heartbeats += 1;
    this.onHeartbeat();
  }
}

function rejectedBy(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}
