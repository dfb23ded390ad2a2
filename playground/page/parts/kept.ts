/** Returns a value from the browser's storage; undefined when it is missing or storage is disabled. */
export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(`playground:${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a value in the browser. Does nothing when storage is disabled or full. */
export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`playground:${key}`, value);
  } catch {}
}
