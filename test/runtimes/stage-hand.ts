import { getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { usesTls } from "@/src/transports/scheme.js";
import { Host, type HostScheme } from "../suites/host.js";
import { webSocketServer } from "../suites/peers.js";
import { uniqueTopic } from "../support/bed.js";
import type { Bus, BusPlan } from "../support/bus.js";
import { embedded } from "../support/embedded.js";
import { PythonClient, PythonError, PythonListener, PythonNotifier, PythonServer } from "../support/python.js";
import { SERVER } from "../support/tls.js";
import type { Setting, StageHandMethods } from "./scenario.js";

/** What is to be escaped in URLs and in SCRAM, and prepared by SASLprep. */
const LOGIN = { username: "jo=e,ü", password: "p:a/s@s ß", token: "t0ken" };

/** Through a router a requeued notification goes back to its sender, who tries again after this option's time. */
const SOON = { link_retry_delay: "1" };

/** Everything beside the runtime: Python's peers on the TCP side of a bus, other places, and who orders them about. */
export class StageHand implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #plan: BusPlan;
  readonly #scheme: HostScheme;
  readonly #kept: AsyncDisposable[] = [];

  private constructor(bus: Bus, plan: BusPlan, scheme: HostScheme) {
    this.#bus = bus;
    this.#plan = plan;
    this.#scheme = scheme;
  }

  /** Gives the setting of a runtime that uses this scheme, too. */
  static async start(bus: Bus, plan: BusPlan, scheme: HostScheme): Promise<{ hand: StageHand; setting: Setting }> {
    const hand = new StageHand(bus, plan, scheme);
    try {
      return { hand, setting: await hand.#start() };
    } catch (error) {
      await hand[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<Setting> {
    const { kind } = this.#plan;
    const scheme = this.#scheme;
    const [pythonTopic, pythonNotifications] = [uniqueTopic("python"), uniqueTopic("notifications")];
    const url = this.#bus.url("amqp");
    const tls = usesTls({ scheme }) ? SERVER : undefined;
    const users = new Map([[LOGIN.username, LOGIN.password]]);
    const [server, client, notifier, listener, guarded, fragile, nobody, withoutSubprotocol] = await Promise.all([
      this.#keep(PythonServer.start({ url, topic: pythonTopic, server: "python" })),
      this.#keep(PythonClient.start(url)),
      this.#keep(PythonNotifier.start(this.#bus.url("amqp", SOON))),
      this.#keep(PythonListener.start(url, pythonNotifications)),
      this.#keep(
        embedded({ by: scheme.includes("ws") ? "websocket" : "tcp", tls, users, tokens: new Set([LOGIN.token]) }),
      ),
      this.#keep(Host.reserve(scheme)),
      this.#keep(Host.reserve(scheme)),
      this.#keep(webSocketServer(false)),
    ]);
    const methods: Methods = {
      pythonCall: (_context, call) => client.call(call),
      pythonRaises: (_context, call) => client.call(call).then(nothingRaised, raised),
      pythonCast: (_context, cast) => client.cast(cast),
      pythonNotify: (_context, notification) => notifier.notify(notification),
      pythonSaw: (_context, { eventType }) => listener.saw(eventType),
      pythonNoted: (_context, { arg }) => server.noted(arg),
      async start() {
        await fragile.kill();
        await fragile.start({ kind });
      },
      kill: () => fragile.kill(),
      freeze: async () => fragile.freeze(),
    };
    const stageHandTopic = await this.#serve(url, methods);
    await client.call({ target: { topic: pythonTopic }, method: "ping" }); // it is ready before its links are attached
    return {
      url: this.#bus.url(scheme),
      scheme,
      kind,
      pythonTopic,
      pythonNotifications,
      stageHandTopic,
      guarded: { url: `${scheme}://127.0.0.1:${guarded.port}/`, ...LOGIN },
      fragile: `${scheme}://${fragile.name}/`,
      nobody: `${scheme}://${nobody.name}/`,
      withoutSubprotocol: `${scheme}://127.0.0.1:${withoutSubprotocol.port}/`,
    };
  }

  async #serve(url: string, methods: Methods): Promise<string> {
    const topic = uniqueTopic("stage-hand");
    const transport = getRpcTransport(url);
    this.#kept.push(transport);
    await getRpcServer(transport, { topic, server: "stage-hand" }, [methods]).start();
    return topic;
  }

  async #keep<P extends AsyncDisposable>(starting: Promise<P>): Promise<P> {
    const started = await starting;
    this.#kept.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#kept.splice(0).map((kept) => kept[Symbol.asyncDispose]()));
  }
}

type Methods = {
  [M in keyof StageHandMethods]: (
    context: object,
    ...args: Parameters<StageHandMethods[M]>
  ) => ReturnType<StageHandMethods[M]>;
};

function nothingRaised(answer: unknown): never {
  throw new Error(`Python's client raised nothing: it was answered ${JSON.stringify(answer)}`);
}

function raised(error: unknown) {
  if (!(error instanceof PythonError)) throw error;
  const { type, module, excType, value } = error;
  return { type, module, excType, value };
}
