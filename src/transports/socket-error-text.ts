/** What operating systems call the failures that an operator meets, in words. */
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

/** Why it failed, for a message that names the address itself. */
export function socketErrorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // Only system errors are put in other words: TLS and HTTP borrow their codes for what their messages tell better.
  // Node's sum of several failed attempts (localhost: ::1, then 127.0.0.1) has a code and an empty message. Deno's have a number.
  const isSystemError = "syscall" in thrown || thrown.message === "" || / \(os error \d+\)$/.test(thrown.message);
  const word = isSystemError && "code" in thrown ? WORDS.get(thrown.code) : undefined;
  return word ?? (thrown.message === "" ? thrown.name : thrown.message);
}
