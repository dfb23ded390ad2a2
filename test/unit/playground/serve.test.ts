import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { terminalCommand } from "@/playground/page/serve/terminal-command.js";

describe("terminalCommand", () => {
  it("names without special characters are not quoted in the command for a terminal", () => {
    const command = terminalCommand({ url: "amqp://127.0.0.1:5672/", topic: "browser", server: "page-1" });
    expect(command).toBe(
      "npx oslo-messaging call --url amqp://127.0.0.1:5672/ \\\n  --topic browser --server page-1 whoami",
    );
  });

  it("names with special characters are single words in the command for a terminal", () => {
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
