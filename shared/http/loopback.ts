/**
 * Whether a host name or address (without a port) means this machine alone. Spelled plainly: `127.1` or `0x7f000001` do
 * not count.
 */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}
