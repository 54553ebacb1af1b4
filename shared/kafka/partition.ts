/**
 * The partition of a key, as the Java client and our producer choose it: murmur2 of its UTF-8 bytes, the sign bit
 * cleared, modulo the number of partitions (Kafka's BuiltInPartitioner and Utils.murmur2).
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(new TextEncoder().encode(key)) & 0x7fff_ffff) % partitions;
}

/** MurmurHash2, 32 bits, with Kafka's seed; a signed integer as in Java. */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1_e995;
  const at = (index: number): number => bytes[index] ?? 0;
  let hash = 0x9747_b28c ^ bytes.length;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    hash = Math.imul(hash, m) ^ k;
  }
  const left = bytes.length - whole;
  if (left === 3) hash ^= at(whole + 2) << 16;
  if (left >= 2) hash ^= at(whole + 1) << 8;
  if (left >= 1) hash = Math.imul(hash ^ at(whole), m);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, m);
  return hash ^ (hash >>> 15);
}
