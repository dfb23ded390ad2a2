/** What this browser keeps for the page, if it lets pages keep anything. */
export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(`playground:${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it, if that can be: what a page cannot keep is gone with it. */
export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`playground:${key}`, value);
  } catch {}
}
