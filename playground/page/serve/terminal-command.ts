export interface ServerAddress {
  url: string;
  topic: string;
  server: string;
}

/** What calls this server from a terminal, whatever people have named it. */
export function terminalCommand({ url, topic, server }: ServerAddress): string {
  const [at, of, by] = [url, topic, server].map(shellWord);
  return `npx oslo-messaging call --url ${at} \\\n  --topic ${of} --server ${by} whoami`;
}

/** As one word of a shell, to which the query of a URL, a space or a quote would mean something. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
