/** RFC 3454, C.1.2: non-ASCII spaces, which are replaced by a space. */
const SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
/** RFC 3454, B.1: invisible characters, which are removed. */
const INVISIBLE = /[\u034f\u180b-\u180d\ufe00-\ufe0f\u00ad\u1806\u200b-\u200d\u2060\ufeff]/g;
/** RFC 3454, C.2 to C.9: control characters, private use, non-characters, surrogates, changes of direction, tags. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/**
 * Prepares a user name or password for SCRAM (SASLprep, RFC 4013). Returns undefined when a character is prohibited.
 * Unassigned characters and mixed text directions are not checked.
 */
export function saslprep(text: string): string | undefined {
  const prepared = text.replace(INVISIBLE, "").replace(SPACES, " ").normalize("NFKC");
  return PROHIBITED.test(prepared) ? undefined : prepared;
}
