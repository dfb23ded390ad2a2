/** A request of the console, as it was typed. An empty string means that the field is omitted. */
export interface Request {
  verb: "call" | "cast" | "fanout";
  topic: string;
  server: string;
  namespace: string;
  version: string;
  method: string;
  /** In seconds. */
  timeout: string;
  /** A JSON object. */
  args: string;
}

/** Names of the form fields of a request. */
export const REQUEST_FIELDS = ["topic", "server", "namespace", "version", "method", "timeout", "args"] as const;

/** Returns a request as one line of text. */
export function titleOf({ verb, topic, server, namespace, method }: Request): string {
  return `${verb} ${topic}${server && `/${server}`} ${namespace && `${namespace}.`}${method}`;
}
