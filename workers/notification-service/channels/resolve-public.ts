import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { addressOf, isPublic } from "../../../shared/http/public-address.ts";

export type Address = Readonly<{ address: string; family: 4 | 6 }>;

/** Addresses of a host name, as the system resolves it. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>;

export const resolveBySystem: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/**
 * The addresses a URL's host has now, if all of them are public; `null` when one is not, so that a name which answers
 * with both is not asked twice. Rejects with the resolver's error.
 */
export async function resolvePublic(url: URL, resolve: Resolve): Promise<readonly Address[] | null> {
  const address = addressOf(url);
  const addresses =
    address === null ? await resolve(url.hostname) : [{ address, family: isIPv6(address) ? 6 : 4 } as const];
  return addresses.length > 0 && addresses.every((one) => isPublic(one.address)) ? addresses : null;
}
