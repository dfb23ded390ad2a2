import Rhea, { type RheaError, type RheaLink, type RheaSession, type RheaTerminus } from "rhea/lib/connection.js";
import { AmqpError, type AmqpErrorInit, ProtocolError, toError } from "./errors.js";
import type { LinkControl, RemoteAttach, SettleMode, Terminus, TerminusInit } from "./link.js";
import type { RemoteBegin } from "./session.js";

/** What our Open says. */
export interface OpenInit {
  containerId: string;
  hostname?: string | undefined;
  maxFrameBytes: number;
  channelMax: number;
  idleTimeoutMs?: number | undefined;
  properties?: Readonly<Record<string, string | number>> | undefined;
}

/** What the peer's Open says. */
export interface RemoteOpen {
  readonly containerId: string;
  readonly hostname: string | undefined;
  readonly product: string | undefined;
  readonly version: string | undefined;
  readonly maxFrameBytes: number;
  readonly idleTimeoutMs: number | undefined;
  readonly offeredCapabilities: readonly string[];
  /** False: the peer opens only to say, in the Close behind it, why there will be no connection. */
  readonly established: boolean;
}

/** What our Begin says; the peer may attach handles up to `handleMax`. */
export interface BeginInit {
  incomingWindow: number;
  outgoingWindow: number;
  handleMax: number;
}

export interface AttachInit {
  role: "sender" | "receiver";
  name: string;
  source: TerminusInit;
  target: TerminusInit;
  maxMessageBytes: number;
}

/** What a link of ours is told. */
export interface LinkEvents {
  onAttach(remote: RemoteAttach): void;
  onDetach(remoteHandle: number, error: AmqpError | undefined): void;
}

/** What the peer's Begin says, and where it says it. */
export interface RemoteSession extends RemoteBegin {
  /** Under which the peer sends. */
  readonly channel: number;
  /** The highest handle that we may use. */
  readonly handleMax: number;
}

/** What a session is told. */
export interface SessionEvents {
  onBegin(remote: RemoteSession): void;
  onEnd(error: AmqpError | undefined): void;
  /** The peer attaches a link. Exactly one of the answers, before returning. */
  onAttachRequest(request: AttachRequest): void;
}

/** A link that the peer wants; `role` is ours. */
export interface AttachRequest {
  readonly name: string;
  readonly role: "sender" | "receiver";
  readonly remote: RemoteAttach;
  accept(termini: { source: TerminusInit; target: TerminusInit }, events: LinkEvents): LinkControl;
  refuse(error: AmqpErrorInit): void;
}

export interface SessionControl {
  /** Under which we send. */
  readonly channel: number;
  attach(init: AttachInit, events: LinkEvents): LinkControl;
}

export interface ControlEvents {
  onOpen(remote: RemoteOpen): void;
  /** The peer closed; our own Close has been written. */
  onClose(error: AmqpError | undefined): void;
  /** The peer begins a session: gives what is told of it, and throws to refuse. */
  onBeginRequest(session: SessionControl): SessionEvents;
}

/** Each costs rhea some kilobytes, also one that was refused, until the peer detaches it. */
const MAX_REMOTE_LINKS = 8_192;

/**
 * The control plane: rhea opens and closes connections, sessions and links, and this file alone knows it. rhea's timers,
 * its socket and its data path are not used: it reads one vetted frame at a time and writes at once, so that what it
 * writes stands in order with what the data plane writes. Its faults are met on instances: it keeps links and handles in
 * plain objects (names from strangers), prints what nobody listens to, and remembers links under `remote.handles` for ever.
 */
export class Control {
  readonly #rhea: Rhea;
  readonly #events: ControlEvents;
  readonly #begin: BeginInit;
  readonly #maxMessageBytes: number;
  readonly #sessions = new Map<RheaSession, SessionEvents>();
  readonly #links = new Map<RheaLink, LinkEvents>();
  /** What the peer has attached and not detached yet, taken or refused. */
  readonly #remoteLinks = new Set<RheaLink>();
  #opened = false;

