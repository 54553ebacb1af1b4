import { Problem } from "../problem.ts";

/**
 * The body of a request as text: at most `maxBytes` (else BODY_TOO_LARGE, told as soon as it is known), UTF-8 (else
 * MALFORMED_JSON), and without JSON escapes of what no part below can store or compare: NUL, which Postgres refuses, and lone
 * surrogates, which turn into another character when they are encoded (else INVALID_REQUEST naming each place).
 */
export async function readBoundedBody(request: Request, maxBytes: number): Promise<string> {
  const bytes = await readBytes(request, maxBytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", "The body is not UTF-8", { cause });
  }
  if (/\\u(?:0000|d[89a-f])/i.test(text)) refuseIllFormed(text);
  return text;
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new Problem("BODY_TOO_LARGE", `The body may have ${maxBytes} bytes`);
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > maxBytes) throw tooLarge();
    // A server never hands on more than was declared, so nothing is counted on this path, the usual one.
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.byteLength > maxBytes) throw tooLarge();
    return bytes;
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function refuseIllFormed(text: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", undefined, { cause });
  }
  const paths: string[] = [];
  const waiting: { path: string; value: unknown }[] = [{ path: "", value: body }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, value } = next;
    if (typeof value === "string" && !isWellFormed(value)) paths.push(path);
    if (typeof value !== "object" || value === null) continue;
    for (const [key, below] of Object.entries(value)) {
      if (isWellFormed(key)) waiting.push({ path: `${path}/${pointerToken(key)}`, value: below });
      else paths.push(path);
    }
  }
  if (paths.length === 0) return;
  const message = "has a NUL character or half a surrogate pair";
  throw new Problem("INVALID_REQUEST", undefined, {
    mistakes: paths.slice(0, 50).map((path) => ({ path: path || "/", message })),
  });
}

function isWellFormed(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** RFC 6901 §3. */
export function pointerToken(key: string | number): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}
