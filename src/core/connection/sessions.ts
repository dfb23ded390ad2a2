import { Deferred } from "../deferred.js";
import { type AmqpErrorInit, ProtocolError, toError } from "../errors.js";
import type { LinkInit } from "../links/link.js";
import type { Receiver } from "../links/receiver.js";
import type { Sender } from "../links/sender.js";
import { Session, type SessionOptions } from "../links/session.js";
import type { Control } from "./control/control.js";
import type {
  AttachRequest,
  LinkEvents,
  RemoteSession,
  SessionControl,
  SessionEvents,
} from "./control/control-events.js";

export interface SessionsOptions {
  control: Control;
  /** Most sessions on the connection when the peer begins one. */
  max: number;
  /** Returns the options of a session. Called for each session. */
  session: () => Omit<SessionOptions, "channel">;
  /** Called when the peer attaches a link. Undefined: the peer may not even begin a session. */
  onAttachRequest: ((session: Session, request: AttachRequest) => void) | undefined;
  /** Makes the error for a session that the peer ended without an error. */
  ended: () => Error;
}

/** The sessions of a connection: ours, each filled with links up to the peer's handle-max, and those that the peer begins. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** By the peer's channel number. */
  readonly #byChannel = new Map<number, Session>();
  readonly #entries = new Set<SessionEntry>();
  #end: Error | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get(channel: number): Session | undefined {
    return this.#byChannel.get(channel);
  }

  /** Attaches a link of ours on a session that has room for it. Resolves when the peer has attached it too. */
  async attach<L extends Sender | Receiver>(
    role: "sender" | "receiver",
    init: LinkInit,
    create: (session: Session) => L,
  ): Promise<L> {
    for (;;) {
      if (this.#end !== undefined) throw this.#end;
      const { session: key } = init;
      const entry = [...this.#entries].find((present) => present.key === key && present.hasRoom) ?? this.#begin(key);
      await entry.begun;
      if (entry.error !== undefined) throw entry.error;
      // Other links waited for the same session and may have taken its room.
      if (this.#end !== undefined || !entry.hasRoom) continue;
      const { session, control } = entry;
      const link = create(session);
      session.add(link);
      const { name, source, target, maxMessageBytes = session.maxMessageBytes, fields } = init;
      const attach = { role, name, source, target, maxMessageBytes, fields };
      try {
        link.bind(control.attach(attach, linkEvents(session, link)));
      } catch (thrown) {
        session.onDetach(link, -1, toError(thrown));
        throw thrown;
      }
      await link.whenAttached();
      return link;
    }
  }

  /**
   * Checks that the peer responds, with a session that ends as soon as it has begun: few peers answer a flow's echo, all
   * answer a Begin. Rejects when the peer accepts no more sessions.
   */
  async probe(): Promise<void> {
    const entry = this.#options.control.begin((control) => this.#add(control, null));
    await entry.begun;
    if (entry.error !== undefined || this.#end !== undefined) return;
    entry.session.stopWriting();
    entry.control.end();
  }

  /** Accepts a session that the peer begins. Throws ProtocolError when sessions are not accepted or there are too many. */
  accept(control: SessionControl): SessionEvents {
    const { onAttachRequest, max } = this.#options;
    if (onAttachRequest === undefined) throw new ProtocolError("the peer began a session", "amqp:not-allowed");
    if (this.#entries.size >= max) throw new ProtocolError(`more than ${max} sessions`, "amqp:resource-limit-exceeded");
    return this.#add(control, null);
  }

  /** Sends the waiting transfers of all sessions, now that the socket is writable again. */
  pump(): void {
    for (const session of this.#byChannel.values()) session.outgoing.pump();
  }

  /** Attaches no more links: the connection is being closed. */
  stop(error: Error): void {
    this.#end ??= error;
  }

  /** Ends all sessions: the connection is lost. */
  end(error: Error): void {
    this.stop(error);
    for (const entry of [...this.#entries]) entry.end(error);
  }

  #begin(key: object | undefined): SessionEntry {
    return this.#options.control.begin((control) => this.#add(control, key));
  }

  /** `key`: see {@link LinkInit}. Null for a session that is not for links of ours. */
  #add(control: SessionControl, key: object | undefined | null): SessionEntry {
    const session = new Session({ ...this.#options.session(), channel: control.channel });
    const entry = new SessionEntry(control, session, key, {
      onBegin: (channel) => {
        if (this.#byChannel.has(channel)) throw new ProtocolError(`begin on channel ${channel}, which is in use`);
        this.#byChannel.set(channel, session);
      },
      onEnd: (channel) => {
        this.#byChannel.delete(channel);
        this.#entries.delete(entry);
      },
      onAttachRequest: (request) => {
        const refused = { condition: "amqp:not-allowed", description: "links are not accepted" };
        if (this.#options.onAttachRequest === undefined) request.refuse(refused);
        else this.#options.onAttachRequest(session, request);
      },
      ended: this.#options.ended,
    });
    this.#entries.add(entry);
    return entry;
  }
}

interface SessionOwner {
  onBegin(channel: number): void;
  onEnd(channel: number): void;
  onAttachRequest(request: AttachRequest): void;
  ended(): Error;
}

/** One session: its data plane and its half in the control plane. */
class SessionEntry implements SessionEvents {
  readonly control: SessionControl;
  readonly session: Session;
  readonly #begun = new Deferred();
  readonly key: object | undefined | null;
  readonly #owner: SessionOwner;
  #channel = -1;
  #error: Error | undefined;
  #capacity = Number.POSITIVE_INFINITY;

  constructor(control: SessionControl, session: Session, key: object | undefined | null, owner: SessionOwner) {
    this.control = control;
    this.session = session;
    this.key = key;
    this.#owner = owner;
    this.begun.catch(() => {}); // it may have no waiter
  }

  /** Resolves when the peer has begun the session. Rejects when the session ends before. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Cause of the session's end. Undefined before the end. */
  get error(): Error | undefined {
    return this.#error;
  }

  get hasRoom(): boolean {
    return this.session.links < this.#capacity;
  }

  onBegin(remote: RemoteSession): void {
    this.#owner.onBegin(remote.channel);
    this.#channel = remote.channel;
    this.#capacity = remote.handleMax + 1;
    this.session.onBegin(remote);
    this.#begun.resolve();
  }

  onEnd(error: Error | undefined): void {
    this.end(error ?? this.#owner.ended());
  }

  onAttachRequest(request: AttachRequest): void {
    this.session.checkFree(request.remote.handle);
    const refuse = (error: AmqpErrorInit): void => {
      this.session.onRefuse(request.remote.handle);
      request.refuse(error);
    };
    this.#owner.onAttachRequest({ ...request, refuse });
  }

  onRefusedDetach(remoteHandle: number): void {
    this.session.onRefusedDetach(remoteHandle);
  }

  end(error: Error): void {
    this.#error = error;
    this.#owner.onEnd(this.#channel);
    this.#begun.reject(error);
    this.session.onEnd(error);
  }
}

/** Connects a link with its half in the control plane. */
export function linkEvents(session: Session, link: Sender | Receiver): LinkEvents {
  return {
    onAttach: (remote) => session.onAttach(link, remote),
    onDetach: (remoteHandle, error) => session.onDetach(link, remoteHandle, error),
  };
}
