import { describe, expect, test } from "bun:test";
import { isPublic, leadsInside } from "../../../shared/http/public-address.ts";
import { resolvePublic, type Address } from "../../../workers/notification-service/channels/resolve-public.ts";

describe("addresses a webhook of a person may lead to", () => {
  test.each(["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8"])(
    "%s",
    (address) => expect(isPublic(address)).toBe(true),
  );
});

describe("a URL leads inside by itself", () => {
  test.each([
    ["http://127.0.0.1/hook", true],
    ["http://2130706433/", true],
    ["http://0x7f.1/", true],
    ["http://[::1]:8080/", true],
    ["http://[::ffff:10.0.0.1]/", true],
    ["http://169.254.169.254/latest/meta-data", true],
    ["http://localhost:3000/", true],
    ["http://LOCALHOST./", true],
    ["http://me.localhost/", true],
    ["http://metadata.google.internal/", true],
    ["http://printer.local/", true],
    ["http://router.home.arpa/", true],
    ["https://example.org/hook", false],
    ["https://local.example.org/", false],
    ["https://notlocal/", false],
    ["https://93.184.216.34/", false],
  ])("%s: %p", (url, inside) => expect(leadsInside(new URL(url))).toBe(inside));
});

describe("addresses it may not lead to", () => {
  test.each([
    ["loopback", "127.0.0.1"],
    ["loopback, all of it", "127.9.9.9"],
    ["this host", "0.0.0.0"],
    ["private", "10.0.0.1"],
    ["private", "172.16.5.4"],
    ["private", "192.168.1.1"],
    ["shared (and a cloud's metadata)", "100.100.100.200"],
    ["link-local: metadata of most clouds", "169.254.169.254"],
    ["reserved (and a cloud's metadata)", "192.0.0.192"],
    ["documentation", "203.0.113.7"],
    ["benchmarking", "198.18.0.1"],
    ["multicast", "224.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["reserved", "240.0.0.1"],
    ["v6 loopback", "::1"],
    ["v6 unspecified", "::"],
    ["v6 link-local", "fe80::1"],
    ["v6 site-local", "fec0::1"],
    ["v6 unique local: metadata of a cloud", "fd00:ec2::254"],
    ["v6 multicast", "ff02::1"],
    ["v6 documentation", "2001:db8::1"],
    ["v4 in v6", "::ffff:127.0.0.1"],
    ["v4 in v6, in hex", "::ffff:a9fe:a9fe"],
    ["v4-compatible", "::127.0.0.1"],
    ["6to4 of a private one", "2002:0a00:0001::1"],
    ["NAT64 of metadata", "64:ff9b::a9fe:a9fe"],
    ["Teredo", "2001:0:0:1::1"],
    ["a cloud's host, though handed out to the public", "168.63.129.16"],
    ["the same in v6", "::ffff:168.63.129.16"],
    ["no address", "localhost"],
  ])("%s: %s", (_kind, address) => expect(isPublic(address)).toBe(false));
});

describe("what a URL's host leads to", () => {
  const answers: Record<string, readonly Address[]> = {
    "good.example": [{ address: "93.184.216.34", family: 4 }],
    "mixed.example": [
      { address: "93.184.216.34", family: 4 },
      { address: "10.0.0.1", family: 4 },
    ],
    "none.example": [],
  };
  const resolve = (name: string) =>
    answers[name] ? Promise.resolve(answers[name]) : Promise.reject(new Error(`asked for ${name}`));
  const of = (url: string) => resolvePublic(new URL(url), resolve);
  test("its addresses, where all are public", async () => {
    expect(await of("https://good.example/x")).toEqual([{ address: "93.184.216.34", family: 4 }]);
    expect(await of("https://8.8.8.8/x")).toEqual([{ address: "8.8.8.8", family: 4 }]);
    expect(await of("https://[2606:4700:4700::1111]/")).toEqual([{ address: "2606:4700:4700::1111", family: 6 }]);
  });
  // However a browser would write it: the URL parser has made all of these the address.
  test.each([
    "http://mixed.example",
    "http://none.example",
    "http://127.0.0.1:8080/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://[::1]/",
    "http://[::ffff:169.254.169.254]/latest/meta-data",
  ])("none for %s", async (url) => expect(await of(url)).toBeNull());
});
