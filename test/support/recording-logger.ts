import type { Logger } from "@/src/core/logger.js";

/** Keeps what is logged. */
export class RecordingLogger implements Logger {
  readonly lines: { level: keyof Logger; message: string; fields: object | undefined }[] = [];

  of(level: keyof Logger): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  debug = (message: string, fields?: object) => this.#keep("debug", message, fields);
  info = (message: string, fields?: object) => this.#keep("info", message, fields);
  warn = (message: string, fields?: object) => this.#keep("warn", message, fields);
  error = (message: string, fields?: object) => this.#keep("error", message, fields);

  #keep(level: keyof Logger, message: string, fields: object | undefined): void {
    this.lines.push({ level, message, fields });
  }
}
