/** Fields of the console that a click on an example fills. */
export interface Example {
  label: string;
  topic: string;
  server: string;
  method: string;
  args: string;
}

const DEMO = { topic: "demo", server: "" };

/** Returns examples of requests to the playground's servers and to the server in this page. */
export function examples(pageName: string): readonly Example[] {
  return [
    { label: "echo", ...DEMO, method: "echo", args: '{"arg": "hello"}' },
    { label: "add", ...DEMO, method: "add", args: '{"a": 40, "b": 2}' },
    { label: "whoami, node-2", ...DEMO, server: "node-2", method: "whoami", args: "{}" },
    { label: "fail", ...DEMO, method: "fail", args: '{"kind": "custom"}' },
    { label: "slow", ...DEMO, method: "slow", args: '{"secs": 2}' },
    { label: "note", ...DEMO, method: "note", args: '{"arg": "see the notifications"}' },
    { label: "no such topic", topic: "no-such-topic", server: "", method: "echo", args: '{"arg": "?"}' },
    { label: "this page", topic: "browser", server: pageName, method: "whoami", args: "{}" },
  ];
}

/** Example that is shown once the Python server answers. */
export const PYTHON_EXAMPLE: Example = {
  label: "whoami, Python",
  topic: "demo",
  server: "python-1",
  method: "whoami",
  args: "{}",
};
