/** Client side of a SASL mechanism. An error from any method ends the exchange. */
export interface ClientMechanism {
  readonly name: string;
  readonly initialResponse: Uint8Array;
  /** Returns the response to a challenge. Omitted by mechanisms without challenges. */
  respond?(challenge: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Called when the server reports success, with the additional data of the outcome.
   *
   * @throws AuthenticationError when the mechanism requires the server to authenticate itself and it did not.
   */
  onSuccess?(additionalData: Uint8Array): void;
  /** Returns the reason, if known, after the server reported failure with this additional data. */
  failureReason?(additionalData: Uint8Array): string | undefined;
}

/** Result of a client's response: another challenge, or the decision. */
export type Verdict =
  | { readonly type: "challenge"; readonly data: Uint8Array }
  | { readonly type: "granted"; readonly username?: string | undefined }
  | { readonly type: "refused"; readonly reason: string };

/** Server side of a SASL mechanism. */
export interface ServerMechanism {
  /** Handles the initial response, and then the response to each challenge. */
  respond(response: Uint8Array): Verdict | Promise<Verdict>;
}

export function refused(reason: string): Verdict {
  return { type: "refused", reason };
}

/** Name of a user for the logs of the server, at most 64 characters. */
export function describeUser(username: string): string {
  return `user ${JSON.stringify(username.slice(0, 64))}`;
}

/** Text from a peer, made safe for logs and terminals: printable ASCII, at most 200 characters. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
