const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** As Python's urllib.parse.quote: everything is percent-encoded as UTF-8 but letters, digits, `_.-~` and what `safe` holds. */
export function quote(text: string, safe = ""): string {
  let quoted = "";
  for (const byte of encoder.encode(text)) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_.~-]/.test(character) || safe.includes(character);
    quoted += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return quoted;
}

/** As Python's urllib.parse.unquote: what is no percent-encoding stays, what is no UTF-8 becomes U+FFFD. Never throws. */
export function unquote(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    return decoder.decode(Uint8Array.from(run.slice(1).split("%"), (hex) => Number.parseInt(hex, 16)));
  });
}
