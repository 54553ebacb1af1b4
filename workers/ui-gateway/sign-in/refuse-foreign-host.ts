import { isLoopback } from "../../../shared/http/loopback.ts";
import { Problem } from "../../../shared/problem.ts";

/**
 * Refuses a request (FORBIDDEN_ORIGIN) that did not ask for this machine by a name of its own: loopback, or one of
 * `names`. Against DNS rebinding: a page of a stranger's name that leads to 127.0.0.1 is of the same origin as what it
 * asks. A proxy that changes `Host` tells the first name in `X-Forwarded-Host`, which is compared as well.
 */
export function refuseForeignHost(request: Request, names: readonly string[]): void {
  const { headers } = request;
  const hosts = [headers.get("host") ?? new URL(request.url).host, headers.get("x-forwarded-host")];
  for (const host of hosts) {
    if (host === null) continue;
    const name = URL.parse(`http://${host}`)?.hostname ?? "";
    if (!isLoopback(name) && !names.includes(name))
      throw new Problem(
        "FORBIDDEN_ORIGIN",
        `Development sign-in answers localhost and 127.0.0.1, not ${JSON.stringify(host.slice(0, 100))}; AUTH_DEV_HOSTS adds names`,
      );
  }
}
