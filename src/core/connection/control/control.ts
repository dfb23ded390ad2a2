import Rhea, { type RheaLink, type RheaSession } from "rhea/lib/connection.js";
import { AmqpError, type AmqpErrorInit, FRAME_TOO_LARGE, forWire, ProtocolError, toError } from "../../errors.js";
import type { LinkControl, RemoteAttach } from "../../links/link.js";
import type { Reader } from "../../types/reader.js";
import { Writer } from "../../types/writer.js";
import { isWellFormed } from "../../well-formed.js";
import type {
  BeginInit,
  ControlEvents,
  LinkEvents,
  OpenInit,
  RemoteSession,
  SessionControl,
  SessionEvents,
} from "./control-events.js";
import { type Composite, readPerformative, writeFrame } from "./rhea-types.js";
import { toAmqpError, toRemoteAttach, toRemoteOpen, toTerminusFields } from "./rhea-values.js";

/** Maximum number of links of the peer. Each costs rhea some kilobytes until the peer detaches it, even if refused. */
const MAX_REMOTE_LINKS = 16_384;
/** Size of the buffer that frames are written to. Frames that open and close are small. */
const SLAB_BYTES = 1_024;
/** MIN-MAX-FRAME-SIZE (transport 2.8.19). */
const MIN_MAX_FRAME_BYTES = 512;

/**
 * The control plane: rhea opens and closes connections, sessions and links. Only this file uses rhea. Its timers, its
 * socket, its codec and its data path are unused: it gets one checked performative at a time and writes at once, so that its
 * frames stay in order with those of the data plane. Its faults are corrected on its instances:
 * - It keeps links and handles in plain objects, although their names are untrusted input.
 * - It prints or throws errors that have no listener.
 * - It removes detached links and ended sessions some ticks late, when a new one may already use the name or handle.
 * - It keeps all fields of a peer's attach as long as the link.
 */
export class Control {
  readonly #rhea: Rhea;
  readonly #events: ControlEvents;
  readonly #begin: BeginInit;
  /** Highest channel that the peer may use. `#remoteChannelMax` is the highest that we may use. */
  readonly #channelMax: number;
  #remoteChannelMax = 0;
  /** Largest frame that the peer accepts. Before its Open: the size that every peer accepts. */
  #maxFrameBytes = MIN_MAX_FRAME_BYTES;
  readonly #maxMessageBytes: number;
  readonly #sessions = new Map<RheaSession, SessionEvents>();
  readonly #links = new Map<RheaLink, LinkEvents>();
  /** Links that the peer has attached and not detached yet, accepted or refused. */
  readonly #remoteLinks = new Set<RheaLink>();
  #opened = false;

