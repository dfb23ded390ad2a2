/** The part of rhea that control.ts uses. rhea's own typings require Node's. */
declare module "rhea/lib/connection.js" {
  export interface RheaError {
    readonly condition?: unknown;
    readonly description?: unknown;
    readonly info?: unknown;
  }
  export interface RheaTerminus {
    readonly value: unknown;
    readonly address: unknown;
    readonly dynamic: unknown;
    readonly capabilities: unknown;
  }
  export interface RheaLink {
    readonly name: string;
    readonly session: RheaSession;
    readonly local: { readonly handle: number; readonly attach: { max_message_size: number } };
    readonly remote: {
      attach?: {
        /** The fields as received. */
        readonly value: unknown[];
        readonly handle: number;
        /** True if the peer is the receiver. */
        readonly role: boolean;
        readonly source: RheaTerminus | null;
        readonly target: RheaTerminus | null;
        readonly snd_settle_mode: number;
        readonly initial_delivery_count: number | null | undefined;
        readonly max_message_size: unknown;
      };
      detach?: { readonly closed: unknown };
    };
    readonly error: RheaError | undefined;
    set_source(fields: object): void;
    set_target(fields: object): void;
    is_receiver(): boolean;
    detach(): void;
    close(error?: object): void;
    /** Frees the link's name and handle. */
    remove(): void;
    _process(): void;
  }
  export interface RheaSession {
    readonly local: {
      readonly channel: number;
      begin: { incoming_window: number; outgoing_window: number; handle_max: number };
      handles: object;
    };
    readonly remote: {
      readonly channel: number;
      handles: Record<number, RheaLink>;
      readonly begin: {
        /** The fields as received. */
        readonly value: unknown[];
        readonly next_outgoing_id: number;
        readonly incoming_window: number;
        readonly handle_max: number | null | undefined;
      };
    };
    links: Record<string, RheaLink>;
    readonly error: RheaError | undefined;
    begin(): void;
    close(error?: object): void;
    attach_sender(options: object): RheaLink;
    attach_receiver(options: object): RheaLink;
    /** Frees the session's channel. */
    remove(): void;
    _process(): void;
    _write_flow(): void;
  }
  export interface RheaOpen {
    /** The fields as received. */
    readonly value: unknown[];
    readonly container_id: unknown;
    readonly hostname: unknown;
    readonly max_frame_size: unknown;
    readonly channel_max: unknown;
    readonly idle_time_out: unknown;
    readonly offered_capabilities: unknown;
    readonly properties: unknown;
  }
  export interface RheaContext {
    readonly session: RheaSession;
    readonly sender?: RheaLink;
    readonly receiver?: RheaLink;
  }
  export default class Connection {
    constructor(options: object);
    readonly remote: { readonly open: RheaOpen };
    readonly error: RheaError | undefined;
    /**
     * The frames that are to be written. Each performative is a Composite of rhea-types.ts, which is not imported here: the
     * declarations of the package are checked with this file, without the sources.
     */
    readonly amqp_transport: {
      readonly pending: { readonly channel: number; readonly performative: unknown }[];
    };
    local_channel_map: object;
    remote_channel_map: object;
    on(event: string, listener: (context: RheaContext) => void): void;
    open(): void;
    close(error?: object): void;
    create_session(): RheaSession;
    output(): void;
    _register(): void;
    _process(): void;
  }
}
