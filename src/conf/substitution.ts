const ESCAPED_OR_NAME = /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi;

/**
 * A value with the values of other options in the place of `$name`, `${name}` and `${group.name}`. `$$` and `\$` stand for
 * `$`, which also stays where no name follows (oslo_config/cfg.py:2764-2800).
 */
export function substituted(text: string, lookUp: (name: string) => string): string {
  const escaped = text.replaceAll("\\$", () => "$$");
  return escaped.replace(ESCAPED_OR_NAME, (_whole, dollar: string | undefined, plain?: string, braced?: string) => {
    return dollar ?? lookUp(plain ?? braced ?? "");
  });
}
