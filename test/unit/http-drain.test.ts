import { expect, test } from "bun:test";
import { drainRequests } from "../../shared/http/drain-requests.ts";

const request = () => new Request("http://h/", { headers: { "x-request-id": "r" } });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what runs at the stop is finished, what comes after is told to try again, and then it is drained", async () => {
  const stop = new AbortController();
  const gate = Promise.withResolvers<Response>();
  const { fetch, drained } = drainRequests(stop.signal, () => gate.promise);
  let isDrained = false;
  const noted = drained.then(() => (isDrained = true));
  const running = fetch(request());
  stop.abort();
  const late = await fetch(request());
  expect([late.status, late.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await late.json()).toMatchObject({ code: "UNAVAILABLE", retryable: true, instance: "r" });
  await turn();
  expect(isDrained).toBe(false);
  gate.resolve(new Response("done"));
  expect(await (await running).text()).toBe("done");
  await noted;
});

test("a request that fails does not hold the stop up, and without any there is nothing to wait for", async () => {
  const stop = new AbortController();
  const failing = drainRequests(stop.signal, () => Promise.reject(new Error("x")));
  const running = failing.fetch(request());
  stop.abort();
  await expect(running).rejects.toThrow("x");
  await failing.drained;
  await drainRequests(stop.signal, () => new Response("")).drained;
});
