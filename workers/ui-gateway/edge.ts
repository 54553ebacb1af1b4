// What stands in front of the gateway in an edge runtime (`deno serve`, Deno Deploy, Cloudflare Workers): a plain
// `fetch` handler that passes everything on to the gateway at ORIGIN. The only module of the product that needs no TCP
// and no files.
import { makeEdge, type Edge } from "./make-edge.ts";

/** Workers hand their settings over with each request, Deno says where it comes from. */
type EdgeContext = Readonly<{ ORIGIN?: string; remoteAddr?: Readonly<{ hostname?: string }> }>;

let edge: Edge | null = null;

// oxlint-disable-next-line import/no-default-export -- what such a runtime looks for
export default {
  fetch: (request: Request, beside: EdgeContext = {}): Promise<Response> => {
    edge ??= makeEdge(originOf(beside));
    return edge(request, beside.remoteAddr?.hostname ?? request.headers.get("cf-connecting-ip"));
  },
};

function originOf({ ORIGIN }: EdgeContext): string {
  const origin = ORIGIN ?? globalThis.process?.env["ORIGIN"];
  if (!origin) throw new Error("ORIGIN is not set: the address of the gateway");
  return origin;
}
