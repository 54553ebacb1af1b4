const maxOctets = 75;
const encoder = new TextEncoder();

/**
 * One line of RFC 5545 §3.1 with its CRLF: `name` with its parameters, a colon, a value that is spelt already. Lines longer than 75
 * octets are folded between characters, never inside one.
 */
export function contentLine(name: string, value: string): string {
  const text = `${name}:${value}`;
  // A unit of a JavaScript string is three octets at most.
  if (text.length * 3 <= maxOctets) return `${text}\r\n`;
  let [line, octets] = ["", 0];
  for (const character of text) {
    const size = encoder.encode(character).length;
    if (octets + size > maxOctets) {
      line += "\r\n ";
      octets = 1; // the space that begins a continuation
    }
    line += character;
    octets += size;
  }
  return `${line}\r\n`;
}

/** A value of type TEXT (§3.3.11). Line breaks become `\n`; other control characters cannot be written and are left out. */
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
