/**
 * Steers a terminal or turns the direction of what follows: controls but for tab and newline, line separators,
 * embeddings, overrides and isolates.
 */
const steering = /[^\P{Cc}\t\n]|[\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Text for a terminal or a log: characters that would steer the terminal are written as JSON escapes, such as `\u001b`,
 * so JSON keeps its value.
 */
export function printable(text: string): string {
  return text.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
