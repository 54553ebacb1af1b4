/** A receiver of webhooks on this machine. */
export function receive(
  answer: (request: Request, body: string) => Response | Promise<Response> = () => new Response("ok"),
) {
  const requests: { request: Request; body: string }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = await request.text();
      requests.push({ request, body });
      return answer(request, body);
    },
  });
  const { href } = server.url;
  return { requests, url: href, port: server.port, [Symbol.asyncDispose]: () => server.stop(true) };
}