  /** `write` takes each frame that is to leave; the bytes are not touched again. */
  constructor(
    open: OpenInit,
    begin: BeginInit,
    maxMessageBytes: number,
    write: (frame: Uint8Array) => void,
    events: ControlEvents,
  ) {
    this.#events = events;
    this.#begin = begin;
    this.#maxMessageBytes = maxMessageBytes;
    this.#rhea = new Rhea({
      id: open.containerId,
      container_id: open.containerId,
      hostname: open.hostname,
      max_frame_size: open.maxFrameBytes,
      channel_max: open.channelMax,
      idle_time_out: open.idleTimeoutMs,
      properties: open.properties,
      reconnect: false,
      connection_details: () => undefined,
    });
    this.#quiet(write);
    this.#listen();
  }

  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#rhea.open();
    this.#rhea._process();
  }

  /** Writes Close, and Open before it if that has not been. Idempotent. */
  close(error?: AmqpErrorInit): void {
    this.open();
    this.#rhea.close(error);
    this.#rhea._process();
  }

  /** Begins a session; `create` makes what is told of it. */
  begin<E extends SessionEvents>(create: (session: SessionControl) => E): E {
    const session = this.#rhea.create_session();
    const events = create(this.#sessionControl(session));
    this.#prepare(session, events);
    session.begin();
    session._process();
    return events;
  }

  /** Takes one frame, header included, whose values have been vetted. Throws ProtocolError. */
  receive(frame: Uint8Array): void {
    try {
      this.#rhea.amqp_transport.read(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
    } catch (error) {
      if (error instanceof AmqpError) throw error;
      const cause = toError(error);
      throw Object.assign(new ProtocolError(cause.message, "amqp:connection:framing-error"), { cause });
    }
  }

  #quiet(write: (frame: Uint8Array) => void): void {
    const rhea = this.#rhea;
    const sink = { write };
    rhea.amqp_transport.header_sent = {}; // frames.ts has exchanged the headers
    rhea.amqp_transport.header_received = {};
    rhea.output = () => rhea.amqp_transport.write(sink);
    rhea._register = () => {}; // it would write at the next tick, walking every link
    rhea.local_channel_map = Object.create(null);
    rhea.remote_channel_map = Object.create(null);
  }

  #listen(): void {
    const rhea = this.#rhea;
    rhea.on("connection_open", () => {
      this.open();
      rhea._process();
      this.#events.onOpen(toRemoteOpen(rhea.remote.open));
    });
    rhea.on("connection_error", () => {});
    rhea.on("connection_close", () => {
      this.close();
      this.#events.onClose(toAmqpError(rhea.error));
    });
    rhea.on("session_open", ({ session }) => this.#onBegin(session));
    rhea.on("session_error", () => {});
    rhea.on("session_close", ({ session }) => this.#onEnd(session));
    for (const role of ["sender", "receiver"] as const) {
      rhea.on(`${role}_open`, (context) => this.#onAttach(context[role]));
      rhea.on(`${role}_error`, () => {});
      rhea.on(`${role}_close`, (context) => this.#onDetach(context[role]));
    }
  }

  #onBegin(session: RheaSession): void {
    if (!this.#sessions.has(session)) {
      this.#prepare(session, this.#events.onBeginRequest(this.#sessionControl(session)));
      session._process();
    }
    const { channel, begin } = session.remote;
    this.#sessions.get(session)?.onBegin({
      channel,
      nextOutgoingId: begin.next_outgoing_id,
      incomingWindow: begin.incoming_window,
      handleMax: Number(begin.handle_max ?? 0xffffffff),
    });
  }

  #onEnd(session: RheaSession): void {
    session.close();
    session._process();
    for (const links of [this.#links, this.#remoteLinks]) {
      for (const link of links.keys()) if (link.session === session) links.delete(link);
    }
    const events = this.#sessions.get(session);
    this.#sessions.delete(session);
    events?.onEnd(toAmqpError(session.error));
  }

  #onAttach(link: RheaLink | undefined): void {
    const attach = link?.remote.attach;
    if (link === undefined || attach === undefined) return;
    if (attach.handle > this.#begin.handleMax) {
      throw new ProtocolError(`link ${link.name} attached with handle ${attach.handle}, over ${this.#begin.handleMax}`);
    }
    const known = this.#links.get(link);
    if (known !== undefined) return known.onAttach(toRemoteAttach(attach));
    if (this.#remoteLinks.size >= MAX_REMOTE_LINKS) {
      throw new ProtocolError(`more than ${MAX_REMOTE_LINKS} links`, "amqp:resource-limit-exceeded");
    }
    this.#remoteLinks.add(link);
    this.#onAttachRequest(link, toRemoteAttach(attach));
  }

  #onAttachRequest(link: RheaLink, remote: RemoteAttach): void {
    const role = link.is_receiver() ? "receiver" : "sender";
    this.#sessions.get(link.session)?.onAttachRequest({
      name: link.name,
      role,
      remote,
      accept: ({ source, target }, events) => {
        link.set_source(toRheaTerminus(source));
        link.set_target(toRheaTerminus(target));
        link.local.attach.max_message_size = this.#maxMessageBytes;
        this.#links.set(link, events);
        link._process();
        return linkControl(link);
      },
      refuse: (error) => {
        link._process();
        link.close(error);
        link._process();
      },
    });
  }

  #onDetach(link: RheaLink | undefined): void {
    if (link === undefined) return;
    if (link.remote.detach?.closed) link.close();
    else link.detach();
    link._process();
    const events = this.#links.get(link);
    this.#links.delete(link);
    this.#remoteLinks.delete(link);
    events?.onDetach(link.remote.attach?.handle ?? -1, toAmqpError(link.error));
  }

  #prepare(session: RheaSession, events: SessionEvents): void {
    const { incomingWindow, outgoingWindow, handleMax } = this.#begin;
    Object.assign(session.local.begin, {
      incoming_window: incomingWindow,
      outgoing_window: outgoingWindow,
      handle_max: handleMax,
    });
    session.links = Object.create(null);
    session.local.handles = Object.create(null);
    session.remote.handles = Object.create(null);
    session._write_flow = () => {};
    this.#sessions.set(session, events);
  }

  #sessionControl(session: RheaSession): SessionControl {
    return {
      channel: session.local.channel,
      attach: ({ role, name, source, target, maxMessageBytes }, events) => {
        const options = {
          name,
          source: toRheaTerminus(source),
          target: toRheaTerminus(target),
          max_message_size: maxMessageBytes,
          autosettle: false,
          autoaccept: false,
          credit_window: 0,
        };
        const link = role === "sender" ? session.attach_sender(options) : session.attach_receiver(options);
        this.#links.set(link, events);
        link._process();
        return linkControl(link);
      },
    };
  }
}

