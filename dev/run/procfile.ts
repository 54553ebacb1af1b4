export type ProcfileLine = Readonly<{ name: string; command: string }>;

/**
 * Reads a Procfile of `name: command` lines; blank lines and `#` comments are skipped. Throws on others, naming the
 * line.
 */
export function parseProcfile(text: string): readonly ProcfileLine[] {
  const lines: ProcfileLine[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(line);
    const [, name, command] = match ?? [];
    if (name === undefined || command === undefined)
      throw new Error(`Procfile line ${index + 1} is not "name: command": ${line}`);
    if (lines.some((other) => other.name === name))
      throw new Error(`Procfile line ${index + 1} names ${name} a second time.`);
    lines.push({ name, command });
  }
  return lines;
}
