import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ArtemisInit, type ArtemisLogin, artemisFiles } from "./artemis-files.js";
import { PEM_CONFIG, withTlsAcceptor } from "./artemis-tls.js";
import { Child, leashed } from "./child.js";

/** Where an Artemis listens: AMQP over TCP and over WebSocket on the same port of 127.0.0.1. */
export interface ArtemisAddress {
  port: number;
  /** Who may log in. Absent: everybody, as anybody. */
  login?: ArtemisLogin | undefined;
}

const VERSION = "2.44.0";
const HOME = fileURLToPath(new URL(`../../.cache/apache-artemis-${VERSION}`, import.meta.url));

/**
 * ActiveMQ Artemis, a broker that is not ours, started from the distribution that scripts/setup.sh unpacks. Its instance
 * is a few configuration files in a temporary folder, made for each start, so that any number may run at a time.
 */
export class Artemis implements AsyncDisposable {
  readonly address: ArtemisAddress;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(address: ArtemisAddress, child: Child, folder: string) {
    this.address = address;
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves when it accepts connections: with `tls` those of clients with a certificate that the tests' CA has signed. */
  static async start({ tls = false, edit = same, ...init }: ArtemisInit & { tls?: boolean }): Promise<Artemis> {
    if (!existsSync(HOME)) {
      throw new Error(`ActiveMQ Artemis ${VERSION} is not there (${HOME}). Install it with: bash scripts/setup.sh`);
    }
    const folder = await mkdtemp(join(tmpdir(), `artemis-${init.addressing}-`));
    await mkdir(join(folder, "etc"));
    const withTls = (xml: string): string => withTlsAcceptor(edit(xml), join(folder, "etc", "tls.pemcfg"));
    const files = artemisFiles(folder, { ...init, edit: tls ? withTls : edit });
    if (tls) files["tls.pemcfg"] = PEM_CONFIG;
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, "etc", name), text);
    }
    const child = new Child({
      name: `Artemis (${init.addressing})`,
      command: leashed(java(folder)),
    });
    try {
      const port = await child.waitFor("its acceptor", acceptorPort, 60_000);
      await child.waitFor("the active server", (line) => line.includes("AMQ221007") || undefined, 60_000);
      return new Artemis({ port, login: init.login }, child, folder);
    } catch (error) {
      await child.stop();
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function same(xml: string): string {
  return xml;
}

function java(folder: string): string[] {
  return [
    "java",
    "-Xmx512M",
    "-Dlog4j2.disableJmx=true",
    "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
    `-Djava.security.auth.login.config=${folder}/etc/login.config`,
    `-Dartemis.home=${HOME}`,
    `-Dartemis.instance=${folder}`,
    `-Dartemis.instance.etc=${folder}/etc`,
    `-Ddata.dir=${folder}/data`,
    `-Djava.io.tmpdir=${folder}`,
    "-classpath",
    `${HOME}/lib/artemis-boot.jar`,
    "org.apache.activemq.artemis.boot.Artemis",
    "run",
  ];
}

/** It is told to take any free port, and says in its log which one it took. */
function acceptorPort(line: string): number | undefined {
  const port = /AMQ221020: Started \S+ Acceptor at 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}