function linkControl(link: RheaLink): LinkControl {
  return {
    handle: link.local.handle,
    detach(error) {
      link.close(error);
      link._process();
    },
  };
}

function toRheaTerminus({ address, dynamic, capabilities }: TerminusInit): object {
  return {
    address,
    dynamic: dynamic === true,
    capabilities: capabilities === undefined ? undefined : [...capabilities],
  };
}

/** rhea gives null as itself or as a wrapped value. */
function toTerminus(terminus: RheaTerminus | null | undefined): Terminus | undefined {
  if (!Array.isArray(terminus?.value)) return undefined;
  return {
    address: toText(terminus.address),
    dynamic: terminus.dynamic === true,
    capabilities: toTexts(terminus.capabilities),
  };
}

const SETTLE_MODES: readonly SettleMode[] = ["unsettled", "settled", "mixed"];

function toRemoteAttach(attach: NonNullable<RheaLink["remote"]["attach"]>): RemoteAttach {
  const limit = attach.max_message_size;
  return {
    handle: attach.handle,
    source: toTerminus(attach.source),
    target: toTerminus(attach.target),
    settleMode: SETTLE_MODES[attach.snd_settle_mode] ?? "mixed",
    initialDeliveryCount: attach.initial_delivery_count ?? 0,
    maxMessageBytes: typeof limit === "number" && limit > 0 ? limit : undefined,
  };
}

function toRemoteOpen(open: Record<string, unknown>): RemoteOpen {
  const { container_id, hostname, max_frame_size, idle_time_out, offered_capabilities } = open;
  const properties = new Map(Object.entries(open["properties"] ?? {}));
  return {
    containerId: toText(container_id) ?? "",
    hostname: toText(hostname),
    product: toText(properties.get("product")),
    version: toText(properties.get("version")),
    maxFrameBytes: toNumber(max_frame_size) ?? 0xffffffff,
    idleTimeoutMs: toNumber(idle_time_out),
    offeredCapabilities: toTexts(offered_capabilities),
    established: !properties.has("amqp:connection-establishment-failed"),
  };
}

function toAmqpError(error: RheaError | undefined): AmqpError | undefined {
  if (error === undefined || error === null) return undefined;
  return new AmqpError({
    condition: toText(error.condition) ?? "amqp:internal-error",
    description: toText(error.description),
  });
}

/** rhea gives strings, String objects or wrapped values. */
function toText(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function toTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  const text = toText(value);
  return text === undefined ? [] : [text];
}

function toNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
