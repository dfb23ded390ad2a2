/** Resolves when `ending` does, at the latest after `ms`. Rejects when it does first. */
export async function within(ms: number, ending: Promise<void> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([ending, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
