const ESCAPED_OR_NAME = /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi;

/**
 * Replaces `$name`, `${name}` and `${group.name}` by the values of those options. `$$` and `\$` become `$`. A `$` without a
 * name stays (oslo_config/cfg.py:2764-2800).
 */
export function substituted(text: string, lookUp: (name: string) => string): string {
  const escaped = text.replaceAll("\\$", () => "$$");
  return escaped.replace(ESCAPED_OR_NAME, (_whole, dollar: string | undefined, plain?: string, braced?: string) => {
    return dollar ?? lookUp(plain ?? braced ?? "");
  });
}
