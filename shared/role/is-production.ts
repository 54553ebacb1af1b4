/**
 * Whether a NODE_ENV means production, in the spellings people use: what is dangerous there is refused for each of
 * them.
 */
export function isProduction(nodeEnv: string | null | undefined): boolean {
  return /^\s*prod(uction)?\s*$/i.test(nodeEnv ?? "");
}
