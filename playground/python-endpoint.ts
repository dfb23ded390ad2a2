import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("python_endpoint.py", import.meta.url));
/** Time limit for the process to disconnect from the intermediary and exit. */
const STOP_LIMIT_MS = 3_000;

/** Runs the server `python-1` on topic `demo` if this machine has Python's oslo.messaging. */
export class PythonEndpoint implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams | undefined;

  /** Starts the process and returns at once. `report` receives a line when it serves, or the reason when it fails. */
  constructor(tcpUrl: string, report: (line: string) => void) {
    if (!existsSync(PYTHON)) {
      report(`No Python server: ${PYTHON} not found`);
      return;
    }
    // Detached, so that Ctrl-C reaches only this process; the end of its standard input stops the server.
    const child = spawn(PYTHON, ["-B", SCRIPT, tcpUrl], { detached: true });
    this.#child = child;
    let stderr = "";
    child.stdin.on("error", () => {}); // the process has exited, which is reported below
    child.stdout.once("data", () => report("Python's oslo.messaging also serves topic demo, as python-1."));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-2_000);
    });
    child.once("error", (error) => report(`No Python server: ${error.message}`));
    child.once("exit", () => {
      if (!child.stdin.writableEnded) report(`No Python server: ${lastLine(stderr)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(timer);
  }
}

/** Returns the last line of a traceback, which has the error. */
function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) || "the process exited";
}
