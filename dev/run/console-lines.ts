import { printable } from "../../shared/printable.ts";

/** Writes whole lines of many sources to one terminal, each behind an aligned, coloured name. */
type ConsoleLines = Readonly<{
  /**
   * A function that prints a line of `source`, which may be several after its `\\n`s; what would steer the terminal is
   * escaped.
   */
  from: (source: string) => (line: string) => void;
  /** Prints text as it is. */
  plain: (text: string) => void;
}>;

const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94] as const;

export function openConsoleLines({
  names,
  coloured,
  write,
}: Readonly<{ names: readonly string[]; coloured: boolean; write: (text: string) => void }>): ConsoleLines {
  const width = Math.max(...names.map((name) => name.length), 3);
  const known = new Map<string, number>();
  const colourOf = (source: string): number => {
    const index = known.get(source) ?? known.size;
    known.set(source, index);
    return colours[index % colours.length] ?? 36;
  };
  for (const name of names) colourOf(name);
  return {
    from: (source) => {
      const name = source.padEnd(width);
      const prefix = coloured ? `\x1b[${colourOf(source)}m${name} │\x1b[0m ` : `${name} │ `;
      return (line) => write(`${prefix}${printable(line)}\n`);
    },
    plain: (text) => write(`${text}\n`),
  };
}

/** Cuts a stream of chunks into lines; the last, unfinished one is given out by `end`. */
export function splitLines(
  print: (line: string) => void,
): Readonly<{ push: (chunk: Uint8Array) => void; end: () => void }> {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    push: (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) print(line.endsWith("\r") ? line.slice(0, -1) : line);
    },
    end: () => {
      if (rest !== "") print(rest);
      rest = "";
    },
  };
}
