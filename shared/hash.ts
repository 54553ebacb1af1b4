/**
 * FNV-1a over the units of a text, 32 bits. What is kept by it (shards, lines of users) would lie elsewhere with
 * another.
 */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
