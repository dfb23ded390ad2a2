import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("python_endpoint.py", import.meta.url));
/** What it may need to say goodbye to the intermediary. */
const STOP_LIMIT_MS = 3_000;

/** The server `python-1` of the topic `demo`, if this machine has Python's oslo.messaging. */
export class PythonEndpoint implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams | undefined;

  /** Starts it, and waits for nothing. `tell` gets a line when it serves, or when it does not and why. */
  constructor(tcpUrl: string, tell: (line: string) => void) {
    if (!existsSync(PYTHON)) {
      tell(`No server in Python: there is no ${PYTHON}.`);
      return;
    }
    // Detached: Ctrl-C is ours, and the end of its input is its order to end.
    const child = spawn(PYTHON, ["-B", SCRIPT, tcpUrl], { detached: true });
    this.#child = child;
    let stderr = "";
    child.stdin.on("error", () => {}); // it has ended, which is told below
    child.stdout.once("data", () => tell("Python's oslo.messaging serves the topic demo too, as python-1."));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-2_000);
    });
    child.once("error", (error) => tell(`No server in Python: ${error.message}`));
    child.once("exit", () => {
      if (!child.stdin.writableEnded) tell(`No server in Python: ${lastLine(stderr)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.stdin.end();
    const patience = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(patience);
  }
}

/** Of a traceback, what went wrong. */
function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) || "it ended";
}
