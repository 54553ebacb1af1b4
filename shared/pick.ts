/** These fields of an object. What is undefined is left out: spread over another object, it leaves that as it is. */
export function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): PickedFields<T, K> {
  const found: Partial<T> = {};
  for (const name of names) if (from[name] !== undefined) found[name] = from[name];
  return found as PickedFields<T, K>; // Only what may be undefined can be missing.
}

type PickedFields<T, K extends keyof T> = { [P in SureKey<T, K>]: T[P] } & {
  [P in Exclude<K, SureKey<T, K>>]?: Exclude<T[P], undefined>;
};
type SureKey<T, K extends keyof T> = { [P in K]-?: undefined extends T[P] ? never : P }[K];
