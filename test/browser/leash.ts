// Ends the process that it is loaded into, as Ctrl-C would, when its standard input ends: with the test that started it.
process.stdin.once("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.unref();
