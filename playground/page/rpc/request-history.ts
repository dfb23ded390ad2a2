import { keep, kept } from "../parts/kept.js";
import { REQUEST_FIELDS, type Request } from "./request.js";

const KEY = "requests";
const MOST = 20;

/** The requests that were made last, newest first. They survive a reload; what became of them does not. */
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

/** Whatever else may have written there. */
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
