import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { terminalCommand } from "@/playground/page/serve/terminal-command.js";

describe("the command that the playground proposes", () => {
  it("reads plainly where a shell takes the names as they are", () => {
    const command = terminalCommand({ url: "amqp://127.0.0.1:5672/", topic: "browser", server: "page-1" });
    expect(command).toBe(
      "npx oslo-messaging call --url amqp://127.0.0.1:5672/ \\\n  --topic browser --server page-1 whoami",
    );
  });

  it("hands a shell any name as one word", () => {
    const url = "amqp+ws://host/?ws_path=%2Fa&x=*";
    const command = terminalCommand({ url, topic: "two words", server: "it's; $HOME" });
    const words = execFileSync("sh", ["-c", command.replace("npx oslo-messaging", "printf '%s\\n'")], {
      encoding: "utf8",
    });
    expect(words.trimEnd().split("\n")).toEqual([
      ...["call", "--url", url, "--topic", "two words", "--server", "it's; $HOME", "whoami"],
    ]);
  });
});
