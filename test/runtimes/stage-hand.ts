import { getRpcServer, getRpcTransport } from "../../src/entry/node.js";
import { uniqueTopic } from "../support/bed.js";
import {
  type PythonCall,
  PythonClient,
  PythonListener,
  type PythonNotification,
  PythonNotifier,
  PythonServer,
} from "../support/python.js";
import type { Setting, StageHandMethods } from "./scenario.js";

/** Everything beside the runtime: Python's peers on the TCP side of a bus, and who orders them about. */
export class StageHand implements AsyncDisposable {
  /** Where everybody is. */
  readonly setting: Omit<Setting, "url">;
  readonly #url: string;
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(url: string) {
    this.#url = url;
    this.setting = {
      pythonTopic: uniqueTopic("python"),
      pythonNotifications: uniqueTopic("notifications"),
      stageHandTopic: uniqueTopic("stage-hand"),
    };
  }

  /** `url` is the one for Python. */
  static async start(url: string): Promise<StageHand> {
    const hand = new StageHand(url);
    try {
      await hand.#start();
      return hand;
    } catch (error) {
      await hand[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { pythonTopic, pythonNotifications, stageHandTopic } = this.setting;
    const url = this.#url;
    const [server, client, notifier, listener] = await Promise.all([
      this.#keep(PythonServer.start({ url, topic: pythonTopic, server: "python" })),
      this.#keep(PythonClient.start(url)),
      this.#keep(PythonNotifier.start(url)),
      this.#keep(PythonListener.start(url, pythonNotifications)),
    ]);
    const methods: Methods = {
      pythonCall: (_context, call) => client.call(call as PythonCall),
      pythonNotify: (_context, notification) => notifier.notify(notification as PythonNotification),
      pythonSaw: (_context, { eventType }) => listener.saw(eventType),
      pythonNoted: (_context, { arg }) => server.noted(arg),
    };
    const transport = getRpcTransport(url);
    this.#closers.push(() => transport.close());
    await getRpcServer(transport, { topic: stageHandTopic, server: "stage-hand" }, [methods]).start();
  }

  async #keep<P extends AsyncDisposable>(starting: Promise<P>): Promise<P> {
    const peer = await starting;
    this.#closers.push(async () => peer[Symbol.asyncDispose]());
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()));
  }
}

type Methods = {
  [M in keyof StageHandMethods]: (
    context: object,
    args: Parameters<StageHandMethods[M]>[0],
  ) => ReturnType<StageHandMethods[M]>;
};
