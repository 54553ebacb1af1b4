import { answerAsset, makeAsset, type Asset } from "../../../shared/http/asset.ts";
import { apiDocument, type ReadDocument } from "./api-document.ts";
import type { ApiDocument } from "./complete-document.ts";
import { docsPolicy, renderDocs } from "./reference/render-docs.ts";
import type { Upstream } from "../http/upstreams.ts";

type ApiPages = Readonly<{
  /** `/openapi.json`. */
  document: (request: Request) => Promise<Response>;
  /** `/docs`. */
  docs: (request: Request) => Promise<Response>;
}>;

type BuiltDocument = Readonly<{ document: Asset; docs: Asset; isWhole: boolean; at: number }>;

/**
 * Everybody may ask for these, and making them costs a tenth of a CPU second over six roles: so they are made once and
 * kept.
 */
const keptMs = { whole: 60_000, partial: 2_000 } as const;

/**
 * The API's document and its reference, made when first asked for and then kept. After a minute the next request is
 * answered with what is there and has them made anew; after two seconds where a role was missing. At most one making
 * runs. What a role once said of itself is kept for while it does not answer.
 */
export function makeApiPages(
  own: () => unknown,
  readDocument: ReadDocument,
  nowMs: () => number = () => performance.now(),
): ApiPages {
  const last = new Map<Upstream, unknown>();
  const remember: ReadDocument = async (role) => {
    const found = await readDocument(role).catch(() => null);
    if (found !== null) last.set(role, found);
    return found ?? last.get(role) ?? null;
  };
  let made: BuiltDocument | null = null;
  let making: Promise<BuiltDocument> | null = null;
  const make = async (): Promise<BuiltDocument> => {
    const document = await apiDocument(own(), remember);
    const docs = await textAsset(renderDocs(document), "text/html; charset=utf-8");
    const json = await textAsset(JSON.stringify(document), "application/json");
    return { document: json, docs, isWhole: isWhole(document), at: nowMs() };
  };
  const makeOnce = (): Promise<BuiltDocument> => {
    making ??= make()
      .then((done) => (made = done))
      .finally(() => (making = null));
    return making;
  };
  const current = async (): Promise<BuiltDocument> => {
    if (made === null) return await makeOnce();
    const isOld = nowMs() - made.at >= (made.isWhole ? keptMs.whole : keptMs.partial);
    if (!isOld) return made;
    const fresh = makeOnce();
    // Whoever asks while a role is missing waits for it; a whole one that is a minute old is as good as the next.
    if (!made.isWhole) return await fresh;
    fresh.catch(() => {}); // the next request finds it old again
    return made;
  };
  return {
    document: async (request) => answerAsset(request, (await current()).document, {}),
    docs: async (request) => answerAsset(request, (await current()).docs, { "content-security-policy": docsPolicy }),
  };
}

function isWhole(document: ApiDocument): boolean {
  return document["x-unavailable"] === undefined;
}

function textAsset(text: string, type: string): Promise<Asset> {
  return makeAsset(new TextEncoder().encode(text), type);
}
