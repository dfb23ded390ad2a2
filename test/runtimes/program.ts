// What a runtime with a command line runs: the setting is its first argument, reports are lines of JSON on its output.
import * as oslo from "oslo-messaging";
import { perform } from "./perform.js";

declare const process: { argv: readonly string[]; stdout: { write(text: string): unknown } };

await perform(oslo, JSON.parse(process.argv[2] ?? ""), (report) => process.stdout.write(`${JSON.stringify(report)}\n`));
