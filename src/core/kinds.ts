// Checks that hold in every realm. `instanceof` fails for objects of a frame, of node:vm and of a test's DOM, and for those of
// a second copy of this library.

/** Kind of a value, in any realm: "Map", "Date", "Null"; "Object" for plain objects and for instances of most classes. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Kind of a value, for errors: "null", "a string", "an array", "a Map", "a class". It shows none of its content. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value))) return "a class";
  const tag = tagOf(value);
  const kind = /^(Object|Array)$/.test(tag) ? tag.toLowerCase() : typeof value === "object" ? tag : typeof value;
  return `${/^[aeio]/i.test(kind) ? "an" : "a"} ${kind}`;
}

/** Whether a value has members by name: not an array, a Map, an AbortSignal or another object of the language or the platform. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return tagOf(value) === "Object";
}

/** Whether a value is an Error. False when the check itself throws, as it may for a Proxy. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || /^(Error|DOMException)$/.test(tagOf(value));
  } catch {
    return false;
  }
}

/** Whether a value is a promise, of any library: where zone.js replaces the global Promise, async functions return others. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}
