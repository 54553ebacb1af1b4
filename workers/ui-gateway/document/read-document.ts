import { direct } from "../../../shared/http/proxy-for.ts";
import type { Upstream } from "../http/upstreams.ts";
import type { ReadDocument } from "./api-document.ts";

/** Asks the first address of a role for its OpenAPI document, for two seconds. */
export function readDocumentFrom(upstreams: Readonly<Record<Upstream, readonly string[]>>): ReadDocument {
  return async (upstream) => {
    const [address = ""] = upstreams[upstream];
    const signal = AbortSignal.timeout(2_000);
    return (await fetch(new URL("/openapi.json", address), { signal, ...direct })).json();
  };
}
