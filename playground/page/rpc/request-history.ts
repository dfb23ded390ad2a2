import { keep, kept } from "../parts/kept.js";
import { REQUEST_FIELDS, type Request } from "./request.js";

const KEY = "requests";
const MOST = 20;

/** The latest 20 requests, newest first. They survive a reload; their outcomes do not. */
export class RequestHistory {
  #requests: readonly Request[] = stored();

  get requests(): readonly Request[] {
    return this.#requests;
  }

  add(request: Request): void {
    this.#set([request, ...this.#requests].slice(0, MOST));
  }

  clear(): void {
    this.#set([]);
  }

  #set(requests: readonly Request[]): void {
    this.#requests = requests;
    keep(KEY, JSON.stringify(requests));
  }
}

/** Returns the stored requests. Ignores anything else that was stored under the key. */
function stored(): readonly Request[] {
  try {
    const found: unknown = JSON.parse(kept(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(isRequest).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function isRequest(value: unknown): value is Request {
  if (typeof value !== "object" || value === null) return false;
  const text = (name: string): unknown => Reflect.get(value, name);
  const verb = text("verb");
  if (verb !== "call" && verb !== "cast" && verb !== "fanout") return false;
  return REQUEST_FIELDS.every((name) => typeof text(name) === "string");
}
