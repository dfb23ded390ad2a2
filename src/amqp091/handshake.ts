import { AuthenticationError } from "../core/errors.js";
import { describeLogin } from "../core/sasl/client/mechanism-choice.js";
import { printable } from "../core/sasl/mechanism.js";
import type { Credentials } from "../core/sasl/sasl.js";
import type { Amqp091Error } from "./errors.js";
import type { FieldTable } from "./field-table.js";
import { FRAME_MIN_SIZE } from "./frames.js";
import { type LoginMechanism, loginResponse } from "./login.js";
import { fieldsOf, type ReceivedMethod } from "./method-codec.js";
import type { Fields, MethodName, SentFields } from "./methods.js";
import { readText } from "./reader.js";
import { ACCESS_REFUSED, COMMAND_INVALID, NOT_IMPLEMENTED, SYNTAX_ERROR } from "./reply-codes.js";
import { violation } from "./violation.js";

/** Most channels and largest frame that are requested of the peer: those of RabbitMQ. */
const CHANNEL_MAX = 2_047;
export const FRAME_MAX = 131_072;
const MAX_HEARTBEAT_S = 65_535;
/** The only language of texts that RabbitMQ has. */
const LOCALE = "en_US";

export interface HandshakeOptions {
  mechanism: LoginMechanism;
  credentials: Credentials | undefined;
  virtualHost: string;
  /** Client properties, with the `capabilities` that the caller wants. */
  clientProperties: FieldTable;
  /** Longest interval without a heartbeat that this side proposes, rounded up to seconds. 0: no heartbeats. */
  heartbeatMs: number;
}

/** What both sides have agreed upon. */
export interface Tuning {
  channelMax: number;
  /** Largest frame, in bytes. */
  maxFrameBytes: number;
  /** 0: no heartbeats. */
  heartbeatMs: number;
}

export interface HandshakeEvents {
  send<M extends MethodName>(name: M, fields: SentFields<M>): void;
  /** Called before tune-ok is sent. */
  onTune(tuning: Tuning): void;
  onOpen(): void;
}

/** The methods from connection.start to connection.open-ok. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #events: HandshakeEvents;
  #expected: "connection.start" | "connection.tune" | "connection.open-ok" = "connection.start";
  /** Properties of the server. Empty until connection.start has arrived. */
  serverProperties: FieldTable = {};

  constructor(options: HandshakeOptions, events: HandshakeEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** True once the peer has shown that it speaks AMQP 0-9-1. */
  get hasStarted(): boolean {
    return this.#expected !== "connection.start";
  }

  /**
   * Handles a method of the peer.
   *
   * @throws AuthenticationError when the peer does not offer the mechanism, or it cannot be used with the credentials.
   * @throws Amqp091Error when the method is not the next one, or requires what is not possible.
   */
  receive(received: ReceivedMethod): void {
    switch (this.#expected) {
      case "connection.start":
        return this.#onStart(fieldsOf(received, "connection.start"));
      case "connection.tune":
        if (received.method.name === "connection.secure") {
          throw violation(COMMAND_INVALID, `COMMAND_INVALID - ${this.#options.mechanism} has no challenge`);
        }
        return this.#onTune(fieldsOf(received, "connection.tune"));
      default:
        fieldsOf(received, "connection.open-ok");
        return this.#events.onOpen();
    }
  }

  /** The error of a connection that the peer closed during the handshake: a refused login is an AuthenticationError. */
  refusal(error: Amqp091Error): Error {
    if (this.#expected !== "connection.tune" || error.code !== ACCESS_REFUSED) return error;
    const { mechanism, credentials } = this.#options;
    const refused = new AuthenticationError(`${describeLogin(mechanism, credentials)} failed: ${error.message}`);
    refused.cause = error;
    return refused;
  }

  #onStart({ versionMajor, versionMinor, serverProperties, mechanisms }: Fields<"connection.start">): void {
    if (versionMajor !== 0 || versionMinor !== 9) {
      const text = `NOT_IMPLEMENTED - the peer speaks AMQP ${versionMajor}-${versionMinor}, not AMQP 0-9`;
      throw violation(NOT_IMPLEMENTED, text);
    }
    const { mechanism, credentials, clientProperties } = this.#options;
    const offered = readText(mechanisms, 0, mechanisms.length).split(" ");
    if (!offered.includes(mechanism)) {
      const theirs = offered.map(printable).join(", ");
      throw new AuthenticationError(
        `no common SASL mechanism: the peer offers ${theirs}, the client allows ${mechanism}`,
      );
    }
    this.serverProperties = serverProperties;
    const response = loginResponse(mechanism, credentials);
    this.#expected = "connection.tune";
    this.#events.send("connection.start-ok", { clientProperties, mechanism, response, locale: LOCALE });
  }

  #onTune({ channelMax, frameMax, heartbeat }: Fields<"connection.tune">): void {
    if (frameMax !== 0 && frameMax < FRAME_MIN_SIZE) {
      throw violation(SYNTAX_ERROR, `SYNTAX_ERROR - frame-max of ${frameMax} bytes, at least ${FRAME_MIN_SIZE}`);
    }
    const wanted = Math.min(Math.ceil(this.#options.heartbeatMs / 1000), MAX_HEARTBEAT_S);
    const seconds = wanted === 0 ? 0 : smaller(heartbeat, wanted);
    const tuning = {
      channelMax: smaller(channelMax, CHANNEL_MAX),
      maxFrameBytes: smaller(frameMax, FRAME_MAX),
      heartbeatMs: seconds * 1000,
    };
    this.#expected = "connection.open-ok";
    this.#events.onTune(tuning);
    this.#events.send("connection.tune-ok", {
      channelMax: tuning.channelMax,
      frameMax: tuning.maxFrameBytes,
      heartbeat: seconds,
    });
    this.#events.send("connection.open", { virtualHost: this.#options.virtualHost });
  }
}

/** The smaller one of two limits. 0 of the peer means no limit. */
function smaller(theirs: number, ours: number): number {
  return theirs === 0 ? ours : Math.min(theirs, ours);
}
