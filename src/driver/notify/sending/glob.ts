/** Returns a function that matches a text as Python's `fnmatch.fnmatchcase(text, pattern)` does: `*`, `?`, `[seq]`, `[!seq]`. */
export function globMatch(pattern: string): (text: string) => boolean {
  const characters = [...pattern];
  let source = "";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    const end = character === "[" ? endOfSet(characters, at) : undefined;
    if (end !== undefined) {
      source += setSource(characters.slice(at + 1, end));
      at = end;
    } else if (character === "*") source += "[^]*";
    else if (character === "?") source += "[^]";
    else source += literal(character);
  }
  const regexp = new RegExp(`^${source}$`, "u");
  return (text) => regexp.test(text);
}

/** Index of the `]` that ends the set. A leading `]` is a member. Undefined: the `[` is a literal character. */
function endOfSet(characters: readonly string[], open: number): number | undefined {
  const first = characters[open + 1] === "!" ? open + 2 : open + 1;
  const end = characters.indexOf("]", characters[first] === "]" ? first + 1 : first);
  return end === -1 ? undefined : end;
}

/** Source of the set. As in Python, a reversed range is removed, and a `!` that then comes first negates the set. */
function setSource(members: readonly string[]): string {
  const parts = partsOf(members);
  for (let index = parts.length - 1; index > 0; index--) {
    const [low, high] = [parts[index - 1] ?? [], parts[index] ?? []];
    if (codeOf(low.at(-1)) > codeOf(high[0])) parts.splice(index - 1, 2, [...low.slice(0, -1), ...high.slice(1)]);
  }
  const negated = parts[0]?.[0] === "!";
  if (negated) parts[0]?.shift();
  return `[${negated ? "^" : ""}${parts.map((part) => part.map(literal).join("")).join("-")}]`;
}

/** The members, split at each `-` between the ends of a range (fnmatch.py, translate). */
function partsOf(members: readonly string[]): string[][] {
  const parts: string[][] = [];
  let from = 0;
  let dash = members.indexOf("-", members[0] === "!" ? 2 : 1);
  while (dash !== -1) {
    parts.push(members.slice(from, dash));
    from = dash + 1;
    dash = members.indexOf("-", dash + 3);
  }
  const last = members.slice(from);
  if (last.length > 0 || parts.length === 0) parts.push(last);
  else parts.at(-1)?.push("-");
  return parts;
}

function codeOf(character: string | undefined): number {
  return character?.codePointAt(0) ?? 0;
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(character) ? `\\u{${codeOf(character).toString(16)}}` : character;
}
