/** `host:port`, as in URLs and error messages, with an IPv6 address in brackets. */
export function authority({ hostname, port }: { readonly hostname: string; readonly port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