  /** `write` gets each outgoing frame, and owns its bytes. */
  constructor(
    open: OpenInit,
    begin: BeginInit,
    maxMessageBytes: number,
    write: (frame: Uint8Array) => void,
    events: ControlEvents,
  ) {
    this.#events = events;
    this.#begin = begin;
    this.#channelMax = open.channelMax;
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

  /**
   * Writes Open.
   *
   * @throws AmqpError when it is larger than the frames that every peer accepts.
   */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#rhea.open();
    explaining("container ID or hostname too long", () => this.#rhea._process());
  }

  /** Writes Close, preceded by Open if that has not been written. Idempotent. */
  close(error?: AmqpErrorInit): void {
    this.open();
    this.#rhea.close(error && forWire(error));
    this.#rhea._process();
  }

  /**
   * Begins a session. `create` makes the receiver of its events.
   *
   * @throws AmqpError when the peer accepts no more sessions.
   */
  begin<E extends SessionEvents>(create: (session: SessionControl) => E): E {
    const session = this.#rhea.create_session();
    if (session.local.channel > this.#remoteChannelMax) {
      session.remove();
      const description = `the peer accepts at most ${this.#remoteChannelMax + 1} sessions`;
      throw new AmqpError({ condition: "amqp:resource-limit-exceeded", description });
    }
    const events = create(this.#sessionControl(session));
    this.#prepare(session, events);
    session.begin();
    session._process();
    return events;
  }

  /**
   * Reads a performative that `checkControlFrame` has checked.
   *
   * @throws ProtocolError when a field is malformed, or rhea rejects the performative.
   */
  receive(channel: number, reader: Reader): void {
    try {
      const performative = readPerformative(reader);
      performative.dispatch(this.#rhea, { channel, performative });
    } catch (error) {
      if (error instanceof AmqpError) throw error;
      const cause = toError(error);
      throw Object.assign(new ProtocolError(cause.message, "amqp:connection:framing-error"), { cause });
    }
  }

  #quiet(write: (frame: Uint8Array) => void): void {
    const rhea = this.#rhea;
    const writer = new Writer(SLAB_BYTES);
    rhea.output = () => {
      for (const { channel, performative } of rhea.amqp_transport.pending.splice(0)) {
        const frame = writeFrame(writer, channel, performative as Composite);
        const max = this.#maxFrameBytes;
        if (frame.length > max) {
          const description = `a frame of ${frame.length} bytes exceeds the max-frame-size of ${max}`;
          throw new AmqpError({ condition: FRAME_TOO_LARGE, description });
        }
        write(frame);
      }
    };
    rhea._register = () => {}; // rhea would write at the next tick, walking every link
    rhea.local_channel_map = Object.create(null);
    rhea.remote_channel_map = Object.create(null);
  }

  #listen(): void {
    const rhea = this.#rhea;
    rhea.on("connection_open", () => {
      const { open } = rhea.remote;
      const remote = toRemoteOpen(open);
      this.#maxFrameBytes = Math.max(remote.maxFrameBytes, MIN_MAX_FRAME_BYTES);
      this.open();
      rhea._process();
      if (remote.maxFrameBytes < MIN_MAX_FRAME_BYTES) {
        throw new ProtocolError(
          `open with a max-frame-size of ${remote.maxFrameBytes}, below the minimum ${MIN_MAX_FRAME_BYTES}`,
          "amqp:invalid-field",
        );
      }
      this.#remoteChannelMax = Number(open.channel_max ?? 0xffff);
      open.value.splice(0);
      this.#events.onOpen(remote);
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
    const { channel, begin } = session.remote;
    if (channel > this.#channelMax) {
      throw new ProtocolError(
        `begin on channel ${channel}, above the maximum ${this.#channelMax}`,
        "amqp:connection:framing-error",
      );
    }
    if (!this.#sessions.has(session)) {
      this.#prepare(session, this.#events.onBeginRequest(this.#sessionControl(session)));
      session._process();
    }
    const remote: RemoteSession = {
      channel,
      nextOutgoingId: begin.next_outgoing_id,
      incomingWindow: begin.incoming_window,
      handleMax: begin.handle_max ?? 0xffffffff,
    };
    begin.value.splice(0);
    this.#sessions.get(session)?.onBegin(remote);
  }

  #onEnd(session: RheaSession): void {
    session.close();
    session._process();
    session.remove();
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
      throw new ProtocolError(
        `link ${link.name} attached with handle ${attach.handle}, above the maximum ${this.#begin.handleMax}`,
      );
    }
    if (attach.role === link.is_receiver()) {
      throw new ProtocolError(`the peer attached link ${link.name} in our role`);
    }
    const remote = toRemoteAttach(attach);
    attach.value.splice(2); // rhea needs the name and the handle
    const events = this.#links.get(link);
    if (events !== undefined) return events.onAttach(remote);
    if (this.#remoteLinks.size >= MAX_REMOTE_LINKS) {
      throw new ProtocolError(`the peer attached more than ${MAX_REMOTE_LINKS} links`, "amqp:resource-limit-exceeded");
    }
    this.#remoteLinks.add(link);
    this.#onAttachRequest(link, remote);
  }

  #onAttachRequest(link: RheaLink, remote: RemoteAttach): void {
    const role = link.is_receiver() ? "receiver" : "sender";
    this.#sessions.get(link.session)?.onAttachRequest({
      name: link.name,
      role,
      remote,
      accept: ({ source, target, maxMessageBytes = this.#maxMessageBytes }, events) => {
        link.set_source(toTerminusFields(source));
        link.set_target(toTerminusFields(target));
        link.local.attach.max_message_size = maxMessageBytes;
        this.#links.set(link, events);
        link._process();
        return linkControl(link);
      },
      refuse: (error) => {
        link._process();
        link.close(forWire(error));
        link._process();
      },
    });
  }

  #onDetach(link: RheaLink | undefined): void {
    if (link === undefined) return;
    if (link.remote.detach?.closed) link.close();
    else link.detach();
    link._process();
    const { session } = link;
    const handle = link.remote.attach?.handle ?? -1;
    delete session.remote.handles[handle];
    link.remove();
    const events = this.#links.get(link);
    this.#links.delete(link);
    this.#remoteLinks.delete(link);
    if (events === undefined) this.#sessions.get(session)?.onRefusedDetach(handle);
    else events.onDetach(handle, toAmqpError(link.error));
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
      attach: ({ role, name, source, target, maxMessageBytes, fields }, events) => {
        const isSender = role === "sender";
        const address = isSender ? target.address : source.address;
        const options = {
          name,
          source: toTerminusFields(source),
          target: toTerminusFields(target),
          max_message_size: maxMessageBytes,
          autosettle: false,
          autoaccept: false,
          credit_window: 0,
          ...fields,
        };
        try {
          checkText(name);
          checkText(address);
          const link = isSender ? session.attach_sender(options) : session.attach_receiver(options);
          explaining(`attach to ${address ?? "a dynamic address"}`, () => link._process());
          this.#links.set(link, events);
          return linkControl(link);
        } catch (error) {
          session.links[name]?.remove();
          throw error;
        }
      },
      end() {
        session.close();
        session._process();
      },
    };
  }
}

/** Writes a performative. An AmqpError gets `what` in front of its description. */
function explaining(what: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof AmqpError)) throw error;
    throw new AmqpError({ condition: error.condition, description: `${what}: ${error.description}` });
  }
}

/** rhea would send U+FFFD for half a surrogate pair, and take the peer's answer for another link. */
function checkText(text: string | undefined): void {
  if (typeof text !== "string" || isWellFormed(text)) return;
  throw new AmqpError({ condition: "amqp:invalid-field", description: `half a surrogate pair in ${text}` });
}

function linkControl(link: RheaLink): LinkControl {
  return {
    handle: link.local.handle,
    detach(error) {
      link.close(error && forWire(error));
      link._process();
    },
  };
}
