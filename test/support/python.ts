import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TargetInit } from "@/src/driver/target.js";
import { toJson } from "@/src/driver/values/json.js";
import { Child } from "./child.js";

/** A process that runs one of test/peers: the real oslo.messaging, with its AMQP 1.0 driver. */
class PythonPeer implements AsyncDisposable {
  protected readonly child: Child;

  protected constructor(child: Child) {
    this.child = child;
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export interface PythonServerInit {
  /** Options of [oslo_messaging_amqp] in its query. */
  url: string;
  topic: string;
  server: string;
  exchange?: string | undefined;
}

/**
 * An RPC server with the methods of test/peers/py_server.py. Once started it has asked for its links, but the peer may
 * not have attached them yet: a call that is answered shows that it has.
 */
export class PythonServer extends PythonPeer {
  static async start({ url, topic, server, exchange }: PythonServerInit): Promise<PythonServer> {
    const options = exchange === undefined ? [] : ["--exchange", exchange];
    return new PythonServer(await startPeer("py_server.py", url, "--topic", topic, "--server", server, ...options));
  }

  /** Resolves when `note` has been called with this argument. */
  async noted(arg: string): Promise<void> {
    await this.child.waitForJson(`the note ${arg}`, ({ note }) => (note === arg ? true : undefined));
  }
}

export interface PythonCall {
  target: TargetInit;
  method: string;
  args?: object | undefined;
  /** More arguments, as Python's float() reads them: "nan", "-inf". */
  floats?: Readonly<Record<string, string>> | undefined;
  context?: object | undefined;
  /** Seconds, as in Python; it counts whole ones. Default 15. */
  timeout?: number | undefined;
  callMonitorTimeout?: number | undefined;
  retry?: number | undefined;
}

/** An exception of the Python library, with the attributes that it has. */
export class PythonError extends Error {
  override readonly name = "PythonError";
  readonly type: string;
  readonly module: string;
  readonly excType: unknown;
  readonly value: unknown;
  readonly code: unknown;

  constructor(error: PythonErrorJson) {
    super(`${error.module}.${error.type}: ${error.message}`);
    this.type = error.type;
    this.module = error.module;
    this.excType = error.excType;
    this.value = error.value;
    this.code = error.code;
  }
}

interface PythonErrorJson {
  type: string;
  module: string;
  message: string;
  excType?: unknown;
  value?: unknown;
  code?: unknown;
}

/** An RPC client. Calls run side by side. */
export class PythonClient extends PythonPeer {
  #ids = 0;

  static async start(url: string): Promise<PythonClient> {
    return new PythonClient(await startPeer("py_client.py", url));
  }

  /** Rejects with PythonError when the library raises. */
  async call(call: PythonCall): Promise<unknown> {
    return await this.#perform("call", call);
  }

  async cast(call: PythonCall): Promise<void> {
    await this.#perform("cast", call);
  }

  async #perform(kind: "call" | "cast", { target, timeout = 15, ...call }: PythonCall): Promise<unknown> {
    this.#ids += 1;
    const id = this.#ids;
    this.child.write(toJson({ id, kind, target: snakeCased(target), timeout, ...call }));
    const answer = await this.child.waitForJson(`the end of its ${kind} of ${call.method}`, (line) =>
      line["id"] === id ? line : undefined,
    );
    if (answer["error"] !== undefined) throw new PythonError(answer["error"] as PythonErrorJson);
    return answer["value"];
  }
}

export interface PythonNotification {
  driver: "messaging" | "messagingv2";
  topic: string;
  priority: string;
  publisherId: string;
  eventType: string;
  payload: unknown;
  context?: object | undefined;
}

/** A notifier. What it sends goes side by side. */
export class PythonNotifier extends PythonPeer {
  #ids = 0;

  static async start(url: string): Promise<PythonNotifier> {
    return new PythonNotifier(await startPeer("py_notifier.py", url));
  }

  /** Resolves when the library is done with it, whether it was delivered or not: it does not tell. */
  async notify(notification: PythonNotification): Promise<void> {
    this.#ids += 1;
    const id = this.#ids;
    this.child.write(JSON.stringify({ id, ...notification }));
    const isIt = (line: Readonly<Record<string, unknown>>): true | undefined => (line["id"] === id ? true : undefined);
    await this.child.waitForJson(`the end of its notification ${notification.eventType}`, isIt);
  }
}

/** A notification as the Python listener's endpoint got it. */
export interface SeenByPython {
  priority: string;
  context: unknown;
  publisherId: string;
  eventType: string;
  payload: unknown;
  metadata: { message_id: string; timestamp: string };
}

/** A notification listener for all priorities. It puts back, the first time, what has `requeue: true` in its payload. */
export class PythonListener extends PythonPeer {
  static async start(url: string, topic: string): Promise<PythonListener> {
    return new PythonListener(await startPeer("py_notify_listener.py", url, "--topic", topic));
  }

  /** Resolves with the next one of this event type. */
  async saw(eventType: string): Promise<SeenByPython> {
    return await this.child.waitForJson(`a notification ${eventType}`, ({ notification }) => {
      const seen = notification as SeenByPython | undefined;
      return seen?.eventType === eventType ? seen : undefined;
    });
  }
}

/** A batch as the Python listener's endpoint got it. */
export interface BatchSeenByPython {
  priority: string;
  events: readonly string[];
}

/** A batch notification listener for the priorities info and error. */
export class PythonBatchListener extends PythonPeer {
  /** @param batchTimeout Whole seconds, as in Python. */
  static async start(
    url: string,
    topic: string,
    { batchSize, batchTimeout }: { batchSize: number; batchTimeout: number },
  ): Promise<PythonBatchListener> {
    const limits = ["--batch-size", `${batchSize}`, "--batch-timeout", `${batchTimeout}`];
    return new PythonBatchListener(await startPeer("py_batch_listener.py", url, "--topic", topic, ...limits));
  }

  /** Resolves with the next one. */
  async next(): Promise<BatchSeenByPython> {
    return await this.child.waitForJson("a batch", ({ batch }) => batch as BatchSeenByPython | undefined);
  }
}

const PYTHON = "/usr/bin/python3";
const INSTALL = "Install it with: bash scripts/setup.sh";

/** -B: no compiled files beside the scripts. */
async function startPeer(script: string, url: string, ...args: string[]): Promise<Child> {
  if (!existsSync(PYTHON)) throw new Error(`Python's oslo.messaging is not there: no ${PYTHON}. ${INSTALL}`);
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
  const child = new Child({ name: script, command: [PYTHON, "-B", path, "--url", url, ...args] });
  try {
    await child.waitForJson("its start", ({ ready }) => (ready === true ? true : undefined));
  } catch (error) {
    await child.stop();
    if (!child.stderr.includes("ModuleNotFoundError")) throw error;
    throw new Error(`Python's oslo.messaging is not there. ${INSTALL}`, { cause: error });
  }
  return child;
}

/** om.Target's keyword arguments. */
function snakeCased({ legacyNamespaces, ...target }: TargetInit): object {
  return legacyNamespaces === undefined ? target : { ...target, legacy_namespaces: legacyNamespaces };
}
