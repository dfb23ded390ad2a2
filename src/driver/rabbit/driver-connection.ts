import type { StatusSink } from "../../core/connection/status.js";
import type { ManagedConnection } from "../../core/connection/supervisor.js";
import { ConnectionLost } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import type { Log, RecurringWarnings } from "../../core/recurring-warnings.js";
import type { Peer } from "../driver.js";
import { Pauses } from "../sending/pauses.js";
import type { BrokerConnection, ConsumerChannel } from "./broker-connection.js";
import { Declarer } from "./declarer.js";
import type { ResolvedRabbitOptions } from "./option-table.js";

/** With `kombu_reconnect_delay=0` a refused queue must not keep the broker busy. */
const SHORTEST_PAUSE_MS = 100;

export interface DriverConnectionInit extends Log {
  connection: BrokerConnection;
  /** `name:port`, for status and logs. */
  host: string;
  options: Pick<ResolvedRabbitOptions, "kombuReconnectDelayMs">;
  status: StatusSink;
}

/** One connection of the driver, from its open to its end. */
export class DriverConnection implements ManagedConnection {
  readonly declarer: Declarer;
  readonly closed: Promise<Error | undefined>;
  /** `name:port`. */
  readonly host: string;
  readonly logger: Logger;
  readonly warnings: RecurringWarnings;
  /** The connection below. */
  readonly broker: BrokerConnection;
  readonly #status: StatusSink;
  /** Begins the warning about something that is refused, before its name. */
  readonly #problem: string;
  readonly #pauses: Pauses;
  /** The newest last. */
  readonly #refusals = new Map<string, Error>();
  #endedBy: Error | undefined;

  constructor({ connection, host, options, status, logger, warnings }: DriverConnectionInit, problem: string) {
    this.broker = connection;
    this.#status = status;
    this.#problem = problem;
    this.host = host;
    this.logger = logger;
    this.warnings = warnings;
    this.#pauses = new Pauses(Math.max(options.kombuReconnectDelayMs, SHORTEST_PAUSE_MS));
    this.declarer = new Declarer({ connection, warnings });
    this.closed = connection.closed.then((cause) => this.#end(cause));
  }

  get isOpen(): boolean {
    return this.broker.isOpen;
  }

  get product(): string | undefined {
    return this.broker.product;
  }

  get peer(): Peer {
    return { kind: "broker", product: this.product, host: this.host };
  }

  /** Cause of the connection's end. Undefined while it is open, and when it was closed here. */
  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  /** Error for everything that the connection can no longer do. */
  get lost(): Error {
    return this.#endedBy ?? new ConnectionLost(`${this.host}: the connection was closed`);
  }

  openConsumers(prefetch: number): Promise<ConsumerChannel> {
    return this.broker.openConsumers(prefetch);
  }

  /** The wait before something refused is tried again. Resolves after `kombu_reconnect_delay`, or when the connection ends. */
  pause(): Promise<void> {
    return this.#pauses.pause();
  }

  /** Called when something of this name is refused. A warning is logged, and the status reports the newest until it is restored. */
  refused(address: string, error: Error): void {
    if (!this.isOpen) return;
    this.#refusals.delete(address);
    this.#refusals.set(address, error);
    this.#status.set({ type: "refused", address, error });
    const problem = `${this.#problem} ${address}`;
    this.warnings.warn(problem, `${problem}: ${error.message}`, { host: this.host });
  }

  /** Called when it is not refused any more, or no longer needed. */
  restored(address: string): void {
    const [shown] = [...this.#refusals].at(-1) ?? [];
    if (!this.#refusals.delete(address) || address !== shown || !this.isOpen) return;
    const newest = [...this.#refusals].at(-1);
    if (newest !== undefined) this.#status.set({ type: "refused", address: newest[0], error: newest[1] });
    else this.#status.set({ type: "connected", host: this.host, product: this.product });
  }

  /** Error of what has this name while it is refused. */
  refusalOf(address: string): Error | undefined {
    return this.#refusals.get(address);
  }

  check(): void {
    this.broker.check();
  }

  async close(): Promise<void> {
    await this.broker.close();
  }

  #end(cause: Error | undefined): Error | undefined {
    this.#endedBy = cause;
    this.#pauses.end();
    return cause;
  }
}
