/** RFC 3454, C.1.2: other spaces, which become one. */
const SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
/** RFC 3454, B.1: what nobody sees, which becomes nothing. */
const INVISIBLE = /[\u034f\u180b-\u180d\ufe00-\ufe0f\u00ad\u1806\u200b-\u200d\u2060\ufeff]/g;
/** RFC 3454, C.2 to C.9: control characters, private use, no characters, halves of characters, changes of direction, tags. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/**
 * A user name or password in the form in which SCRAM compares them (SASLprep, RFC 4013); undefined when a character is
 * prohibited. Which characters are assigned, and whether left and right directions are mixed, is not looked at.
 */
export function saslprep(text: string): string | undefined {
  const prepared = text.replace(INVISIBLE, "").replace(SPACES, " ").normalize("NFKC");
  return PROHIBITED.test(prepared) ? undefined : prepared;
}
