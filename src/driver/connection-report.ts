/** Members of the reports on a connection of any protocol. */
interface CommonReport {
  /** `name:port`. */
  readonly host: string;
  /** True when the connection uses TLS. */
  readonly encrypted: boolean;
  /** SASL mechanism. Empty without SASL. */
  readonly mechanism: string;
  /** Product name that the peer states. */
  readonly product: string | undefined;
  /** Version of the product that the peer states. */
  readonly version: string | undefined;
  /** Time from a request to the peer's answer, in milliseconds. */
  readonly roundTripMs: number;
}

/** Report on a connection of AMQP 1.0 and its peer. */
export interface AmqpConnectionReport extends CommonReport {
  /** Protocol of the connection. */
  readonly protocol: "AMQP 1.0";
  /** Address format: `addressing_mode`, or the format that the product needs. */
  readonly addressing: "legacy" | "routable";
  /** True when the peer creates addresses for replies. Calls need them. */
  readonly dynamicReplies: boolean;
  /** Messages for the target that the peer accepts now. 0: it granted no credit within 1 s. Omitted without a target. */
  readonly credit?: number | undefined;
}

/** An exchange or a queue of a target, as the broker has it. */
export interface DeclaredEntity {
  /** Kind of the entity. */
  readonly kind: "exchange" | "queue";
  /** Name of the exchange or the queue. */
  readonly name: string;
  /**
   * `declared`: it exists, as the options say. `different`: it exists with other properties, and is used as it is. `refused`:
   * it exists, and this user may not declare it. `missing`: it does not exist: its first server or listener declares it.
   */
  readonly state: "declared" | "different" | "refused" | "missing";
  /** The broker's reason of `different` and `refused`. */
  readonly reason?: string | undefined;
}

/** Report on a connection to RabbitMQ: of AMQP 0-9-1, or of AMQP 1.0 to RabbitMQ 4. */
export interface RabbitConnectionReport extends CommonReport {
  /** Protocol of the connection. `"virtualHost" in report` tells the kind of the report. */
  readonly protocol: "AMQP 0-9-1" | "AMQP 1.0";
  /** The virtual host of the connection. */
  readonly virtualHost: string;
  /**
   * Interval of heartbeats that both sides have agreed upon, in milliseconds. By AMQP 1.0 the idle-time-out of the broker. 0:
   * none.
   */
  readonly heartbeatMs: number;
  /** Reason why the broker accepts no messages at present: an alarm. */
  readonly blocked?: string | undefined;
  /** Exchanges and queues of the target. Omitted without a target. */
  readonly declared?: readonly DeclaredEntity[] | undefined;
}

/** Report on a connection and its peer. `virtualHost` in it tells its kind. */
export type ConnectionReport = AmqpConnectionReport | RabbitConnectionReport;
