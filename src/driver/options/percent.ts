import { utf8Encoder } from "../../core/types/utf8.js";

/** Like Python's urllib.parse.quote: percent-encodes UTF-8, except letters, digits, `_.-~` and the characters of `safe`. */
export function quote(text: string, safe = ""): string {
  let quoted = "";
  for (const byte of utf8Encoder().encode(text)) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_.~-]/.test(character) || safe.includes(character);
    quoted += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return quoted;
}

/** Like Python's urllib.parse.unquote: keeps invalid percent-encodings, decodes invalid UTF-8 to U+FFFD. Never throws. */
export function unquote(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split("%"), (hex) => Number.parseInt(hex, 16));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  });
}
