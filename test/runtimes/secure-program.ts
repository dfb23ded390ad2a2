// What a runtime with a command line runs to call by TLS: its first argument tells how, its output what became of it.
import * as oslo from "oslo-messaging";
import { secureCall } from "./secure-call.js";

declare const process: { argv: readonly string[]; stdout: { write(text: string): unknown } };

const outcome = await secureCall(oslo, JSON.parse(process.argv[2] ?? ""));
process.stdout.write(`${JSON.stringify(outcome)}\n`);
