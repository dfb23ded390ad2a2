export interface ServerAddress {
  url: string;
  topic: string;
  server: string;
}

/** Returns a shell command that calls the server. Names with special characters are quoted. */
export function terminalCommand({ url, topic, server }: ServerAddress): string {
  const [urlWord, topicWord, serverWord] = [url, topic, server].map(shellWord);
  return `npx oslo-messaging call --url ${urlWord} \\\n  --topic ${topicWord} --server ${serverWord} whoami`;
}

/** Quotes a text as one shell word: a URL's query, a space or a quote would have a meaning to the shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
