/** The connecting side of one mechanism. What its methods throw ends the exchange. */
export interface ClientMechanism {
  readonly name: string;
  readonly initialResponse: Uint8Array;
  /** Answers a challenge. Absent: the mechanism has none. */
  respond?(challenge: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** The peer lets us in, and says this besides. Throws AuthenticationError unless it has shown who it is, where it has to. */
  onSuccess?(additionalData: Uint8Array): void;
  /** The peer does not let us in, and says this besides: what is known of the reason. */
  failureReason?(additionalData: Uint8Array): string | undefined;
}

/** What the accepting side makes of a response: asks on, or decides. */
export type Verdict =
  | { readonly type: "challenge"; readonly data: Uint8Array }
  | { readonly type: "granted"; readonly username?: string | undefined }
  | { readonly type: "refused"; readonly reason: string };

/** The accepting side of one mechanism. */
export interface ServerMechanism {
  /** The initial response first, then the answer to each challenge. */
  respond(response: Uint8Array): Verdict | Promise<Verdict>;
}

export function refused(reason: string): Verdict {
  return { type: "refused", reason };
}

/** For the logs of the accepting side. */
export function describeUser(username: string): string {
  return `user ${JSON.stringify(username.slice(0, 64))}`;
}

/** What a peer has written, for logs and terminals. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
