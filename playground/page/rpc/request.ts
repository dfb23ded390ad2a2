/** What the console sends, as it was typed. Empty texts are absent. */
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

/** The names of the fields that hold it. */
export const REQUEST_FIELDS = ["topic", "server", "namespace", "version", "method", "timeout", "args"] as const;

/** On one line, for people. */
export function titleOf({ verb, topic, server, namespace, method }: Request): string {
  return `${verb} ${topic}${server && `/${server}`} ${namespace && `${namespace}.`}${method}`;
}
