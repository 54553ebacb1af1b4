import { flag } from "./config.ts";
import { isLoopback } from "../http/loopback.ts";

/**
 * Nested by every group with a password that an unencrypted connection would show to the network, or keys it could
 * replace.
 */
export const allowPasswordsInClear = flag("ALLOW_PASSWORDS_IN_CLEAR", false);

/** The complaint about a password that would be shown, beginning with the setting's name. */
export function passwordInClear(setting: string): string {
  return `${setting} would send its password unencrypted: use TLS, or set ALLOW_PASSWORDS_IN_CLEAR=true in a network you trust`;
}

/** Whether a password for `address` passes over a network that others may read: no TLS, and not only this machine. */
export function isReadOnTheWay(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && !["https:", "rediss:"].includes(url.protocol) && !isLoopback(url.hostname);
}
