/** Whether UTF-8, and so a string of AMQP, can hold the text: it has no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
