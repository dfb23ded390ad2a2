/**
 * The origin of a page as browsers send it: `https://console.example.org`, without the default port of its scheme.
 *
 * @throws Error for a text that is not the URL of an origin.
 */
export function originOf(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, host, href } = new URL(text);
    const origin = `${protocol}//${host}`;
    if (host !== "" && (href === origin || href === `${origin}/`)) return origin;
  }
  throw new Error(`${JSON.stringify(text)} must be scheme://host or scheme://host:port of a page`);
}
