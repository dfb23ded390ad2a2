/**
 * Returns a function that matches a text as Python's `re.match(pattern, text)` does: anchored at the start only, and with
 * Python's meaning of `\d`, `\w`, `\s`, `\b`, `.`, `^` and `$`. One difference remains: a reference to a group that did not
 * participate in the match matches the empty text in JavaScript, and fails in Python.
 *
 * @throws SyntaxError for an invalid pattern, and for syntax that JavaScript has no equivalent for.
 */
export function pythonMatch(pattern: string): (text: string) => boolean {
  const regexp = new Translation(pattern).regexp();
  return (text) => {
    regexp.lastIndex = 0;
    return regexp.test(text);
  };
}

/**
 * The members of `[...]` for Python's character classes. Each begins and ends with a property, so that JavaScript refuses a
 * range from or to a class, as Python does.
 */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["d", "\\p{Nd}"],
  ["D", "\\P{Nd}"],
  ["w", "\\p{L}_\\p{N}"],
  [
    "W",
    "\\p{M}\\p{Z}\\p{C}\\p{S}\\p{Pd}\\u203f\\u2040\\u2054\\ufe33\\ufe34\\ufe4d-\\ufe4f\\uff3f\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}",
  ],
  ["s", "\\p{Zl}\\t-\\r\\x1c-\\x1f\\x85\\p{Zp}\\p{Zs}"],
  ["S", "\\p{L}\\p{M}\\p{N}\\0-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Cs}\\p{Cn}"],
]);

const WORD = "[\\p{L}_\\p{N}]";

/** Python's assertions, as JavaScript writes them. */
const ASSERTIONS: ReadonlyMap<string, string> = new Map([
  ["A", "(?<![^])"],
  ["Z", "(?![^])"],
  ["b", `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`],
  // Before Python 3.14 `\B` does not match in the empty text.
  ["B", `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD})(?:(?<=[^])|(?=[^])))`],
]);

/** One pass over a pattern. */
class Translation {
  readonly #pattern: string;
  #at = 0;
  #flags = "";

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  regexp(): RegExp {
    // Global flags are at the start.
    for (
      let flags = this.#take(/\(\?([aiLmsux]+)\)/y);
      flags !== undefined;
      flags = this.#take(/\(\?([aiLmsux]+)\)/y)
    ) {
      if (/[aLx]/.test(flags)) throw this.#fault(`the flags ${flags} are not supported`);
      this.#flags += flags;
    }
    let source = "";
    while (this.#at < this.#pattern.length) source += this.#next();
    return new RegExp(source, this.#flags.includes("i") ? "iuy" : "uy");
  }

  #next(): string {
    if (this.#take(/(\\)/y)) return this.#escape();
    if (this.#take(/(\[)/y)) return this.#class();
    if (this.#take(/(\(\?)/y)) return this.#group();
    const repeat = this.#take(/(\{(?:\d+(?:,\d*)?|,\d*)\})/y);
    if (repeat !== undefined) return repeat.replace("{,", "{0,");
    const character = this.#take(/(.)/suy) ?? "";
    switch (character) {
      case ".":
        return this.#flags.includes("s") ? "[^]" : "[^\\n]";
      case "^":
        return this.#flags.includes("m") ? "(?<![^\\n])" : "(?<![^])";
      case "$":
        return this.#flags.includes("m") ? "(?![^\\n])" : "(?=\\n?(?![^]))";
      case "{":
      case "}":
      case "]":
        return `\\${character}`;
      default:
        return character;
    }
  }

  /** Translates what follows `(?`. */
  #group(): string {
    const plain = this.#take(/(:|=|!|<=|<!)/y);
    if (plain !== undefined) return `(?${plain}`;
    const name = this.#take(/P<([^>]*)>/y);
    if (name !== undefined) return `(?<${name}>`;
    const reference = this.#take(/P=([^)]*)\)/y);
    if (reference !== undefined) return `(?:\\k<${reference}>)`;
    if (this.#take(/(#)[^)]*\)/y)) return "";
    throw this.#fault(`a group that begins with (?${this.#pattern.slice(this.#at, this.#at + 2)} is not supported`);
  }

  /** Translates what follows a backslash outside of a class. */
  #escape(): string {
    const octal = this.#take(/(0[0-7]{0,2}|[0-3][0-7]{2})/y);
    if (octal !== undefined) return codePoint(Number.parseInt(octal, 8));
    if (this.#take(/([4-7][0-7]{2})/y)) throw this.#fault("an octal escape above \\377");
    const reference = this.#take(/([1-9]\d?)/y);
    if (reference !== undefined) return `(?:\\${reference})`;
    const assertion = this.#take(/([AZbB])/y);
    if (assertion !== undefined) return ASSERTIONS.get(assertion) ?? "";
    const characters = this.#take(/([dDwWsS])/y);
    if (characters !== undefined) return `[${CLASSES.get(characters)}]`;
    return this.#escapedCharacter();
  }

  /** Translates what follows `[`. A leading `]` is a member. */
  #class(): string {
    let source = this.#take(/(\^)/y) === undefined ? "[" : "[^";
    if (this.#take(/(\])/y)) source += "\\]";
    while (this.#take(/(\])/y) === undefined) source += this.#member();
    return `${source}]`;
  }

  #member(): string {
    if (this.#take(/(\\)/y) === undefined) {
      const character = this.#take(/(.)/suy);
      if (character === undefined) throw this.#fault('"[" without "]"');
      return character === "[" ? "\\[" : character;
    }
    const octal = this.#take(/([0-7]{1,3})/y);
    if (octal !== undefined) return codePoint(Number.parseInt(octal, 8));
    const characters = this.#take(/([dDwWsS])/y);
    if (characters !== undefined) return CLASSES.get(characters) ?? "";
    return this.#take(/(b)/y) === undefined ? this.#escapedCharacter() : "\\x08";
  }

  #escapedCharacter(): string {
    if (this.#take(/(a)/y)) return "\\x07";
    const control = this.#take(/([fnrtv])/y);
    if (control !== undefined) return `\\${control}`;
    const hex = this.#take(/x([\da-fA-F]{2})/y) ?? this.#take(/u([\da-fA-F]{4})/y) ?? this.#take(/U([\da-fA-F]{8})/y);
    if (hex !== undefined) return codePoint(Number.parseInt(hex, 16));
    const literal = this.#take(/([^a-zA-Z\d])/uy);
    if (literal === undefined) throw this.#fault(`\\${this.#pattern.charAt(this.#at)} is not supported`);
    return /[\^$\\.*+?()[\]{}|/-]/.test(literal) ? codePoint(literal.charCodeAt(0)) : literal;
  }

  /** The capture of the sticky expression at the current position, which moves past the match. Undefined without a match. */
  #take(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found === null) return undefined;
    this.#at = expression.lastIndex;
    return found[1];
  }

  #fault(reason: string): SyntaxError {
    return new SyntaxError(`${reason} (at ${this.#at})`);
  }
}

function codePoint(code: number): string {
  return `\\u{${code.toString(16)}}`;
}
