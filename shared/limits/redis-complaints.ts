import { isReadOnTheWay, passwordInClear } from "../role/password-in-clear.ts";

/** What is wrong with a REDIS_URL whose password anybody on the way could read. */
export function redisComplaints(address: string): readonly string[] {
  return hasPassword(address) && isReadOnTheWay(address) ? [passwordInClear("REDIS_URL with redis://")] : [];
}

/** ioredis takes it from the query as well. */
function hasPassword(address: string): boolean {
  const found = URL.parse(address);
  return found !== null && (found.password !== "" || found.searchParams.has("password"));
}
