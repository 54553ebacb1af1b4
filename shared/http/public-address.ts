import ipaddr from "ipaddr.js";
import { flag } from "../role/config.ts";

/** For development: people's webhooks may lead to addresses that are not of the public internet. */
export const allowPrivateSetting = flag("NOTIFY_ALLOW_PRIVATE_ADDRESSES", false);

/**
 * Everything that is handed out to the public today (RFC 4291 §2.4); what is carved out of it is asked of ipaddr.js.
 */
const globalV6 = ipaddr.parseCIDR("2000::/3");

/**
 * Handed out to the public, yet every machine of a cloud reaches its host there: Azure's metadata, health probe and
 * DNS.
 */
const insideClouds: readonly string[] = ["168.63.129.16"];

/**
 * Whether an address is one of the public internet: not private, loopback, link-local (where clouds answer with
 * credentials), shared, reserved, multicast, a cloud's own, or one that carries another within (6to4, Teredo, NAT64).
 * One mapped from IPv4 is what it maps.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv6" && !parsed.match(globalV6)) return false;
  return parsed.range() === "unicast" && !insideClouds.includes(parsed.toString());
}

/** The address a URL's host is, `null` where it is a name. */
export function addressOf({ hostname }: Pick<URL, "hostname">): string | null {
  const host = hostname.replace(/^\[|\]$/g, "");
  return ipaddr.isValid(host) ? host : null;
}

/** Names that mean something inside a network only (RFC 6761, 6762, 8375; ICANN keeps `internal` for it). */
const insideNames = /(?:^|\.)(?:localhost|local|internal|home\.arpa)\.?$/i;

/**
 * Whether a URL's host says by itself that it is not of the public internet. What a name resolves to is looked at when
 * something is sent.
 */
export function leadsInside(url: URL): boolean {
  const address = addressOf(url);
  return address === null ? insideNames.test(url.hostname) : !isPublic(address);
}
