import { fileURLToPath } from "node:url";
import { Child } from "../support/child.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The playground, as `npm start` runs it once everything is built. */
export class RunningPlayground implements AsyncDisposable {
  readonly pageUrl: string;
  readonly tcpUrl: string;
  readonly webSocketUrl: string;
  readonly #child: Child;

  private constructor(child: Child, pageUrl: string, webSocketUrl: string, tcpUrl: string) {
    this.#child = child;
    this.pageUrl = pageUrl;
    this.webSocketUrl = webSocketUrl;
    this.tcpUrl = tcpUrl;
  }

  static async start(): Promise<RunningPlayground> {
    const child = playground("--import", "./test/browser/leash.ts", "playground/serve.ts");
    const urlOn = (what: string): Promise<string> =>
      child.waitFor(what, (line) => (line.startsWith(what) ? /\S+:\/\/\S+/.exec(line)?.[0] : undefined));
    try {
      const pageUrl = await urlOn("The playground is at");
      const webSocketUrl = await urlOn("AMQP 1.0 over WebSocket");
      return new RunningPlayground(child, pageUrl, webSocketUrl, await urlOn("AMQP 1.0 over TCP"));
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** As Ctrl-C does. Resolves with the exit status. */
  async interrupt(): Promise<number | undefined> {
    this.#child.kill("SIGINT");
    return await this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
  }
}

/** Node running a script of the playground, with these arguments. */
export function playground(...args: readonly string[]): Child {
  return new Child({ name: "the playground", command: [process.execPath, "--import", "tsx", ...args], cwd: ROOT });
}
