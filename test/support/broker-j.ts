import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveOptions } from "@/src/driver/options/options.js";
import { brokerJ } from "@/src/recipes/broker-j.js";
import { Child, leashed } from "./child.js";

const VERSION = "9.2.1";
const HOME = fileURLToPath(new URL(`../../.cache/apache-qpid-broker-j-${VERSION}`, import.meta.url));

/**
 * Apache Qpid Broker-J, a broker that is not ours, started with its recipe from the distribution that scripts/setup.sh
 * unpacks. It works in a temporary folder, lets everybody in, and takes any free ports of 127.0.0.1.
 */
export class BrokerJ implements AsyncDisposable {
  /** For AMQP over TCP and over WebSocket. */
  readonly ports: { readonly tcp: number; readonly ws: number };
  readonly #child: Child;
  readonly #folder: string;

  private constructor(ports: BrokerJ["ports"], child: Child, folder: string) {
    this.ports = ports;
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves when it accepts connections. */
  static async start(): Promise<BrokerJ> {
    if (!existsSync(HOME)) {
      throw new Error(`Qpid Broker-J ${VERSION} is not there (${HOME}). Install it with: bash scripts/setup.sh`);
    }
    const folder = await mkdtemp(join(tmpdir(), "broker-j-"));
    const recipe = brokerJ({ options: resolveOptions({}), host: "127.0.0.1", port: 0, wsPort: 0, anonymous: true });
    await writeFile(join(folder, "config.json"), recipe);
    const child = new Child({ name: "Broker-J", command: leashed(java(folder)) });
    try {
      const listening = (transport: string) =>
        child.waitFor(`its ${transport} port`, (line) => portOf(line, transport), 60_000);
      const [tcp, ws] = await Promise.all([listening("TCP"), listening("WS")]);
      await child.waitFor("the broker", (line) => line.includes("BRK-1004") || undefined, 60_000);
      return new BrokerJ({ tcp, ws }, child, folder);
    } catch (error) {
      await child.stop();
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function java(folder: string): string[] {
  return [
    "java",
    "-Xmx256M",
    "-XX:MaxDirectMemorySize=256M",
    `-DQPID_HOME=${HOME}`,
    `-DQPID_WORK=${folder}`,
    "-classpath",
    `${HOME}/lib/*`,
    "org.apache.qpid.server.Main",
    "-icp",
    join(folder, "config.json"),
    "-st",
    "Memory",
  ];
}

/** It is told to take any free port, and says which one it took. */
function portOf(line: string, transport: string): number | undefined {
  const port = new RegExp(`BRK-1002 : Starting : Listening on ${transport} port (\\d+)`).exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}
