import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";

export type Address = Readonly<{ address: string; family: 4 | 6 }>;

/** Addresses of a host name, as the system resolves it. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>;

export const resolveBySystem: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/** Everything that is handed out to the public today (RFC 4291 §2.4); what is carved out of it is asked of ipaddr.js. */
const globalV6 = ipaddr.parseCIDR("2000::/3");

/**
 * Whether an address is one of the public internet: not private, loopback, link-local (where clouds answer with credentials), shared,
 * reserved, multicast, or one that carries another within (6to4, Teredo, NAT64). One mapped from IPv4 is what it maps.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv6" && !parsed.match(globalV6)) return false;
  return parsed.range() === "unicast";
}

/**
 * The addresses a URL's host has now, if all of them are public; `null` when one is not, so that a name which answers with both is
 * not asked twice. Rejects with the resolver's error.
 */
export async function resolvePublic(url: URL, resolve: Resolve): Promise<readonly Address[] | null> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = ipaddr.isValid(host)
    ? [{ address: host, family: ipaddr.parse(host).kind() === "ipv6" ? 6 : 4 } as const]
    : await resolve(host);
  return addresses.length > 0 && addresses.every(({ address }) => isPublic(address)) ? addresses : null;
}
