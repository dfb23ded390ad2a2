/** What a click puts into the fields of the console. */
export interface Example {
  label: string;
  topic: string;
  server: string;
  method: string;
  args: string;
}

/** Things to try, on the servers that the playground starts and on the one in this page. */
export function examples(pageName: string): readonly Example[] {
  const demo = { topic: "demo", server: "" };
  return [
    { label: "echo", ...demo, method: "echo", args: '{"arg": "hello"}' },
    { label: "add", ...demo, method: "add", args: '{"a": 40, "b": 2}' },
    { label: "whoami, node-2", ...demo, server: "node-2", method: "whoami", args: "{}" },
    { label: "fail", ...demo, method: "fail", args: '{"kind": "custom"}' },
    { label: "slow", ...demo, method: "slow", args: '{"secs": 2}' },
    { label: "note", ...demo, method: "note", args: '{"arg": "see the notifications"}' },
    { label: "no such topic", topic: "nobody", server: "", method: "echo", args: '{"arg": "?"}' },
    { label: "this page", topic: "browser", server: pageName, method: "whoami", args: "{}" },
  ];
}
