import { connect } from "node:net";

/** What came back on a connection of its own, byte for byte, and whether the other side closed it within `waitMs`. */
type RawAnswer = Readonly<{ status: number; headers: Headers; body: string; isClosed: boolean }>;

/** Sends bytes that no HTTP client would, and reads until the other side closes, or `waitMs` after the last byte. */
export async function sendRaw(port: number, request: string, waitMs = 300): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(request, "latin1")));
  const chunks: Buffer[] = [];
  socket.setTimeout(waitMs, () => resolve(false));
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  socket.on("end", () => resolve(true));
  socket.on("error", reject);
  const isClosed = await promise;
  socket.destroy();
  const [head = "", ...rest] = Buffer.concat(chunks).toString("utf8").split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  return { status: Number(first.split(" ")[1]), headers, body: rest.join("\r\n\r\n"), isClosed };
}
