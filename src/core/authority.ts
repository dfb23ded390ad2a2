/** `host:port` as URLs and error messages have it: an IPv6 address in brackets. */
export function authority({ hostname, port }: { readonly hostname: string; readonly port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
