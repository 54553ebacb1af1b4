import ipaddr from "ipaddr.js";
import { integer } from "../role/config.ts";

/** RATE_TRUSTED_PROXIES: how many proxies stand before a role and add to `X-Forwarded-For`. */
export const trustedProxies = integer("RATE_TRUSTED_PROXIES", 0, { min: 0, max: 10 });

/**
 * Whom to count a request for: the address of the connection, or where so many `proxies` stand before the role, what
 * the outermost of them says in `X-Forwarded-For`; what stands further left there the client may have written. Of IPv6
 * the /64, which is one customer.
 */
export function clientAddress(peer: string | null | undefined, forwardedFor: string | null, proxies: number): string {
  const said = (forwardedFor ?? "").split(",").map((address) => address.trim());
  const told = proxies === 0 ? undefined : said.at(-proxies);
  return canonical(told) ?? canonical(peer) ?? "unknown";
}

/** Reading an address took 3 % of what the gateway spends on a create, and most requests come from few. */
const known = new Map<string, string | null>();
const mostKnown = 1_000;

function canonical(address: string | null | undefined): string | null {
  if (address === null || address === undefined) return null;
  let found = known.get(address);
  if (found === undefined) {
    found = readAddress(address);
    if (known.size >= mostKnown) known.clear();
    // What a client writes may be of any length.
    if (address.length <= 100) known.set(address, found);
  }
  return found;
}

function readAddress(address: string): string | null {
  // Some proxies add the port.
  const bare = address.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  if (!ipaddr.isValid(bare)) return null;
  const parsed = ipaddr.process(bare);
  if (parsed.kind() === "ipv4") return parsed.toString();
  const parts = ipaddr.parse(parsed.toNormalizedString());
  return parts instanceof ipaddr.IPv6
    ? `${parts.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")}::/64`
    : null;
}
