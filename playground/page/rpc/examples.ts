/** What a click puts into the fields of the console. */
export interface Example {
  label: string;
  topic: string;
  server: string;
  method: string;
  args: string;
}

const DEMO = { topic: "demo", server: "" };

/** Things to try, on the servers that the playground starts and on the one in this page. */
export function examples(pageName: string): readonly Example[] {
  return [
    { label: "echo", ...DEMO, method: "echo", args: '{"arg": "hello"}' },
    { label: "add", ...DEMO, method: "add", args: '{"a": 40, "b": 2}' },
    { label: "whoami, node-2", ...DEMO, server: "node-2", method: "whoami", args: "{}" },
    { label: "fail", ...DEMO, method: "fail", args: '{"kind": "custom"}' },
    { label: "slow", ...DEMO, method: "slow", args: '{"secs": 2}' },
    { label: "note", ...DEMO, method: "note", args: '{"arg": "see the notifications"}' },
    { label: "no such topic", topic: "nobody", server: "", method: "echo", args: '{"arg": "?"}' },
    { label: "this page", topic: "browser", server: pageName, method: "whoami", args: "{}" },
  ];
}

/** Offered while the server in Python answers. */
export const PYTHON_EXAMPLE: Example = {
  label: "whoami, Python",
  topic: "demo",
  server: "python-1",
  method: "whoami",
  args: "{}",
};
