import { isError } from "../core/kinds.js";

/** Descriptions of the system error codes that an operator meets. */
const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["EACCES", "permission denied"],
  ["EADDRINUSE", "address already in use"],
  ["EADDRNOTAVAIL", "address not available"],
  ["EAI_AGAIN", "name lookup failed, try again later"],
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset by the peer"],
  ["EHOSTUNREACH", "host unreachable"],
  ["ENETUNREACH", "network unreachable"],
  ["ENOTFOUND", "host not found"],
  ["EPIPE", "closed by the peer while bytes were being sent"],
  ["ETIMEDOUT", "timed out"],
]);

/** Describes the cause of a socket's failure. The caller's message names the address. */
export function socketErrorText(thrown: unknown): string {
  if (!isError(thrown)) return String(thrown);
  // Only system errors are reworded: TLS and HTTP errors borrow the codes, and their own messages are more precise.
  // Node's AggregateError of several attempts (localhost: ::1, then 127.0.0.1) has a code and an empty message. The
  // message of Deno's system errors ends with a number.
  const isSystemError = "syscall" in thrown || thrown.message === "" || / \(os error \d+\)$/.test(thrown.message);
  const word = isSystemError && "code" in thrown ? WORDS.get(thrown.code) : undefined;
  return word ?? (thrown.message === "" ? thrown.name : thrown.message);
}
