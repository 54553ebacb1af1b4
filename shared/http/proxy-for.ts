/**
 * Options for `fetch`: Bun sends everything, 127.0.0.1 included, to the HTTP_PROXY of the environment unless told
 * otherwise, and an outbound proxy could read and change what goes there in clear. So plain http never goes to a proxy.
 * For https the environment decides: the proxy sees a name and sealed bytes.
 */
export function proxyFor(address: string | URL): Readonly<{ proxy?: false }> {
  return new URL(address).protocol === "https:" ? {} : direct;
}

/** For requests between our own processes, which never leave through a proxy. */
export const direct = { proxy: false } as const;
