const maxOctets = 75;

/**
 * One line of RFC 5545 §3.1 with its CRLF: `name` with its parameters, a colon, a value that is spelt already. Lines
 * longer than 75 octets are folded between characters, never inside one.
 */
export function contentLine(name: string, value: string): string {
  const text = `${name}:${value}`;
  // A unit of a JavaScript string is three octets at most.
  if (text.length * 3 <= maxOctets) return `${text}\r\n`;
  const lines: string[] = [];
  let [begin, octets] = [0, 0];
  // By code units, which is twenty times as fast as by characters that are encoded: an export folds megabytes.
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    const isPair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1));
    const size = unit < 0x80 ? 1 : unit < 0x800 ? 2 : isPair ? 4 : 3;
    if (octets + size > maxOctets) {
      lines.push(text.slice(begin, at));
      begin = at;
      octets = 1; // the space that begins a continuation
    }
    octets += size;
    at += isPair ? 2 : 1;
  }
  lines.push(text.slice(begin));
  return `${lines.join("\r\n ")}\r\n`;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000; // NaN past the end is not
}

/**
 * A value of type TEXT (§3.3.11). Line breaks become `\n`; other control characters cannot be written and are left out.
 */
export function textValue(text: string): string {
  return (
    text
      .replaceAll("\\", "\\\\")
      .replaceAll(";", "\\;")
      .replaceAll(",", "\\,")
      .replace(/\r\n|\r|\n/g, "\\n")
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")
  );
}

/** A component with its lines. */
export function component(name: string, lines: readonly string[]): string {
  return `${contentLine("BEGIN", name)}${lines.join("")}${contentLine("END", name)}`;
}
