import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import type { TlsListenerOptions } from "@/src/transports/node/tls-pem.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { RecordingLogger } from "./recording-logger.js";

/** An intermediary that somebody guards, by passwords, tokens or certificates. */
export interface Guarded extends AsyncDisposable {
  /** Of 127.0.0.1. */
  port: number;
  /** What it has logged. */
  logger: RecordingLogger;
}

export interface EmbeddedInit extends Partial<IntermediaryOptions> {
  /** What it listens for; with `tls` that of its TLS. */
  by: "tcp" | "websocket";
  /** Absent: any free one. */
  port?: number | undefined;
  tls?: TlsListenerOptions | undefined;
}

/** Our own broker, in this process, behind a listener. */
export async function embedded({ by, port = 0, tls, ...options }: EmbeddedInit): Promise<Guarded> {
  const logger = new RecordingLogger();
  const intermediary = new Intermediary({ kind: "broker", logger, ...options });
  const at = { host: "127.0.0.1", port, maxConnections: 10, accept: intermediary.accept, tls, logger };
  const listening = await (by === "tcp" ? listenTcp(at) : listenWebSocket({ ...at, maxMessageBytes: 65_536 }));
  return {
    port: listening.port,
    logger,
    async [Symbol.asyncDispose]() {
      await intermediary.close();
      await listening.close();
    },
  };
}
